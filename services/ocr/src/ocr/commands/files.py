"""Reads files page by page on threads, with the service's own pipeline and documents."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from servicekit.images import ImageError
from servicekit.problems import Problem

from ocr import pictures
from ocr.commands.request import Request
from ocr.commands.sources import Source
from ocr.documents import Document, Documents, PageContent, ranges
from ocr.pipeline import Pipeline
from ocr.results import PageResult

PDF, PDF_HEAD_BYTES = b"%PDF-", 1024  # within which it stands (ISO 32000-2, annex I)


@dataclass
class Outcome:
    """What came of a file: its pages, or why there are none."""

    source: Source
    is_pdf: bool = False
    pages: list[PageResult] = field(default_factory=list)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A page that is being read, or the end of its file."""

    outcome: Outcome
    share: float  # of the file, when it is done
    reading: Future[PageResult] | None


Watch = Callable[[Outcome, float], None]  # a file of which another page is done, and the share of it that is


class Files:
    """Reads `workers` pages at once, of one file or of several; of pictures, one more is in memory."""

    def __init__(self, request: Request) -> None:
        """Raises ModelError where the models cannot be loaded."""
        self.request = request
        self.pipeline = Pipeline(request.settings)
        self.documents = Documents(request.settings, 1)
        self._limits = pictures.limits_of(request.settings)
        self._pool = ThreadPoolExecutor(request.workers, thread_name_prefix="read")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self.documents.close()

    def read(self, sources: Iterator[Source], watch: Watch) -> Iterator[Outcome]:
        """Yields what came of each file, in order; raises ModelFault where a GPU fails."""
        with closing(self._steps(sources)) as steps:
            for step in _behind(steps, self.request.workers):
                outcome = step.outcome
                if step.reading is None:
                    yield outcome
                elif outcome.error is None:
                    _take(outcome, step.reading)
                    watch(outcome, step.share)

    def _steps(self, sources: Iterator[Source]) -> Generator[Step]:
        for source in sources:
            outcome = Outcome(source)
            try:
                yield from self._of_file(outcome)
            except (Problem, ImageError, OSError) as error:
                outcome.error = reason(error)
            yield Step(outcome, 1.0, None)

    def _of_file(self, outcome: Outcome) -> Iterator[Step]:
        path, limit = outcome.source.path, self.request.settings.max_file_size
        if (size := path.stat().st_size) > limit:
            raise ImageError(f"it has {size:,} bytes, the limit is {limit:,}")
        with path.open("rb") as file:
            outcome.is_pdf = PDF in file.read(PDF_HEAD_BYTES)
        yield from self._of_document(outcome) if outcome.is_pdf else self._of_image(outcome)

    def _of_image(self, outcome: Outcome) -> Iterator[Step]:
        path = outcome.source.path
        count = len(pictures.costs(path, self._limits))
        for number in range(1, count + 1):
            yield Step(outcome, number / count, self._pool.submit(self._frame, path, number))

    def _of_document(self, outcome: Outcome) -> Iterator[Step]:
        asked = self.request
        with self.documents.open(outcome.source.path, asked.password) as document:
            numbers = ranges.parse(asked.pages, document.n_pages, asked.settings.pdf_max_pages)
            for at, number in enumerate(numbers, 1):
                yield Step(outcome, at / len(numbers), self._pool.submit(self._drawn(document, number)))

    def _frame(self, path: Path, number: int) -> PageResult:
        started = time.perf_counter()
        picture = pictures.decoded(path, number - 1, self._limits)
        page = self.pipeline.read(picture, self.request.options)
        return PageResult.of(number, page, time.perf_counter() - started)

    def _drawn(self, document: Document, number: int) -> Callable[[], PageResult]:
        """Draws a page on the calling thread; returns what is left to do on another."""
        started = time.perf_counter()
        content = document.page(number - 1, self.request.mode, self.request.dpi or self.request.settings.pdf_dpi)
        return partial(self._page, content, number, time.perf_counter() - started)

    def _page(self, content: PageContent, number: int, seconds: float) -> PageResult:
        page, started = content.page, time.perf_counter()
        if page is None:
            assert content.picture is not None
            page = self.pipeline.read(content.picture, self.request.options)
        seconds += time.perf_counter() - started
        return PageResult.of(number, page, seconds, content.dpi, content.width_pt, content.height_pt, content.reason)


def reason(error: Exception) -> str:
    """Returns in one line why a file could not be read."""
    if isinstance(error, Problem):
        return str(error.detail)
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _take(outcome: Outcome, reading: Future[PageResult]) -> None:
    try:
        outcome.pages.append(reading.result())
    except (Problem, ImageError, OSError) as error:
        outcome.error = reason(error)


def _behind(steps: Iterator[Step], most: int) -> Iterator[Step]:
    """Yields the steps, at most so many late: the pages are read meanwhile."""
    waiting: deque[Step] = deque()
    for step in steps:
        waiting.append(step)
        while len(waiting) > most:
            yield waiting.popleft()
    yield from waiting

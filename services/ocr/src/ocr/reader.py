"""Reads pictures and documents, page by page, beside the event loop and in bounded memory."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from servicekit.budget import Budget
from servicekit.images import kinds
from servicekit.problems import NotReady
from servicekit.threads import Pool, effective_cpus

from ocr import pictures
from ocr.counts import Counts
from ocr.documents import Document, Documents, Mode, PageContent, ranges
from ocr.geometry import Picture
from ocr.model import ModelFault
from ocr.options import Options
from ocr.pages import Page
from ocr.pictures import SAMPLES, Data
from ocr.pipeline import Pipeline
from ocr.problems import NotAPdf, ReadingFailed
from ocr.results import PageResult
from ocr.schedule import Turns, in_order
from ocr.settings import Settings

T = TypeVar("T")
Pages = AsyncGenerator[PageResult, None]

JOBS = "/jobs"
SOON = {"Retry-After": "1"}
PDF_HEAD_BYTES = 1024  # within which `%PDF-` stands (ISO 32000-2, annex I)
SIDE_THREADS = 8  # for what waits more than it computes


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """What a call asks for of a document; None: as the settings have it."""

    options: Options = field(default_factory=Options)
    mode: Mode = "auto"
    pages: str | None = None  # as "1-3,7,10-"; None: all
    password: str | None = None
    dpi: int | None = None
    max_pages: int | None = None
    abreast: int | None = None  # pages that are read side by side


class Reader:
    """What every route and job reads with; raises Problems, and NotReady until it is opened and warm."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.limits = pictures.limits_of(settings)
        self.counts = Counts()
        self.depth = 0  # pages that wait or are being read
        self.progress = 0.0  # of the warm-up
        self.threads = settings.work_count or effective_cpus()
        self.processes = self.threads + 2  # that draw pages
        self.pool = Pool("reading", self.threads)
        self.rendering = Pool("rendering", self.processes)
        self.side = Pool("side", SIDE_THREADS)
        self.page_bytes = SAMPLES * settings.max_image_width * settings.max_image_height
        self.budget = Budget(settings.max_file_size + 4 * self.page_bytes)
        self.rendered = Budget(self.processes * self.page_bytes)
        self.turns = Turns(self.threads)
        self.unwrapping = asyncio.Semaphore(2)  # bodies that are decoded at once: each takes 4 times its size
        self._pipeline: Pipeline | None = None
        self._documents: Documents | None = None
        self._warm = self._stopped = False

    def open(self) -> None:
        """Loads the networks and starts what opens PDFs; raises ModelError and EngineError."""
        self._pipeline = Pipeline(self.settings)
        self._documents = Documents(self.settings, self.processes)

    @property
    def is_open(self) -> bool:
        return self._documents is not None

    def warm_up(self) -> None:
        """Reads for the first time, on the calling thread: until then the reader is not ready."""
        assert self._pipeline
        self._pipeline.warm_up(self._progressed)
        self._warm = True

    def stop(self) -> None:
        """Has a warm-up, which may take minutes on a GPU, end after its next step."""
        self._stopped = True

    def close(self) -> None:
        if self._documents:
            self._documents.close()
        for pool in (self.pool, self.rendering, self.side):
            pool.close()

    @property
    def loaded(self) -> Pipeline | None:
        """The networks, which may not be warm yet."""
        return self._pipeline

    @property
    def pipeline(self) -> Pipeline:
        """Raises NotReady before the end of the warm-up."""
        if self._pipeline is None or not self._warm:
            raise NotReady(f"the networks are being loaded: {self.progress:.0%} done", headers=SOON)
        return self._pipeline

    def check(self) -> None:
        """Raises NotReady before the end of the warm-up, and once a GPU has failed."""
        if fault := self.pipeline.fault:
            raise NotReady(f"the GPU failed, the service has to be started again: {fault}")

    @property
    def documents(self) -> Documents:
        if self._documents is None:
            raise NotReady("the networks are being loaded", headers=SOON)
        return self._documents

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Runs what blocks, beside the event loop; who is cancelled leaves when the thread has ended."""
        return await self.side.run_to_the_end(function, *arguments)

    def read(self, picture: Picture, options: Options) -> Page:
        """Reads a picture on the calling thread; raises ReadingFailed where a GPU fails."""
        try:
            with self.counts.seconds.labels("read").time():
                return self.pipeline.read(picture, options)
        except ModelFault as fault:
            raise ReadingFailed(f"the GPU failed, the service has to be started again: {fault}") from fault

    async def read_image(self, data: Data, options: Options, *, route: str = JOBS) -> list[PageResult]:
        """Reads all pages of an image, which are one but for a TIFF; raises NotAnImage, ImageTooLarge and others."""
        async with aclosing(self.frames(data, options, route=route)) as pages:
            return [page async for page in pages]

    async def frames(self, data: Data, options: Options, *, route: str = JOBS) -> Pages:
        """The same page by page, as they are read."""
        request = object()
        with self.counts.refusing():
            self.check()
            costs = await self.run(pictures.costs, data, self.limits)
            reading = (self._frame(request, data, number, cost, options) for number, cost in enumerate(costs, 1))
            async with aclosing(in_order(reading, self.threads)) as results:
                async for result in results:
                    yield self._counted(result, route)

    @asynccontextmanager
    async def read_document(
        self, path: Path, request: DocumentRequest, *, route: str = JOBS
    ) -> AsyncIterator[tuple[list[int], Pages]]:
        """Opens a PDF; gives the numbers of the pages that will be read, and those pages as they are read, in order.

        Raises NotAPdf, the Problems of `Documents.open`, and InvalidInput for a range of pages.
        """
        with self.counts.refusing():
            self.check()
            async with self.opened(path, request.password) as document:
                most = request.max_pages or self.settings.pdf_max_pages
                numbers = ranges.parse(request.pages, document.n_pages, most)
                async with aclosing(self._document(document, numbers, request, route)) as pages:
                    yield numbers, pages

    @asynccontextmanager
    async def opened(self, path: Path, password: str | None) -> AsyncIterator[Document]:
        """Opens a PDF until the end of the block; raises NotAPdf, and the Problems of `Documents.open`."""
        await self.run(_check_pdf, path)
        stack = ExitStack()
        try:
            yield await self.rendering.run_to_the_end(stack.enter_context, self.documents.open(path, password))
        finally:
            await self.rendering.run_to_the_end(stack.close)

    async def _document(self, document: Document, numbers: list[int], request: DocumentRequest, route: str) -> Pages:
        work = DocumentWork(self, document, request)
        abreast = request.abreast or self.threads + 1  # one is drawn while the others are read
        async with aclosing(in_order((work.page(number) for number in numbers), abreast)) as results:
            async for result in results:
                yield self._counted(result, route)

    async def _frame(self, request: object, data: Data, number: int, cost: int, options: Options) -> PageResult:
        return await self.in_turn(request, cost, self._read_frame, data, number, options)

    def _read_frame(self, data: Data, number: int, options: Options) -> PageResult:
        started = time.perf_counter()
        with self.counts.seconds.labels("decode").time():
            picture = pictures.decoded(data, number - 1, self.limits)
        page = self.read(picture, options)
        return PageResult.of(number, page, time.perf_counter() - started)

    async def in_turn(self, request: object, cost: int, function: Callable[..., T], *arguments: object) -> T:
        """Computes on a thread when it is the request's turn and there are `cost` bytes of memory."""
        self.depth += 1
        try:
            await self.turns.take(request)
            try:
                admitted = await self.budget.take(cost)
                try:
                    return await self.pool.run_to_the_end(function, *arguments)
                finally:
                    self.budget.give(admitted)
            finally:
                self.turns.leave()
        finally:
            self.depth -= 1

    def _counted(self, result: PageResult, route: str) -> PageResult:
        lines = result.page.lines
        self.counts.read(result.page.source, route, len(lines), sum(len(line.text) for line in lines))
        return result

    def _progressed(self, share: float) -> None:
        self.progress = share
        if self._stopped:
            raise NotReady("the service is about to stop")


class DocumentWork:
    """One document's pages: drawn one after the other, read side by side."""

    def __init__(self, reader: Reader, document: Document, request: DocumentRequest) -> None:
        self.reader = reader
        self.document = document
        self.request = request
        self.dpi = request.dpi or reader.settings.pdf_dpi
        self._drawing = asyncio.Lock()

    async def page(self, number: int) -> PageResult:
        content, held, seconds = await self.drawn(number)
        try:
            if content.page:
                page = content.page
            else:
                page, reading_s = await self.reader.in_turn(self, 0, self._read, content.picture)
                seconds += reading_s
        finally:
            self.reader.rendered.give(held)
        return PageResult.of(number, page, seconds, content.dpi, content.width_pt, content.height_pt, content.reason)

    async def drawn(self, number: int) -> tuple[PageContent, int, float]:
        """Returns the page, the bytes of `rendered` that its picture holds, and the seconds that it took."""
        rendered = self.reader.rendered
        async with self._drawing:
            held = await rendered.take(self.reader.page_bytes)
            try:
                content, seconds = await self.reader.rendering.run(self._draw, number)  # ends with the document
            except BaseException:
                rendered.give(held)
                raise
        size = 0 if content.picture is None else min(held, content.picture.nbytes)
        rendered.give(held - size)
        return content, size, seconds

    def _draw(self, number: int) -> tuple[PageContent, float]:
        started = time.perf_counter()
        with self.reader.counts.seconds.labels("render").time():
            content = self.document.page(number - 1, self.request.mode, self.dpi)
        return content, time.perf_counter() - started

    def _read(self, picture: Picture) -> tuple[Page, float]:
        started = time.perf_counter()
        return self.reader.read(picture, self.request.options), time.perf_counter() - started


def _check_pdf(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(PDF_HEAD_BYTES)
    if b"%PDF-" not in head:
        raise NotAPdf(f"the file is not a PDF: it is {kinds.of(head).described}")

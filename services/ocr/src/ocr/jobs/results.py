"""The result of a job in each form, made out of the stored pages piece by piece."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

import msgspec
from servicekit.problems import Problem
from servicekit.threads import Pool

from ocr import answers, pictures
from ocr.documents import LimitedFailure, run_limited
from ocr.jobs import disk
from ocr.jobs.folder import Folder, Pages
from ocr.jobs.record import Record
from ocr.jobs.store import Store
from ocr.outputs import OutputError, searchable_pdf
from ocr.outputs.alto import pieces as alto_pieces
from ocr.outputs.hocr import pieces as hocr_pieces
from ocr.outputs.markdown import pieces as markdown_pieces
from ocr.outputs.text import pieces as text_pieces
from ocr.problems import NoResult
from ocr.settings import Settings

logger = logging.getLogger(__name__)

SEARCHABLE_S = 60.0  # that laying the text over the pages of a PDF may take,
SEARCHABLE_PAGE_S = 1.0  # and for each page as much more

_encode = msgspec.json.Encoder().encode


class Results:
    """Renders on threads of its own, one of which searchable PDFs may take for long."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._pool = Pool("results", 2)
        self._making = asyncio.Lock()

    def close(self) -> None:
        self._pool.close()

    async def stream(self, record: Record, form: str) -> AsyncGenerator[bytes, None]:
        """Yields the result in a form other than `pdf`; of `ndjson` as many pages as are done."""
        pieces = self._pieces(record, form)
        while (piece := await self._pool.run(next, pieces, None)) is not None:
            yield piece

    async def searchable(self, record: Record) -> Path:
        """Returns the searchable PDF, which is made when it is asked for first; raises NoResult, UploadStorageFull."""
        folder = self._store.folder(record.id)
        async with self._making:
            if not folder.searchable.exists():
                await self._pool.run(self._make, record, folder)
        return folder.searchable

    async def finish(self, record: Record) -> None:
        """Makes what can be made only now, of a document whose password nobody will know later."""
        if await self._pool.run(self._store.folder(record.id).read_password) is None:
            return
        try:
            await self.searchable(self._store.find(record.id))
        except Problem as problem:  # the text is there all the same
            logger.warning("the job %s has no searchable PDF: %s", record.id, problem.detail)

    def _make(self, record: Record, folder: Folder) -> None:
        beside = folder.path / f".{folder.searchable.name}"
        try:
            with disk.room():
                self._write(record, folder, beside)
                beside.replace(folder.searchable)
        except (LimitedFailure, OutputError) as error:
            raise NoResult(f"no searchable PDF can be made of this file: {error}") from error
        finally:
            beside.unlink(missing_ok=True)

    def _write(self, record: Record, folder: Folder, target: Path) -> None:
        pages = Pages(folder, record.pages_done)
        if record.file.kind == "image":
            limits = pictures.limits_of(self._settings)
            searchable_pdf([folder.input.read_bytes()], pages, target, limits=limits)
            return
        seconds = SEARCHABLE_S + SEARCHABLE_PAGE_S * record.pages_done
        run = partial(run_limited, seconds=seconds, memory_bytes=self._settings.pdf_memory_bytes)
        searchable_pdf(folder.input, pages, target, password=folder.read_password(), run=run)

    def _pieces(self, record: Record, form: str) -> Iterator[bytes]:
        pages = Pages(self._store.folder(record.id), record.pages_done)
        if form == "json":
            return _json(pages, words=record.order.words)
        if form == "ndjson":
            return _ndjson(pages, record)
        return (piece.encode() for piece in _texts(pages, record.file.name, form))


def _texts(pages: Pages, name: str, form: str) -> Iterator[str]:
    if form == "hocr":
        return hocr_pieces(pages, name, ())
    if form == "alto":
        return alto_pieces(pages, name, version("lineside-ocr"))
    return markdown_pieces(pages) if form == "markdown" else text_pieces(pages)


def _json(pages: Pages, *, words: bool) -> Iterator[bytes]:
    yield b'{"success":true,"results":['
    for index, page in enumerate(pages):
        yield (b"," if index else b"") + _encode(answers.page(page, index, words=words))
    yield b"]}"


def _ndjson(pages: Pages, record: Record) -> Iterator[bytes]:
    for index, page in enumerate(pages):
        yield _encode(answers.page(page, index, words=record.order.words)) + b"\n"
    if record.error:
        yield _encode({"success": False, **record.error}) + b"\n"

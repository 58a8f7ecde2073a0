"""Documents that are open, and the processes that read them side by side."""

import importlib.util
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ocr.documents import failures
from ocr.documents.pool import DocumentClosed, Lease, Pool
from ocr.documents.process import Process, ProcessEnded
from ocr.documents.shown import Mode, PageContent, page_content
from ocr.pdf.child import Start
from ocr.pdf.messages import Answer, Close, Failed, Limits, Open, Opened, Read, Shown
from ocr.pdf.wire import WireError
from ocr.settings import Settings

PICTURE_SHARE = 4  # a picture may take a fourth of the process's memory
BYTES_PER_PIXEL = 3
MAX_TEXT_BYTES = 67_108_864  # of an answer without its picture
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_encode = msgspec.msgpack.Encoder().encode


class EngineError(Exception):
    """Why no PDF can be opened at all; the service does not start."""


class Documents:
    """Opens PDFs with up to `processes` processes. Thread-safe; it blocks, so call it on a thread."""

    def __init__(self, settings: Settings, processes: int) -> None:
        """Starts one process, which shows that the engine works; raises EngineError."""
        if settings.pdf_engine == "pymupdf" and importlib.util.find_spec("pymupdf") is None:
            raise EngineError("OCR_PDF_ENGINE=pymupdf needs the package pymupdf: install lineside-ocr[pymupdf]")
        self.page_s = settings.pdf_page_s
        self.memory_bytes = settings.pdf_memory_bytes
        self._engine = settings.pdf_engine
        most = min(
            settings.max_image_width * settings.max_image_height,
            settings.pdf_memory_bytes // (PICTURE_SHARE * BYTES_PER_PIXEL),
        )
        self._pictures = Limits(settings.max_image_width, settings.max_image_height, most)
        self.most_bytes = MAX_TEXT_BYTES + most * BYTES_PER_PIXEL
        self._keys = itertools.count()
        self.pool = Pool(self._start, processes, settings.pdf_memory_bytes // 2)
        try:
            self.pool.warm_up()
        except (ProcessEnded, TimeoutError) as error:
            said = error.said if isinstance(error, ProcessEnded) else "it is not ready"
            raise EngineError(f"the process that opens PDFs does not start: {error}: {said[-500:]}") from None

    def _start(self) -> Process:
        return Process(
            "ocr.pdf.child",
            lambda parent: Start(parent, self._engine, self.memory_bytes, self.page_s, self._pictures),
        )

    @contextmanager
    def open(self, path: Path, password: str | None = None) -> Iterator["Document"]:
        """Raises NotAPdf, DocumentInvalid, DocumentEncrypted, DocumentTooSlow and DocumentTooLarge."""
        document = Document(self, Open(next(self._keys), str(path.absolute()), password))
        try:
            document.look()
            yield document
        finally:
            document.close()

    @property
    def restarts(self) -> int:
        """How many processes died or were killed, by a document or for one that nobody waits for."""
        return self.pool.restarts

    def close(self) -> None:
        """Ends all processes; pages that are being read raise DocumentClosed."""
        self.pool.close()


class Document:
    """Thread-safe: pages that several threads ask for are read by as many processes as are free."""

    def __init__(self, documents: Documents, opening: Open) -> None:
        self.n_pages = 0
        self._documents = documents
        self._opening = opening
        self._lease = Lease(opening.key)

    def look(self) -> None:
        answer, _ = self._ask(self._opening, "the document")
        assert isinstance(answer, Opened)
        self.n_pages = answer.n_pages
        if self.n_pages < 1:
            raise failures.problem(Failed("invalid", "the document has no pages"), "the document")

    def page(self, index: int, mode: Mode, dpi: int) -> PageContent:
        """Reads one page, counted from 0; raises the problems of `Documents.open`, and DocumentClosed."""
        where = f"page {index + 1}"
        answer, pixels = self._ask(Read(self._opening, index, mode, dpi), where)
        assert isinstance(answer, Shown)
        return page_content(answer, pixels)

    def _ask(self, question: Open | Read, where: str) -> tuple[Answer, bytearray]:
        documents = self._documents
        with documents.pool.process(self._lease) as process:
            try:
                message, pixels = process.ask(_encode(question), documents.page_s, documents.most_bytes)
                answer = _answers.decode(message)
            except (ProcessEnded, TimeoutError, WireError, msgspec.DecodeError) as error:
                process.kill()
                if self._lease.closed:
                    raise DocumentClosed from None
                raise failures.broken(error, where, documents.page_s, documents.memory_bytes) from None
            if isinstance(answer, Failed):
                process.kill()  # after a bad document nobody knows what it left behind
                raise failures.problem(answer, where)
        return answer, pixels

    @property
    def is_open(self) -> bool:
        return not self._lease.closed

    def close(self) -> None:
        """Ends at once the processes that read it; does not wait for them."""
        self._documents.pool.end(self._lease, _encode(Close(self._opening.key)))

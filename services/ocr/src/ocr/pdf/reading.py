"""Answers what is asked of a PDF: the page's text layer where it is good, else its picture."""

import math

from ocr.pdf import judgement, textlayer
from ocr.pdf.engine import Engine, EngineDocument, EnginePage, PdfError
from ocr.pdf.judgement import Verdict
from ocr.pdf.messages import Answer, Limits, Mode, Open, Opened, Read, Shown

HEAD_BYTES = 1024  # ISO 32000-1, annex H: readers take %PDF- anywhere within these
POINTS_PER_INCH = 72
Pixels = bytes | bytearray
ASKED_TEXT = "the text layer was asked for"
ASKED_PICTURE = "the picture was asked for"


class Reading:
    """Holds the one document that is open."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self._engine, self._limits = engine, limits
        self._document: EngineDocument | None = None
        self._key = -1

    def answer(self, question: Open | Read) -> tuple[Answer, Pixels]:
        """Raises PdfError."""
        if isinstance(question, Open):
            return Opened(self._open(question).n_pages), b""
        return self._read(question)

    def close(self, key: int) -> None:
        """Lets the document of that key go, where it is the one that is open."""
        if self._document is not None and key == self._key:
            self._document.close()
            self._document = None

    def _open(self, asked: Open) -> EngineDocument:
        if self._document is None or asked.key != self._key:
            self.close(self._key)
            _check(asked.path)
            self._document, self._key = self._engine.open(asked.path, asked.password), asked.key
        return self._document

    def _read(self, asked: Read) -> tuple[Shown, Pixels]:
        document = self._open(asked.document)
        if not 0 <= asked.index < document.n_pages:
            raise PdfError("invalid", f"there is no page {asked.index + 1}, the document has {document.n_pages}")
        page = document.page(asked.index)
        try:
            return show(page, asked.mode, asked.dpi, self._limits)
        finally:
            page.close()


def _check(path: str) -> None:
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib is not imported in this small process
        if b"%PDF-" not in file.read(HEAD_BYTES):
            raise PdfError("not-a-pdf", "the file is not a PDF: it does not begin with %PDF-")


def show(page: EnginePage, mode: Mode, dpi: int, limits: Limits) -> tuple[Shown, Pixels]:
    width, height, drawn_dpi = fit(page.width, page.height, dpi, limits)
    verdict = _verdict(page, mode)

    def shown(**found: object) -> Shown:
        sizes = (width, height, page.width, page.height, drawn_dpi)
        return Shown(*sizes, source=verdict.source, reason=verdict.reason, **found)  # type: ignore[arg-type]

    if verdict.source == "text":
        scale = width / page.width, height / page.height
        return shown(page=textlayer.page(page.tokens(), width, height, scale)), b""
    return shown(page=None), page.draw(width, height)


def _verdict(page: EnginePage, mode: Mode) -> Verdict:
    if mode == "ocr":
        return Verdict("ocr", ASKED_PICTURE)
    if mode == "text":
        return Verdict("text", ASKED_TEXT)
    return _judged(page)


def _judged(page: EnginePage) -> Verdict:
    try:
        return judgement.judge(page.tokens(), page.content())
    except PdfError as error:
        return Verdict("ocr", f"the text layer cannot be used: {error}")


def fit(width: float, height: float, dpi: int, limits: Limits) -> tuple[int, int, float]:
    """Returns the picture's size and its resolution, lowered so far that the picture keeps within the limits."""
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise PdfError("invalid", f"the page is {width:g} x {height:g} points large")
    scale = min(dpi / POINTS_PER_INCH, limits.max_width / width, limits.max_height / height)
    scale = min(scale, math.sqrt(limits.max_pixels / (width * height)))
    size = max(1, math.floor(width * scale + 0.5)), max(1, math.floor(height * scale + 0.5))
    return min(size[0], limits.max_width), min(size[1], limits.max_height), scale * POINTS_PER_INCH

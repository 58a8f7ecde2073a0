"""PDFs by PyMuPDF, the optional extra `lineside-ocr[pymupdf]`.

PyMuPDF and MuPDF are under the AGPL-3.0, or a commercial licence of Artifex: who offers a service with it has to offer
that service's source as well. Nothing of it is imported unless OCR_PDF_ENGINE=pymupdf.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import pymupdf

from ocr.pdf import quads
from ocr.pdf.engine import MAX_LETTERS, NO_PASSWORD, WRONG_PASSWORD, Box, Content, PdfError, Token, Upright, share
from ocr.pdf.spelling import pieces

UNSEEN = (3, 7)  # text render modes of ISO 32000-1, table 106
REPLACEMENT = 0xFFFD  # what MuPDF gives for a letter that the font maps to nothing
TEXT_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP


class PyMuPDF:
    """MuPDF as an engine; it tells nothing on standard error."""

    def __init__(self) -> None:
        pymupdf.TOOLS.mupdf_display_errors(False)
        pymupdf.TOOLS.mupdf_display_warnings(False)
        self.version = f"PyMuPDF {pymupdf.VersionBind}"

    def open(self, path: str, password: str | None) -> "PyMuPDFDocument":
        return PyMuPDFDocument(path, password)


class PyMuPDFDocument:
    def __init__(self, path: str, password: str | None) -> None:
        try:
            self._document = pymupdf.open(path, filetype="pdf")
        except (RuntimeError, ValueError) as error:  # what PyMuPDF raises for all that MuPDF refuses
            raise PdfError("invalid", "the document is damaged: no pages can be found in it") from error
        if self._document.needs_pass and not (password is not None and self._document.authenticate(password)):
            raise PdfError("encrypted", NO_PASSWORD if password is None else WRONG_PASSWORD)
        self.n_pages = self._count()

    def _count(self) -> int:
        try:
            return int(self._document.page_count)
        except (RuntimeError, ValueError) as error:
            raise PdfError("invalid", "the document is damaged: its pages cannot be counted") from error

    def page(self, index: int) -> "PyMuPDFPage":
        try:
            return PyMuPDFPage(self._document.load_page(index))
        except (RuntimeError, ValueError) as error:
            raise PdfError("invalid", f"page {index + 1} is damaged") from error

    def close(self) -> None:
        self._document.close()


class PyMuPDFPage:
    """MuPDF gives places on the page before it is turned, y downwards, in units of /UserUnit."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._words: list[Token] | None = None
        self.width, self.height = float(page.rect.width), float(page.rect.height)
        turns = page.rotation // 90
        wide, high = (self.width, self.height) if turns % 2 == 0 else (self.height, self.width)
        self._high = high
        self._upright = Upright((0.0, 0.0, wide, high), turns)

    def tokens(self) -> Sequence[Token]:
        if self._words is None:
            blocks = self._page.get_text("rawdict", flags=TEXT_FLAGS)["blocks"]
            lines = [line for block in blocks for line in block["lines"]]
            letters = sum(len(span["chars"]) for line in lines for span in line["spans"])
            if letters > MAX_LETTERS:
                raise PdfError("too-large", f"the page has {letters} letters, at most {MAX_LETTERS} are read")
            self._words = [token for number, line in enumerate(lines) for token in self._line(line, number)]
        return self._words

    def _line(self, line: dict[str, Any], number: int) -> Iterator[Token]:
        chars = list(chain.from_iterable(span["chars"] for span in line["spans"]))
        angle = self._upright.angle(line["dir"][0], -line["dir"][1])
        for piece in pieces("".join(char["c"] for char in chars)):
            first, last = self._box(chars[piece.first]["bbox"]), self._box(chars[piece.last]["bbox"])
            quad = None if quads.is_right(angle) else quads.slanted(first, last, angle)
            yield Token(piece.text, quads.around(first, last), number, piece.spaced, angle, quad)

    def _box(self, box: Box) -> Box:
        return self._upright.area(box[0], self._high - box[3], box[2], self._high - box[1])

    def content(self) -> Content:
        painted = self._page.get_bboxlog()
        spans = [span for span in self._page.get_texttrace() if span["chars"]]
        pictures = [(place, self._box(box)) for place, (kind, box) in enumerate(painted) if kind == "fill-image"]
        letters = [letter for span in spans for letter in span["chars"]]
        unseen = [span for span in spans if span["type"] in UNSEEN or span["opacity"] == 0]
        covered = [span for span in spans if span not in unseen and self._is_covered(span, pictures)]
        return Content(
            letters=sum(len(token.text) for token in self.tokens()),
            unmapped=sum(letter[0] == REPLACEMENT for letter in letters) / max(1, len(letters)),
            invisible=_letters(unseen) / max(1, len(letters)),
            covered=_letters(covered) / max(1, len(letters)),
            picture=max((share(box, (self.width, self.height)) for _, box in pictures), default=0.0),
            paths=sum(kind in ("fill-path", "stroke-path") for kind, _ in painted),
        )

    def _is_covered(self, span: dict[str, Any], pictures: Sequence[tuple[int, Box]]) -> bool:
        left, top, right, bottom = self._box(span["bbox"])
        x, y = (left + right) / 2, (top + bottom) / 2
        return any(place > span["seqno"] and box[0] <= x <= box[2] and box[1] <= y <= box[3] for place, box in pictures)

    def draw(self, width: int, height: int) -> bytearray:
        scale = pymupdf.Matrix(width / self.width, height / self.height)
        clip = pymupdf.IRect(0, 0, width, height)
        drawn = self._page.get_pixmap(matrix=scale, colorspace=pymupdf.csRGB, alpha=False)
        pixels = pymupdf.Pixmap(drawn, width, height, clip) if (drawn.width, drawn.height) != (width, height) else drawn
        return _bgr(pixels.samples)

    def close(self) -> None:
        self._page = None


def _letters(spans: Sequence[dict[str, Any]]) -> int:
    return sum(len(span["chars"]) for span in spans)


def _bgr(rgb: bytes) -> bytearray:
    pixels = bytearray(rgb)
    pixels[0::3], pixels[2::3] = rgb[2::3], rgb[0::3]
    return pixels

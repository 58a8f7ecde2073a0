"""PDFs by pdfium (BSD-3-Clause), called as pypdfium2 binds it: a page of text is some thousand calls.

pdfium knows no /UserUnit: such a page is measured in points. It runs no JavaScript and follows no action: no form
environment is made. It is not thread-safe; this module is used by one thread.
"""

import ctypes
from collections.abc import Sequence

import pypdfium2_raw as raw

from ocr.pdf import pdfium_objects, pdfium_text
from ocr.pdf.engine import NO_PASSWORD, WRONG_PASSWORD, Content, PdfError, Token, Upright

FLATTENED = 1  # FLATTEN_SUCCESS
MAX_ANNOTATIONS = 1000
WRITTEN = (raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP)
WHITE = 0xFFFFFFFF
BYTES_PER_PIXEL = 3


class Pdfium:
    """Initialises the library, once for the process."""

    def __init__(self) -> None:
        raw.FPDF_InitLibrary()
        self.version = "pdfium"

    def open(self, path: str, password: str | None) -> "PdfiumDocument":
        return PdfiumDocument(path, password)


class PdfiumDocument:
    def __init__(self, path: str, password: str | None) -> None:
        secret = None if password is None else password.encode("utf-8", "replace")
        self._handle = raw.FPDF_LoadDocument(path.encode(), secret)
        if not self._handle:
            raise _refusal(raw.FPDF_GetLastError(), password)
        self.n_pages: int = raw.FPDF_GetPageCount(self._handle)

    def page(self, index: int) -> "PdfiumPage":
        handle = self._load(index)
        if _has_written_annotations(handle) and raw.FPDFPage_Flatten(handle, raw.FLAT_NORMALDISPLAY) == FLATTENED:
            raw.FPDF_ClosePage(handle)
            handle = self._load(index)
        return PdfiumPage(handle)

    def _load(self, index: int) -> object:
        handle = raw.FPDF_LoadPage(self._handle, index)
        if not handle:
            raise PdfError("invalid", f"page {index + 1} is damaged")
        return handle

    def close(self) -> None:
        raw.FPDF_CloseDocument(self._handle)


def _has_written_annotations(page: object) -> bool:
    """Whether fields or notes are on the page: their text is not the page's own until they are made part of it."""
    for index in range(min(MAX_ANNOTATIONS, raw.FPDFPage_GetAnnotCount(page))):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        raw.FPDFPage_CloseAnnot(annotation)
        if kind in WRITTEN:
            return True
    return False


def _refusal(code: int, password: str | None) -> PdfError:
    if code == raw.FPDF_ERR_PASSWORD:
        return PdfError("encrypted", NO_PASSWORD if password is None else WRONG_PASSWORD)
    if code == raw.FPDF_ERR_SECURITY:
        return PdfError("encrypted", "the document is encrypted in a way that is not known")
    return PdfError("invalid", "the document is damaged: no pages can be found in it")


class PdfiumPage:
    def __init__(self, handle: object) -> None:
        self._handle = handle
        self._text: object | None = None
        self._words: pdfium_text.Words | None = None
        self.width: float = raw.FPDF_GetPageWidthF(handle)
        self.height: float = raw.FPDF_GetPageHeightF(handle)

    def tokens(self) -> Sequence[Token]:
        return self._read().tokens

    def content(self) -> Content:
        words = self._read()
        return pdfium_objects.look(self._handle, self._text, words, (self.width, self.height), self._upright())

    def _read(self) -> pdfium_text.Words:
        if self._words is None:
            self._text = raw.FPDFText_LoadPage(self._handle)
            if not self._text:
                raise PdfError("invalid", "the page's text is damaged")
            self._words = pdfium_text.read(self._text, self._upright())
        return self._words

    def _upright(self) -> Upright:
        box = raw.FS_RECTF()
        raw.FPDF_GetPageBoundingBox(self._handle, box)
        return Upright((box.left, box.bottom, box.right, box.top), raw.FPDFPage_GetRotation(self._handle))

    def draw(self, width: int, height: int) -> bytearray:
        pixels = bytearray(width * height * BYTES_PER_PIXEL)
        memory = (ctypes.c_char * len(pixels)).from_buffer(pixels)
        bitmap = raw.FPDFBitmap_CreateEx(width, height, raw.FPDFBitmap_BGR, memory, width * BYTES_PER_PIXEL)
        if not bitmap:
            raise PdfError("too-large", f"the page cannot be drawn with {width} x {height} pixels")
        try:
            raw.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, WHITE)
            raw.FPDF_RenderPageBitmap(bitmap, self._handle, 0, 0, width, height, 0, raw.FPDF_ANNOT)
        finally:
            raw.FPDFBitmap_Destroy(bitmap)
        return pixels

    def close(self) -> None:
        if self._text:
            raw.FPDFText_ClosePage(self._text)
        raw.FPDF_ClosePage(self._handle)

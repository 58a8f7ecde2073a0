"""The words of a page by pdfium: all letters in one call, places for the first and the last letter of each word."""

import ctypes
import struct
from dataclasses import dataclass

import pypdfium2_raw as raw

from ocr.pdf import quads
from ocr.pdf.engine import MAX_LETTERS, PdfError, Token, Upright
from ocr.pdf.spelling import BREAK, Piece, pieces

SIDES = struct.Struct("4f")  # FS_RECTF: left, top, right, bottom
RIGHT_ANGLES = (0.0, 90.0, 180.0, 270.0)
HYPHEN = 2  # the code for what FPDFText_GetText gives as BREAK
SAME = 0.05  # of a letter's height: letters of one line that differ less have the same font and direction


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a page; `starts` has the index of each one's first letter."""

    tokens: list[Token]
    starts: list[int]
    letters: str


def read(text: object, upright: Upright) -> Words:
    """Raises PdfError for a page with more letters than are looked at."""
    letters = _letters(text)
    words = Words([], [], letters)
    places = _Places(text, upright)
    for piece in pieces(letters):
        words.tokens.append(places.token(piece))
        words.starts.append(piece.first)
    return words


def _letters(text: object) -> str:
    """Returns one character for each of pdfium's letters."""
    count = max(0, raw.FPDFText_CountChars(text))
    if count > MAX_LETTERS:
        raise PdfError("too-large", f"the page has {count} letters, at most {MAX_LETTERS} are read")
    units = (ctypes.c_ushort * (count + 1))()
    raw.FPDFText_GetText(text, 0, count, units)
    whole = bytes(memoryview(units).cast("B")[: 2 * count]).decode("utf-16-le", "replace")
    if len(whole) == count and "\0" not in whole:
        return whole
    return "".join(map(_character, (raw.FPDFText_GetUnicode(text, index) for index in range(count))))


def _character(code: int) -> str:
    if code == HYPHEN:
        return BREAK
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"


class _Places:
    """Where letters are. What pdfium fills is kept and read at once: making structures takes longer than the calls."""

    def __init__(self, text: object, upright: Upright) -> None:
        self._text, self._upright = text, upright
        self._box, self._matrix = raw.FS_RECTF(), raw.FS_MATRIX()
        self._filled, self._sides = ctypes.byref(self._box), SIDES.unpack_from
        self._line, self._depth, self._angle = -1, 0.0, 0.0

    def token(self, piece: Piece) -> Token:
        text, first, last, line, spaced = piece
        raw.FPDFText_GetLooseCharBox(self._text, first, self._filled)
        left, top, right, bottom = a, d, c, b = self._sides(self._box)
        depth = top - bottom
        if line != self._line or abs(depth - self._depth) > SAME * depth:
            self._angle = self._direction(first)
            self._line, self._depth = line, depth
        if last == first:
            e, h, g, f = a, d, c, b
        else:
            raw.FPDFText_GetLooseCharBox(self._text, last, self._filled)
            e, h, g, f = self._sides(self._box)
            left, bottom = min(a, e), min(b, f)
            right, top = max(c, g), max(d, h)
        area = self._upright.area
        box = area(left, bottom, right, top)
        if self._angle in RIGHT_ANGLES:
            return Token(text, box, line, spaced, self._angle)
        quad = quads.slanted(area(a, b, c, d), area(e, f, g, h), self._angle)
        return Token(text, box, line, spaced, self._angle, quad)

    def _direction(self, index: int) -> float:
        if not raw.FPDFText_GetMatrix(self._text, index, self._matrix):
            return 0.0
        return self._upright.angle(self._matrix.a, self._matrix.b)

"""Where a page's pixels lie on the page of the PDF, and the operators that set words there, invisibly.

Each word stands in its quadrilateral, turned and slanted as it is. pdfium copies lines of any slant; poppler tears
slanted words apart, therefore a slant that is hardly to be seen is taken away.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from pikepdf import Object
from pikepdf import Page as PdfPage

from ocr.outputs.characters import one_line
from ocr.outputs.glyphless import ADVANCE, Font
from ocr.outputs.hocr import gaps
from ocr.pages import Line, Page, Point, Quad, Word

Box = tuple[float, float, float, float]  # left, bottom, right, top in the page's units

LETTER: Box = (0.0, 0.0, 612.0, 792.0)  # what pdfium takes where a page has no box
MAX_DEPTH = 64  # of the page tree, upwards
LEAST_GAP = 0.07  # of the text's height; words that stand closer are one for poppler
MOST_CUT = 2.0  # pixels by which a word's box may be shorter than the one that was answered
MOST_LEVELLED = 2.0  # pixels by which the corners of a level word may be off those that were answered
MIN_SIDE = 0.1  # points; a word without width or height is still found


class Sheet:
    """The visible part of a PDF's page, and which way up it is shown."""

    def __init__(self, box: Box, rotate: int) -> None:
        self.box = box
        self.rotate = rotate  # clockwise: 0, 90, 180 or 270

    @classmethod
    def of(cls, page: PdfPage) -> "Sheet":
        media = _rectangle(inherited(page.obj, "/MediaBox")) or LETTER
        crop = _rectangle(inherited(page.obj, "/CropBox"))
        return cls(_common(media, crop) or media if crop else media, _quarter(inherited(page.obj, "/Rotate")))

    def point(self, x: float, y: float) -> Point:
        """Returns the place in the page's units of a point that is given by shares of the shown width and height."""
        left, bottom, right, top = self.box
        width, height = right - left, top - bottom
        if self.rotate == 90:
            return left + y * width, bottom + x * height
        if self.rotate == 180:
            return right - x * width, bottom + y * height
        if self.rotate == 270:
            return right - y * width, top - x * height
        return left + x * width, top - y * height


def inherited(node: Object, key: str) -> Object | None:
    """Returns an attribute of a page, or of the nearest node above that has it; None where there is none."""
    for _ in range(MAX_DEPTH):
        if key in node:
            return node[key]
        parent = node.get("/Parent")
        if parent is None:
            break
        node = parent
    return None


def operators(page: Page, sheet: Sheet, font: Font, name: str) -> Iterator[str]:
    """Yields a content stream; `name` is the font's among the page's resources."""
    yield "q\nBT\n3 Tr\n"
    for line in page.lines:
        yield from _line(line, _Pen(page, sheet, font, name))
    yield "ET\nQ\n"


class _Pen:
    """Sets text into quadrilaterals."""

    def __init__(self, page: Page, sheet: Sheet, font: Font, name: str) -> None:
        self._page, self._sheet, self._font, self._name = page, sheet, font, name

    def show(self, text: str, quad: Quad, tail: str = "") -> str:
        """Returns the operators: the font as large as the quadrilateral is high, the matrix stretched to its width.

        `tail` is set behind it.
        """
        width, height = self._page.width, self._page.height
        top_left, top_right, _, bottom_left = (self._sheet.point(x / width, y / height) for x, y in quad)
        along = top_right[0] - top_left[0], top_right[1] - top_left[1]
        up = top_left[0] - bottom_left[0], top_left[1] - bottom_left[1]
        size = round(max(math.hypot(*up), MIN_SIDE), 2)
        if math.hypot(*along) < MIN_SIDE:
            along = MIN_SIDE, 0.0
        if math.hypot(*up) < MIN_SIDE:
            up = 0.0, MIN_SIDE
        natural = size * ADVANCE * len(text)
        matrix = along[0] / natural, along[1] / natural, up[0] / size, up[1] / size
        where = " ".join(number(value, 5) for value in matrix) + " " + " ".join(number(v, 2) for v in bottom_left)
        return f"{self._name} {number(size, 2)} Tf {where} Tm <{self._font.encode(text + tail)}> Tj\n"


class _Shown(NamedTuple):
    text: str
    quad: Quad
    spaced: bool  # whether a space stands before it


def _line(line: Line, pen: _Pen) -> Iterator[str]:
    """Yields its words and the spaces between them, so that copying and searching see whole sentences."""
    words = line.words or (Word(line.text, line.confidence, line.quad),)
    read = zip(words, gaps(line.text, words), strict=True)
    shown = [_Shown(text, _levelled(word.quad), bool(gap)) for word, gap in read if (text := one_line(word.text))]
    start = 0.0  # pixels that the word before took of this one
    for word, after in zip(shown, [*shown[1:], None], strict=False):
        if after is None or not after.spaced:
            yield pen.show(word.text, _trimmed(word.quad, start, 0.0))
            start = 0.0
        elif _gap(word.quad, after.quad) > _height(word.quad):
            # A space across the wide gap, else pdfium takes the words of a slanted line for two lines.
            yield pen.show(word.text, _trimmed(word.quad, start, 0.0))
            yield pen.show(" ", (word.quad[1], after.quad[0], after.quad[3], word.quad[2]))
            start = 0.0
        else:
            # The space goes with the word: one by itself in a narrow gap, pdfium may take for the next line.
            cut = _cut(word.quad, after.quad)
            yield pen.show(word.text, _trimmed(word.quad, start, cut), " ")
            start = cut


def _levelled(quad: Quad) -> Quad:
    """Returns the rectangle along the page's sides that is nearest, if it is near; else the quadrilateral itself."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
    lies = abs(bx - ax) >= abs(by - ay)
    left, right = ((ax + dx) / 2, (bx + cx) / 2) if lies else ((ay + dy) / 2, (by + cy) / 2)
    top, bottom = ((ay + by) / 2, (cy + dy) / 2) if lies else ((ax + bx) / 2, (cx + dx) / 2)
    corners = (left, top), (right, top), (right, bottom), (left, bottom)
    level: Quad = corners if lies else tuple((x, y) for y, x in corners)  # type: ignore[assignment]  # four as well
    off = max(abs(a - b) for one, other in zip(quad, level, strict=True) for a, b in zip(one, other, strict=True))
    return level if off <= MOST_LEVELLED else quad


def _cut(before: Quad, after: Quad) -> float:
    """Returns the pixels that two words give each, so that poppler sees the gap between them."""
    missing = LEAST_GAP * _height(before) - _gap(before, after)
    return min(max(missing / 2, 0.0), MOST_CUT, _width(before) / 4, _width(after) / 4)


def _trimmed(quad: Quad, start: float, end: float) -> Quad:
    """Returns the quadrilateral with so many pixels less at its text's beginning and end."""
    if not start and not end:
        return quad
    first, last = start / _width(quad), 1 - end / _width(quad)
    top_left, top_right, bottom_right, bottom_left = quad
    top, bottom = (top_left, top_right), (bottom_left, bottom_right)
    return _along(*top, first), _along(*top, last), _along(*bottom, last), _along(*bottom, first)


def _along(start: Point, end: Point, share: float) -> Point:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _gap(before: Quad, after: Quad) -> float:
    """Returns the pixels from one word to the next one in the direction of the text, negative where they overlap."""
    (x0, y0), (x1, y1) = before[:2]
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    return ((after[0][0] - x1) * (x1 - x0) + (after[0][1] - y1) * (y1 - y0)) / length


def _width(quad: Quad) -> float:
    return math.dist(quad[0], quad[1])


def _height(quad: Quad) -> float:
    return math.dist(quad[0], quad[3])


def _rectangle(value: Object | None) -> Box | None:
    """Returns the rectangle with its corners in order; None where it is none or is empty."""
    try:
        numbers: list[float] = [float(edge) for edge in list(value)] if value is not None else []
    except (TypeError, ValueError):
        return None
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        return None
    (left, right), (bottom, top) = sorted(numbers[::2]), sorted(numbers[1::2])
    return (left, bottom, right, top) if left < right and bottom < top else None


def _common(one: Box, other: Box) -> Box | None:
    left, bottom = max(one[0], other[0]), max(one[1], other[1])
    right, top = min(one[2], other[2]), min(one[3], other[3])
    return (left, bottom, right, top) if left < right and bottom < top else None


def _quarter(value: Any) -> int:
    try:
        return int(int(value) / 90) % 4 * 90 if value is not None else 0
    except (TypeError, ValueError):
        return 0


def number(value: float, digits: int) -> str:
    """Returns the shortest decimal: PDF knows no exponents."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text

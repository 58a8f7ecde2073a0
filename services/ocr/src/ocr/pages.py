"""What was read on a page: lines of words, each with the quadrilateral that it fills.

Structs, since a page of text is a thousand of them: made and sent in a third of a dataclass's time.
"""

from typing import Literal

import msgspec

Point = tuple[float, float]  # x, y in pixels of the upright page; y grows downwards
Quad = tuple[Point, Point, Point, Point]  # the text's own top left first, then clockwise as it reads
Source = Literal["ocr", "text"]  # read in the picture, or taken from a PDF's text layer


class Word(msgspec.Struct, frozen=True, gc=False):
    """A run of characters between spaces; of a script without spaces, each character."""

    text: str
    confidence: float  # from 0 to 1
    quad: Quad


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line; `words` in the order in which they read, together all of its text but the spaces."""

    text: str
    confidence: float
    quad: Quad
    words: tuple[Word, ...]


class Page(msgspec.Struct, frozen=True):
    """A picture or a page of a document: its lines in reading order, in its own pixels."""

    width: int
    height: int
    lines: tuple[Line, ...]
    source: Source = "ocr"
    turn: int = 0  # 0, 90, 180 or 270 degrees clockwise that make its text upright; the quads are not turned

"""What was read on a page: lines of words, each with the quadrilateral that it fills."""

from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]  # x, y in pixels of the upright page; y grows downwards
Quad = tuple[Point, Point, Point, Point]  # the text's own top left first, then clockwise as it reads
Source = Literal["ocr", "text"]  # read in the picture, or taken from a PDF's text layer


@dataclass(frozen=True, slots=True)
class Word:
    """A run of characters between spaces; of a script without spaces, each character."""

    text: str
    confidence: float  # from 0 to 1
    quad: Quad


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `words` in the order in which they read, together all of its text but the spaces."""

    text: str
    confidence: float
    quad: Quad
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A picture or a page of a document: its lines in reading order, in its own pixels."""

    width: int
    height: int
    lines: tuple[Line, ...]
    source: Source = "ocr"
    turn: int = 0  # 0, 90, 180 or 270 degrees clockwise that make its text upright; the quads are not turned

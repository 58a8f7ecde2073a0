"""What an engine has to know of a PDF; all lengths in points, pages upright by their own /Rotate, y downwards."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from ocr.pages import Quad

Box = tuple[float, float, float, float]  # left, top, right, bottom
Kind = Literal["not-a-pdf", "invalid", "encrypted", "too-large"]

MAX_LETTERS = 200_000  # of a page; a page of a telephone book has 20,000
MAX_OBJECTS = 200_000  # of a page that are looked at
LEAN = 2.0  # degrees off a right angle that are taken for one
NO_PASSWORD = "the document is encrypted and needs a password"  # noqa: S105 - a sentence
WRONG_PASSWORD = "the password does not open the document"  # noqa: S105 - a sentence


class PdfError(Exception):
    """Why a document or a page of it cannot be read, said for people."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Token(NamedTuple):
    """A word of the text layer; of a script without spaces, a character."""

    text: str
    box: Box  # upright, around all of it
    line: int  # tokens of the same number follow one another
    spaced: bool  # whether white space comes before it in its line
    angle: float  # degrees clockwise from the page's left to right; right angles are exact
    quad: Quad | None = None  # as in ocr.pages but in points, of text that runs in none of the four directions


@dataclass(frozen=True, slots=True)
class Content:
    """What a page shows beside its words."""

    letters: int  # without white space
    unmapped: float  # share of the letters that the font gives no character
    invisible: float  # share of the words that are not painted
    covered: float  # share of the words that a picture was painted over
    picture: float  # share of the page that its largest picture fills
    paths: int  # shapes drawn with lines and curves


class EnginePage(Protocol):
    """One open page; `width` and `height` are in points, as it is shown."""

    width: float
    height: float

    def tokens(self) -> Sequence[Token]:
        """Returns the words in the order of the document."""

    def content(self) -> Content:
        """Looks at what else there is."""

    def draw(self, width: int, height: int) -> bytearray:
        """Returns the page as BGR bytes of (height, width, 3)."""

    def close(self) -> None:
        """Gives back its memory."""


class EngineDocument(Protocol):
    """An open document; its pages are counted from 0."""

    n_pages: int

    def page(self, index: int) -> EnginePage:
        """Opens the page; raises PdfError."""

    def close(self) -> None:
        """Gives back its memory."""


class Engine(Protocol):
    """What opens documents, on one thread; `version` names it."""

    version: str

    def open(self, path: str, password: str | None) -> EngineDocument:
        """Raises PdfError."""


@dataclass(frozen=True, slots=True)
class Upright:
    """Turns a page's own coordinates (y upwards, any origin, not yet turned) into those of the upright page."""

    box: Box  # left, bottom, right, top of what is shown
    turns: int  # quarter turns clockwise

    def point(self, x: float, y: float) -> tuple[float, float]:
        left, bottom, right, top = self.box
        if self.turns == 0:
            return x - left, top - y
        if self.turns == 1:
            return y - bottom, x - left
        if self.turns == 2:
            return right - x, y - bottom
        return top - y, right - x

    def area(self, left: float, bottom: float, right: float, top: float) -> Box:
        if self.turns == 0:  # called for each word
            return left - self.box[0], self.box[3] - top, right - self.box[0], self.box[3] - bottom
        x0, y0 = self.point(left, bottom)
        x1, y1 = self.point(right, top)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def angle(self, a: float, b: float) -> float:
        """Returns the direction (a, b) in degrees clockwise, 0 up to 360."""
        degrees = math.degrees(math.atan2(-b, a)) + 90 * self.turns
        nearest = 90 * round(degrees / 90)
        return float(nearest if abs(degrees - nearest) <= LEAN else round(degrees, 1)) % 360


def share(box: Box, size: tuple[float, float]) -> float:
    """Returns how much of the page a box fills; what hangs out of the page does not count."""
    width = max(0.0, min(box[2], size[0]) - max(box[0], 0.0))
    height = max(0.0, min(box[3], size[1]) - max(box[1], 0.0))
    return width * height / max(1e-9, size[0] * size[1])

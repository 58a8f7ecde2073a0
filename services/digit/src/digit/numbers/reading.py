"""Reads a written number of several digits off a picture."""

from dataclasses import dataclass

from PIL import Image

from digit.numbers.lattice import Floats, Lattice
from digit.numbers.lines import Line, lines_of
from digit.numbers.path import best_path
from digit.numbers.recognition import Recognise, Recognised, TooManyPiecesError, recognised
from digit.numbers.scores import scores
from digit.postprocess import Box
from digit.preprocess import Ink, find_ink

Span = tuple[int, int]  # the first piece, and the one after the last

BOUND = 1024  # the longer side, in pixels, of what the work is done on: ten digits need more than one does
OTHER_LINES = 4  # that are looked at, beside the one with the most ink
ALIKE = 0.6  # of the number's height: lower writing beside it is a note, not another number
AS_DARK = 0.85  # of the number's level of ink: fainter writing is the other side's
CLEAR = 0.8  # confidence of a digit that makes writing beside the number another number


class UnreadError(ValueError):
    """There is no number to answer with; the text says why."""


class BlankError(UnreadError):
    """Nothing is written."""


class NoDigitsError(UnreadError):
    """What is written are no digits."""


class SeveralError(UnreadError):
    """There is more than one number."""


class TooLongError(UnreadError):
    """The number has more digits than are allowed."""


@dataclass(frozen=True)
class Digit:
    """One digit of a number."""

    prediction: int
    confidence: float  # probability that a digit stands here, cut out as it is, and is this one
    probabilities: list[float]  # of 0 to 9, given that it is a digit
    digitness: float  # the model's probability that it looks like a digit at all
    box: Box  # x, y, width, height in the picture's pixels


@dataclass(frozen=True)
class Number:
    """A written number, from left to right, and the boxes of the marks beside and between that are no digits of it."""

    digits: list[Digit]
    left_out: list[Box]

    @property
    def text(self) -> str:
        return "".join(str(digit.prediction) for digit in self.digits)


def read(picture: Image.Image, recognise: Recognise, max_digits: int) -> Number:
    """Reads the number in an upright picture.

    Raises BlankError, NoDigitsError, SeveralError, and TooLongError.
    """
    ink = find_ink(picture, bound=BOUND)
    if not ink.mask.any():
        raise BlankError("The picture is blank: no ink was found")
    lines = lines_of(ink)
    if not lines:
        raise NoDigitsError("No digit was found: only bars or frames were seen")
    try:
        number = _read_line(ink, lines[0], recognise, max_digits)
        _refuse_others(ink, lines, recognise, max_digits)
    except TooManyPiecesError as error:
        raise TooLongError(str(error)) from None
    if not number.digits:
        raise NoDigitsError(f"No digit was found: {_seen(len(number.left_out))}")
    if len(number.digits) > max_digits:
        raise TooLongError(f"the number has {len(number.digits)} digits, the limit is {max_digits}")
    return number


def _seen(count: int) -> str:
    return "the one mark that was seen is none" if count == 1 else f"none of the {count} marks that were seen is one"


def _refuse_others(ink: Ink, lines: list[Line], recognise: Recognise, max_digits: int) -> None:
    """Raises SeveralError where more than one line has digits that are as tall and as dark as the number's."""
    first = lines[0]
    others = [one for one in lines[1:] if one.tall >= ALIKE * first.tall and one.level >= AS_DARK * first.level]
    for line in others[:OTHER_LINES]:
        clear = [d.prediction for d in _read_line(ink, line, recognise, max_digits).digits if d.confidence >= CLEAR]
        if len(clear) > 1 or any(prediction != 1 for prediction in clear):  # a lone 1 may be any stroke
            raise SeveralError("The picture has more than one line or group of digits, this call reads one number")


def _read_line(ink: Ink, line: Line, recognise: Recognise, max_digits: int) -> Number:
    found = recognised(ink.grey, line, recognise, max_digits)
    path = best_path(found.lattice, *scores(found))
    digits = [_digit(found, index, path.sureness, ink.scale) for index in path.read]
    return Number(digits, [_box(found, span, ink.scale) for span in _joined(found.lattice, path.left_out)])


def _joined(lattice: Lattice, left_out: list[int]) -> list[Span]:
    """Returns the pieces that were left out, those that a seam parts as one."""
    spans: list[Span] = []
    for index in left_out:
        first, last = int(lattice.first[index]), int(lattice.last[index])
        if spans and spans[-1][1] == first and lattice.pieces.parted_at(first):
            first = spans.pop()[0]
        spans.append((first, last))
    return spans


def _digit(found: Recognised, index: int, sureness: Floats, scale: float) -> Digit:
    probabilities = found.probabilities[index]
    prediction = int(probabilities.argmax())
    return Digit(
        prediction,
        float(sureness[index] * probabilities[prediction]),
        probabilities.tolist(),
        float(found.digitness[index]),
        _box(found, (int(found.lattice.first[index]), int(found.lattice.last[index])), scale),
    )


def _box(found: Recognised, span: Span, factor: float) -> Box:
    """Returns where the ink of pieces lies in the picture; `factor` is its pixels to one of the page."""
    boxes = found.lattice.pieces.boxes[span[0] : span[1]]
    column, row = found.line.corner
    left, top = boxes[:, :2].min(axis=0).tolist()
    right, bottom = boxes[:, 2:].max(axis=0).tolist()
    x0, x1 = (round(factor * (column + found.line.scale * edge)) for edge in (left, right))
    y0, y1 = (round(factor * (row + found.line.scale * edge)) for edge in (top, bottom))
    return x0, y0, x1 - x0, y1 - y0

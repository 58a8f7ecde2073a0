"""A line of writing, cut where it is not clear, and what a model says of every way to join the pieces."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digit.imaging.frame import Plane, frame
from digit.numbers.judge import LEAST, judge, windows
from digit.numbers.lattice import Floats, Lattice, frames, lattice_of
from digit.numbers.lines import Line
from digit.numbers.pieces import cut
from digit.numbers.scaled import Scaled, scaled
from digit.postprocess import Outputs

Recognise = Callable[[NDArray[np.float32]], Outputs]  # pictures (n, 28, 28) to what a model says of them

SURE = 0.9  # probability from which on a mark is one digit, and is not cut
NARROWEST, WIDEST = (
    0.35,
    1.0,
)  # width to height of what may be one digit or need cuts; what is narrower is a 1 or a stroke
LOWEST = 0.5  # of the typical height: lower marks are not cut
PIECES_A_DIGIT = 12  # at most, on average: a line with more is no number, and its lattice would be large


class TooManyPiecesError(ValueError):
    """The line is full of something else than the digits that are allowed."""


@dataclass(frozen=True, eq=False)
class Recognised:
    """The candidates of a line, and what the model and the judge say of each; implausible ones are no digits."""

    line: Scaled
    lattice: Lattice
    probabilities: Floats  # (m, 10)
    digitness: Floats  # (m,)
    whole: Floats  # (m,) the judge's logit that it is one digit, cut rightly


def recognised(page: Plane, line: Line, recognise: Recognise, max_digits: int) -> Recognised:
    """Recognises the candidates of a line of the page (h, w); raises TooManyPiecesError."""
    written = scaled(page, line)
    _check(len(written.marks), max_digits)
    pieces = cut(written, _doubtful(written, recognise))
    _check(len(pieces), max_digits)
    lattice = lattice_of(pieces)
    probabilities, digitness = np.full((len(lattice), 10), 0.1), np.zeros(len(lattice))
    whole = np.full(len(lattice), LEAST)
    chosen = np.flatnonzero(lattice.plausible)
    if len(chosen):
        outputs = recognise(frames(lattice, chosen))
        probabilities[chosen], digitness[chosen] = outputs.probabilities, outputs.digitness
        whole[chosen] = judge()(windows(lattice, chosen))
    return Recognised(written, lattice, probabilities, digitness, whole)


def _check(count: int, max_digits: int) -> None:
    if count > PIECES_A_DIGIT * max_digits:
        message = (
            f"the writing has {count} parts, a number of {max_digits} digits has at most {PIECES_A_DIGIT} for each"
        )
        raise TooManyPiecesError(message)


def _doubtful(line: Scaled, recognise: Recognise) -> list[int]:
    """Returns the marks that are not surely one digit: those are cut."""
    marks = line.marks
    high = (marks.bottom - marks.top) / line.tall
    wide = (marks.right - marks.left) / line.tall
    large = np.flatnonzero((wide > NARROWEST) & (high > LOWEST))
    single = large[(wide <= WIDEST * np.maximum(1, high))[large]]
    if not len(single):
        return [int(mark) for mark in large]
    outputs = recognise(np.stack([_frame(line, mark) for mark in single]))
    sure = single[outputs.probabilities.max(axis=1) * outputs.digitness >= SURE]
    return [int(mark) for mark in large if mark not in sure]


def _frame(line: Scaled, mark: int) -> Plane:
    marks = line.marks
    here = np.s_[marks.top[mark] : marks.bottom[mark], marks.left[mark] : marks.right[mark]]
    return frame(line.ink[here], line.label[here] == mark)

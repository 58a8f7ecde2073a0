"""Every way to join neighbouring pieces into a digit, and what can be told of each from its shape alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digit.imaging.frame import SIDE, frame
from digit.numbers.pieces import Pieces

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

MOST_PIECES = 8  # in one digit
WIDEST = 1.4  # width of a digit to the typical height
LOOSEST = 0.35  # of the typical height: empty columns between the pieces of one digit
LEAST_INK = 0.4  # of a full-height stroke's: less is a point, a comma or a scrap
MOST_INK = 6.0


@dataclass(frozen=True, eq=False)
class Lattice:
    """Candidates: the pieces from `first` up to but not including `last`, for each; every piece alone is one."""

    pieces: Pieces
    first: Ints  # (m,) in ascending order
    last: Ints  # (m,)
    boxes: Ints  # (m, 4) left, top, right, bottom
    tall: Floats  # (m,) height to the typical height
    wide: Floats  # (m,) width to the typical height
    ink: Floats  # (m,) area to that of a stroke of the typical height
    gap: Floats  # (m,) empty columns between its pieces, to the typical height
    cuts: Floats  # (m,) seams that would part it from its neighbours
    crossed: Floats  # (m,) the ink that those cross, in widths of a stroke

    def __len__(self) -> int:
        return len(self.first)

    @property
    def plausible(self) -> NDArray[np.bool_]:
        """Returns which candidates (m,) are worth the networks' time."""
        return (self.ink >= LEAST_INK) & (self.ink <= MOST_INK) & (self.wide <= WIDEST)


def lattice_of(pieces: Pieces) -> Lattice:
    """Returns all groups of neighbouring pieces that may be one digit, or one mark to be left out."""
    found = [group for first in range(len(pieces)) for group in _groups(pieces, first)]
    spans, shapes = np.array([group[0] for group in found], np.intp), [group[1] for group in found]
    boxes, gap = np.array([shape[:4] for shape in shapes], np.intp), np.array([shape[4] for shape in shapes])
    first, last = spans.T
    sums = np.concatenate(([0], np.cumsum(pieces.area)))
    parted = _parted(pieces, first, last)
    return Lattice(
        pieces,
        first,
        last,
        boxes,
        tall=(boxes[:, 3] - boxes[:, 1]) / pieces.tall,
        wide=(boxes[:, 2] - boxes[:, 0]) / pieces.tall,
        ink=(sums[last] - sums[first]) / (pieces.tall * pieces.stroke),
        gap=gap / pieces.tall,
        cuts=parted.sum(axis=1).astype(np.float64),
        crossed=parted @ pieces.crossed,
    )


def _groups(pieces: Pieces, first: int) -> list[tuple[tuple[int, int], tuple[int, int, int, int, int]]]:
    """Returns the groups that begin with a piece: first and last piece; left, top, right, bottom, empty columns."""
    left, top, right, bottom = pieces.boxes[first].tolist()
    empty, groups = 0, []
    for last in range(first, min(first + MOST_PIECES, len(pieces))):
        box = pieces.boxes[last].tolist()
        between = max(0, box[0] - right)
        left, top, right, bottom = min(left, box[0]), min(top, box[1]), max(right, box[2]), max(bottom, box[3])
        if last > first and (between > LOOSEST * pieces.tall or right - left > WIDEST * pieces.tall):
            break
        empty += between
        groups.append(((first, last + 1), (left, top, right, bottom, empty)))
    return groups


def _parted(pieces: Pieces, first: Ints, last: Ints) -> NDArray[np.bool_]:
    """Returns which seams (m, seams) have one side within the candidate and the other without."""
    within = (pieces.joints >= first[:, None, None]) & (pieces.joints < last[:, None, None])  # (m, seams, 2)
    return np.asarray(within[..., 0] != within[..., 1])


def frames(lattice: Lattice, chosen: Ints) -> NDArray[np.float32]:
    """Returns (n, 28, 28): the chosen candidates as the networks want them."""
    pixels = np.zeros((len(chosen), SIDE, SIDE), np.float32)
    pieces = lattice.pieces
    for place, index in enumerate(chosen.tolist()):
        left, top, right, bottom = lattice.boxes[index].tolist()
        label = pieces.label[top:bottom, left:right]
        own = (label >= lattice.first[index]) & (label < lattice.last[index])
        pixels[place] = frame(pieces.ink[top:bottom, left:right], own)
    return pixels

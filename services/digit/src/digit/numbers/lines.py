"""Which of the marks on a page are one line of writing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digit.imaging.components import Components, Mask, components
from digit.imaging.frame import Plane
from digit.preprocess import Ink

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

MOST_MARKS = 512  # that are looked at, the largest: a page with more is full of specks
TALL = 0.5  # of the typical height: what is less tall is a stroke, a point or a comma, and makes no line
BESIDE = 0.3  # of the lesser height: how far two marks of one line lie side by side at least
APART = 4.0  # typical heights between neighbours of one line, at most
ABOVE = 0.35  # of the typical height: how far a small stroke may lie above or below its line
FLAT = 6.0  # width to height of a ruled line, an underline or a fraction's bar
RULED = 2.5  # typical heights: a bar that is longer is no minus sign
SOLID = 0.45  # of its box is ink in a bar; digits that all touch have less
WITHIN = 0.35  # of a frame's height: what stands in it is at least so tall
LEAST_INK = 1e-9  # keeps the level of a mark without ink defined
FAINT = 0.6  # of the typical level of ink: what is fainter is a shadow, the edge of a sheet, the other side's writing


@dataclass(frozen=True, eq=False)
class Line:
    """One line of writing, still as it was written."""

    marks: Components  # of the whole page
    kept: Bools  # (n,) which of them are the line
    box: tuple[int, int, int, int]  # left, top, right, bottom in the page's array
    tall: float  # the typical height of its marks, in array pixels
    level: float  # how dark its ink is, at most 1

    @property
    def area(self) -> int:
        return int(self.marks.area[self.kept].sum())

    def mask(self) -> Mask:
        """Returns the mask (h, w) of the line alone, on the whole page."""
        return self.marks.mask(self.kept)


def lines_of(ink: Ink) -> list[Line]:
    """Returns the lines of writing on a page, the one with the most ink first; bars and frames make none."""
    marks = components(ink.mask)
    level = _levels(marks, ink.grey)
    usual = _largest(marks)
    usual &= ~_frames(marks, usual)
    if not usual.any():
        return []
    usual &= level >= FAINT * _typical(level, marks, usual)
    tall = _typical(_heights(marks), marks, usual)
    usual &= ~_bars(marks, usual, tall)
    letters = np.flatnonzero(usual & (_heights(marks) >= TALL * tall))
    if not len(letters):
        return []
    lines = [_line(marks, group, usual, tall, level) for group in _chained(marks, letters, tall)]
    return sorted(lines, key=lambda line: -line.area)


def _heights(marks: Components) -> Ints:
    return marks.bottom - marks.top


def _levels(marks: Components, grey: Plane) -> Floats:
    """Returns how dark each mark (n,) is in the middle of its strokes: the mean level, weighted by the level."""
    ink = grey[marks.mask(np.ones(len(marks), np.bool_))].astype(np.float64)  # in the order of the runs
    owner = np.repeat(marks.owner, marks.ends - marks.starts)
    once = np.bincount(owner, ink, len(marks))
    return np.bincount(owner, ink**2, len(marks)) / np.maximum(once, LEAST_INK)


def _largest(marks: Components) -> Bools:
    largest = np.zeros(len(marks), np.bool_)
    largest[np.argsort(-marks.area, kind="stable")[:MOST_MARKS]] = True
    return largest


def _typical(values: Ints | Floats, marks: Components, usual: Bools) -> float:
    """Returns the value above and below which half of the ink lies, so that specks have no say."""
    order = np.flatnonzero(usual)[np.argsort(values[usual], kind="stable")]
    ink = np.cumsum(marks.area[order])
    return float(values[order[np.searchsorted(ink, ink[-1] / 2)]])


def _bars(marks: Components, usual: Bools, tall: float) -> Bools:
    width, height = marks.right - marks.left, _heights(marks)
    solid = marks.area >= SOLID * width * height
    return np.asarray(
        (width > FLAT * height) & (width > RULED * tall) & (solid | (height < TALL * height[usual].max()))
    )


def _frames(marks: Components, usual: Bools) -> Bools:
    """Returns which marks (n,) are boxes drawn around other marks."""
    chosen = np.flatnonzero(usual)
    left, right = marks.left[chosen], marks.right[chosen]
    top, bottom = marks.top[chosen], marks.bottom[chosen]
    height = bottom - top
    around = (left[:, None] < left) & (right[:, None] > right) & (top[:, None] < top) & (bottom[:, None] > bottom)
    frames = np.zeros(len(marks), np.bool_)
    frames[chosen] = (around & (height >= WITHIN * height[:, None])).any(axis=1)
    return frames


def _chained(marks: Components, letters: Ints, tall: float) -> list[Ints]:
    """Groups marks that lie side by side, each with its neighbours, so that a line may climb or fall."""
    top, bottom = marks.top[letters], marks.bottom[letters]
    left, right = marks.left[letters], marks.right[letters]
    height = bottom - top
    shared = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    gap = np.maximum(left[:, None], left) - np.minimum(right[:, None], right)
    linked = (shared >= BESIDE * np.minimum(height[:, None], height)) & (gap <= APART * tall)
    group = np.arange(len(letters))
    while True:
        least = np.where(linked, group, len(letters)).min(axis=1)
        if (least == group).all():
            return [letters[group == one] for one in np.unique(group)]
        group = least


def _line(marks: Components, group: Ints, usual: Bools, tall: float, level: Floats) -> Line:
    left, right = int(marks.left[group].min()), int(marks.right[group].max())
    top, bottom = int(marks.top[group].min()), int(marks.bottom[group].max())
    reach = ABOVE * tall
    middle = (marks.top + marks.bottom) / 2
    small = usual & (_heights(marks) < TALL * tall) & (middle >= top - reach) & (middle <= bottom + reach)
    kept = small & (marks.right >= left - tall) & (marks.left <= right + tall)
    kept[group] = True
    whole = np.flatnonzero(kept)
    return Line(
        marks,
        kept,
        (
            int(marks.left[whole].min()),
            int(marks.top[whole].min()),
            int(marks.right[whole].max()),
            int(marks.bottom[whole].max()),
        ),
        float(np.median(_heights(marks)[group])),
        float(np.average(level[group], weights=marks.area[group])),
    )

"""Which of the marks on a page are one line of writing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digit.imaging.components import Components, Mask, components
from digit.preprocess import Ink

Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

TALL = 0.5  # of the typical height: what is less tall is a stroke, a point or a comma, and makes no line
BESIDE = 0.3  # of the lesser height: how far two marks of one line lie side by side at least
APART = 4.0  # typical heights between neighbours of one line, at most
ABOVE = 0.35  # of the typical height: how far a small stroke may lie above or below its line
FLAT = 6.0  # width to height of a ruled line, an underline or a fraction's bar
SOLID = 0.45  # of its box is ink in a bar; digits that all touch have less
RULED = 2.5  # typical heights: a bar that is longer is no minus sign


@dataclass(frozen=True, eq=False)
class Line:
    """One line of writing, still as it was written."""

    mask: Mask  # (h, w) of the whole page
    box: tuple[int, int, int, int]  # left, top, right, bottom in the page's array
    tall: float  # the typical height of its marks, in array pixels


def lines_of(ink: Ink) -> list[Line]:
    """Returns the lines of writing on a page, the one with the most ink first; none on a blank page."""
    marks = components(ink.mask)
    usual = ~_frames(marks)
    if not usual.any():
        return []
    tall = _typical_height(marks, usual)
    usual &= ~_bars(marks, tall)
    letters = np.flatnonzero(usual & (_heights(marks) >= TALL * tall))
    groups = _chained(marks, letters, tall)
    lines = [_line(marks, group, usual, tall) for group in groups]
    return sorted(lines, key=lambda line: -int(line.mask.sum()))


def _heights(marks: Components) -> Ints:
    return marks.bottom - marks.top


def _typical_height(marks: Components, usual: Bools) -> float:
    """Returns the height above and below which half of the ink lies, so that specks have no say."""
    order = np.flatnonzero(usual)[np.argsort(_heights(marks)[usual], kind="stable")]
    ink = np.cumsum(marks.area[order])
    return float(_heights(marks)[order[np.searchsorted(ink, ink[-1] / 2)]])


def _bars(marks: Components, tall: float) -> Bools:
    width, height = marks.right - marks.left, _heights(marks)
    solid = marks.area >= SOLID * width * height
    return (width > FLAT * height) & (width > RULED * tall) & (solid | (height < TALL * height.max()))


def _frames(marks: Components) -> Bools:
    """Returns which marks (n,) are boxes drawn around other marks."""
    middle_x, middle_y = (marks.left + marks.right) / 2, (marks.top + marks.bottom) / 2
    height = _heights(marks)
    inside = (
        (marks.left[:, None] < marks.left)
        & (marks.right[:, None] > marks.right)
        & (marks.top[:, None] < marks.top)
        & (marks.bottom[:, None] > marks.bottom)
        & (height >= 0.35 * height[:, None])
        & (np.abs(middle_x - middle_x[:, None]) < marks.right[:, None] - marks.left[:, None])
        & (np.abs(middle_y - middle_y[:, None]) < height[:, None])
    )
    return np.asarray(inside.any(axis=1))


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
        least = np.where(linked, group, len(letters)).min(axis=1, initial=len(letters))
        if np.array_equal(least, group):
            return [letters[group == one] for one in np.unique(group)]
        group = least


def _line(marks: Components, group: Ints, usual: Bools, tall: float) -> Line:
    left, right = int(marks.left[group].min()), int(marks.right[group].max())
    top, bottom = int(marks.top[group].min()), int(marks.bottom[group].max())
    reach = ABOVE * tall
    middle = (marks.top + marks.bottom) / 2
    small = usual & (_heights(marks) < TALL * tall) & (middle >= top - reach) & (middle <= bottom + reach)
    kept = small & (marks.right >= left - tall) & (marks.left <= right + tall)
    kept[group] = True
    mask = marks.mask(kept)
    box = (
        int(marks.left[kept].min()),
        int(marks.top[kept].min()),
        int(marks.right[kept].max()),
        int(marks.bottom[kept].max()),
    )
    own = float(np.median(_heights(marks)[group])) if len(group) else tall
    return Line(mask, box, own)

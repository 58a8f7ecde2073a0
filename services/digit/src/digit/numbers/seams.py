"""Where a blot of ink can be cut from top to bottom: paths that cross little ink.

A seam has one column in each row, at most one aside from that of the row above, and the least cost of such paths;
dynamic programming finds it, as in Avidan and Shamir, "Seam carving for content-aware image resizing", SIGGRAPH 2007.
Here the cost is the ink crossed, each seam keeps to a band of columns so that there is one for every place, bands lean
as the writing does, and of seams that part the ink in nearly the same way only the cheapest is kept.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digit.imaging.frame import Plane

Ints = NDArray[np.intp]
Floats = NDArray[np.float32]

ASIDE = np.float32(0.04)  # what a step aside costs, in pixels of full ink: among equals the straight seam wins
EVERY = 1 / 14  # of the writing's height: the distance between the bands' middles
REACH = 0.1  # of the writing's height: how far a band reaches to each side
DEEPEST = 3.2  # strokes' widths that a seam may cross
APART = 0.2  # of a full-height stroke's ink: what lies between two seams at least, and beside each


@dataclass(frozen=True, eq=False)
class Seams:
    """Seams from left to right through a plane."""

    columns: Ints  # (n, h): the first column right of the seam in each row
    crossed: Floats  # (n,) ink on the seam, in pixels


def seams(ink: Plane, tall: float, stroke: float, lean: float) -> Seams:
    """Returns seams through `ink` (h, w): writing `tall` pixels high with strokes `stroke` wide, leaning by a tangent."""
    height, width = ink.shape
    reach = max(2, round(REACH * tall))
    aside = np.rint(lean * (height / 2 - np.arange(height))).astype(np.intp)  # (h,) of the bands in each row
    middles = np.arange(stroke / 2, width - stroke / 2, max(1.0, EVERY * tall)).astype(np.intp)
    if not len(middles):
        return Seams(np.zeros((0, height), np.intp), np.zeros(0, np.float32))
    left = middles[:, None] - reach + aside  # (n, h) the first column of each band
    found = _cheapest(_bands(ink, left, 2 * reach + 1), left)
    chosen = _distinct(found, ink, least=APART * tall * stroke, most=DEEPEST * stroke)
    return Seams(found.columns[chosen], found.crossed[chosen])


def _bands(ink: Plane, left: Ints, width: int) -> Floats:
    """Returns (n, h, width): the ink of each band; beyond the plane there is none."""
    columns = left[:, :, None] + np.arange(width)
    bands = ink[np.arange(len(ink))[:, None], np.clip(columns, 0, ink.shape[1] - 1)]
    bands[(columns < 0) | (columns >= ink.shape[1])] = 0
    return bands


def _cheapest(bands: Floats, left: Ints) -> Seams:
    """Returns the cheapest seam of each band (n, h, band), whose first columns are `left` (n, h) of the plane."""
    n, height, band = bands.shape
    steps = np.zeros((height, n, band), np.int8)
    blocked = np.full((n, 1), np.inf, np.float32)
    total = bands[:, 0]
    for row in range(1, height):
        fenced = np.concatenate((blocked, total + ASIDE, blocked), axis=1)
        ways = np.stack((fenced[:, :-2], total, fenced[:, 2:]))  # (3, n, band): from the left, above, the right
        steps[row] = ways.argmin(axis=0)
        total = ways.min(axis=0) + bands[:, row]
    columns = np.empty((n, height), np.intp)
    columns[:, -1] = total.argmin(axis=1)
    each = np.arange(n)
    for row in range(height - 1, 0, -1):
        columns[:, row - 1] = columns[:, row] + steps[row, each, columns[:, row]] - 1
    crossed = np.take_along_axis(bands, columns[:, :, None], axis=2).sum(axis=(1, 2))
    return Seams(columns + left, crossed)


def _distinct(found: Seams, ink: Plane, least: float, most: float) -> Ints:
    """Returns which seams to cut at, left to right: the cheapest ones with `least` ink between them and the ends."""
    before = _ink_left_of(ink, found.columns)  # (n,)
    total = float(ink.sum())
    edges, chosen = [0.0, total], []
    for index in np.argsort(found.crossed, kind="stable"):
        if found.crossed[index] <= most and min(abs(before[index] - edge) for edge in edges) >= least:
            edges.append(before[index])
            chosen.append(index)
    order = np.argsort(before[chosen], kind="stable")
    return np.array(chosen, np.intp)[order]


def _ink_left_of(ink: Plane, columns: Ints) -> NDArray[np.float64]:
    """Returns the ink (n,) left of each seam (n, h)."""
    height, width = ink.shape
    sums = np.zeros((height, width + 1))
    np.cumsum(ink, axis=1, out=sums[:, 1:])
    return np.asarray(sums[np.arange(height), np.clip(columns, 0, width)].sum(axis=1))

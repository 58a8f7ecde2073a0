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
SOLID = 0.5  # of full ink
DOUBLE = 1.5, 3.0  # strokes' widths: a row of ink so wide is two strokes side by side
JOINED = 0.15  # what a pixel between two such strokes costs
DEEPEST = 6.0  # strokes' widths that a seam may cross
ENTRY = 1.0  # strokes' widths that it costs to enter a stroke square: seams slide into the notches where digits touch
APART = 0.15  # of a full-height stroke's ink: what lies between two seams at least, and beside each


@dataclass(frozen=True, eq=False)
class Seams:
    """Seams from left to right through a plane."""

    columns: Ints  # (n, h): the first column right of the seam in each row
    crossed: Floats  # (n,) ink on the seam, in pixels


def seams(ink: Plane, tall: float, stroke: float, lean: float) -> Seams:
    """Returns seams through `ink` (h, w): writing `tall` pixels high, strokes `stroke` wide, leaning by a tangent."""
    height, width = ink.shape
    reach = max(2, round(REACH * tall))
    aside = np.rint(lean * (height / 2 - np.arange(height))).astype(np.intp)  # (h,) of the bands in each row
    middles = np.arange(stroke / 2, width - stroke / 2, max(1.0, EVERY * tall)).astype(np.intp)
    if not len(middles):
        return Seams(np.zeros((0, height), np.intp), np.zeros(0, np.float32))
    left = middles[:, None] - reach + aside  # (n, h) the first column of each band
    columns, cost = _cheapest(_bands(_cost(ink, stroke), left, 2 * reach + 1))
    columns += left
    before = _sums(ink)[np.arange(height), np.clip(columns, 0, width)].sum(axis=1)  # (n,) the ink on the left
    chosen = _distinct(cost, before, float(ink.sum()), APART * tall * stroke)
    crossed = _on(ink, columns[chosen])
    cheap = crossed <= DEEPEST * stroke
    return Seams(columns[chosen][cheap], crossed[cheap])


def _cost(ink: Plane, stroke: float) -> Floats:
    """Returns (h, w): the ink, less in the middle of joined strokes, and the price of going straight into a stroke."""
    entered = np.maximum(np.diff(ink, axis=0, prepend=np.float32(0)), 0)  # sums to 1 for each stroke on the way
    paid = np.where(_between_strokes(ink, stroke), np.float32(JOINED), np.float32(1))
    return np.asarray(paid * (ink + np.float32(ENTRY * stroke) * entered), np.float32)


def _between_strokes(ink: Plane, stroke: float) -> NDArray[np.bool_]:
    """Returns which pixels (h, w) are in the middle of a row of ink that is as wide as two strokes."""
    height, width = ink.shape
    solid = np.zeros((height, width + 1), np.int8)
    solid[:, :-1] = ink > SOLID
    steps = np.diff(solid.reshape(-1), prepend=np.int8(0))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    length = ends - starts
    double = (length >= DOUBLE[0] * stroke) & (length <= DOUBLE[1] * stroke)
    middle = (starts + ends)[double] / 2
    between = np.zeros(height * (width + 1), np.bool_)
    for aside in range(-round(stroke / 4), round(stroke / 4) + 1):
        between[(middle + aside).astype(np.intp)] = True
    return between.reshape(height, width + 1)[:, :-1]


def _bands(ink: Plane, left: Ints, width: int) -> Floats:
    """Returns (n, h, width): the ink of each band; beyond the plane there is none."""
    columns = left[:, :, None] + np.arange(width)
    bands: Floats = ink[np.arange(len(ink))[:, None], np.clip(columns, 0, ink.shape[1] - 1)]
    bands[(columns < 0) | (columns >= ink.shape[1])] = 0
    return bands


def _cheapest(bands: Floats) -> tuple[Ints, Floats]:
    """Returns the columns (n, h) and the cost (n,) of the cheapest seam of each band (n, h, band) of costs."""
    n, height, band = bands.shape
    steps = np.zeros((height, n, band), np.int8)
    outside = np.full((n, 1), np.inf, np.float32)
    total = bands[:, 0]
    for row in range(1, height):
        fenced = np.concatenate((outside, total + ASIDE, outside), axis=1)
        ways = np.stack((fenced[:, :-2], total, fenced[:, 2:]))  # (3, n, band): from the left, above, the right
        steps[row] = ways.argmin(axis=0)
        total = ways.min(axis=0) + bands[:, row]
    columns = np.empty((n, height), np.intp)
    columns[:, -1] = total.argmin(axis=1)
    each = np.arange(n)
    for row in range(height - 1, 0, -1):
        columns[:, row - 1] = columns[:, row] + steps[row, each, columns[:, row]] - 1
    return columns, total.min(axis=1)


def _on(ink: Plane, columns: Ints) -> Floats:
    """Returns the ink (n,) that seams (n, h) cross."""
    height, width = ink.shape
    inside = (columns >= 0) & (columns < width)
    return np.asarray((ink[np.arange(height), np.clip(columns, 0, width - 1)] * inside).sum(axis=1))


def _sums(ink: Plane) -> NDArray[np.float64]:
    """Returns (h, w + 1): the ink left of each column."""
    sums = np.zeros((ink.shape[0], ink.shape[1] + 1))
    np.cumsum(ink, axis=1, out=sums[:, 1:])
    return sums


def _distinct(cost: Floats, before: NDArray[np.float64], total: float, least: float) -> Ints:
    """Returns which seams to cut at, left to right: the cheapest ones with `least` ink between them and the ends.

    `before` is the ink left of each, `total` that of all.
    """
    edges, chosen = [0.0, total], []
    for index in np.argsort(cost, kind="stable"):
        if min(abs(before[index] - edge) for edge in edges) >= least:
            edges.append(before[index])
            chosen.append(index)
    order = np.argsort(before[chosen], kind="stable")
    return np.array(chosen, np.intp)[order]

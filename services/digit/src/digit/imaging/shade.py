"""Hard shadows: what the light under the writing is where it changes within a few pixels."""

import numpy as np
from numpy.typing import NDArray

from digit.imaging.grey import Grey
from digit.imaging.windows import closed, opened, smallest

FINE = 0.25  # of the widest stroke: a stroke wider than this is told from a shadow by standing alone
COARSE = 120  # cells of the longer side, at least, on which shadows are followed
ROUNDS = 8  # of sweeps in the four directions
SHADE = 0.3  # of the full ink, from which a pixel may be shaded
RULING = 5  # cells, that a line drawn through the shadow is narrower than
LEAST_LIGHT = 0.15  # of the light that a shadow leaves
WIDE = 0.15  # of the longer side: no stroke is so wide


def followed(grey: Grey, window: int) -> Grey:
    """Fills the dark structures narrower than the window that are no part of a wider one, such as a shadow.

    A closing fills the tips of a shadow too, but these hang together with the rest of it. So what the closing has
    filled is let down again, but not below a finer closing, wherever that is dark up to a place that was not filled:
    a reconstruction (Vincent 1993), on coarse cells. The finer closing keeps it from running along thin strokes.
    """
    filled, fine = closed(grey, window), closed(grey, max(3, 2 * round(FINE * window / 2) + 1))
    cell = max(1, max(grey.shape) // COARSE)
    height, width = (side // cell * cell for side in grey.shape)
    if height == 0 or width == 0:
        return filled
    ground = _cells(fine, cell)
    paper = _let_down(_cells(filled, cell), ground)
    low = smallest(paper, 3).repeat(cell, 0).repeat(cell, 1)
    low = np.pad(low, [(0, side - near) for side, near in zip(grey.shape, low.shape, strict=True)], "edge")
    return np.maximum(fine, np.minimum(filled, low))


def _cells(grey: Grey, cell: int) -> Grey:
    """Returns the mean of each cell."""
    height, width = (side // cell for side in grey.shape)
    whole = grey[: height * cell, : width * cell].reshape(height, cell, width, cell)
    mean: Grey = whole.mean(axis=(1, 3)).astype(np.uint8)
    return mean


def _let_down(paper: Grey, ground: Grey) -> Grey:
    """Lowers `paper`, but not below `ground`, to the level at which each cell is reached from the lowest around it."""
    paper = np.maximum(paper, ground)
    for _ in range(ROUNDS):
        before = paper
        for turn in range(4):
            paper = np.rot90(_swept(np.rot90(paper, turn), np.rot90(ground, turn)), -turn)
        if np.array_equal(before, paper):
            break
    return np.ascontiguousarray(paper)


def _swept(paper: Grey, ground: Grey) -> Grey:
    """Lets each row down to the one before it, from the first on.

    A row does max(ground, min(paper, previous)): it clamps. Clamps in a row are a clamp again, so that all are joined
    by doubling.
    """
    high, low = np.ascontiguousarray(paper), np.ascontiguousarray(ground)
    step = 1
    while step < len(high):
        joined = high[:step], np.maximum(low[step:], np.minimum(high[step:], high[:-step]))
        below = low[:step], np.maximum(low[step:], np.minimum(high[step:], low[:-step]))
        high, low = np.concatenate(joined), np.concatenate(below)
        step *= 2
    return high


def is_shaded(grey: Grey, tone: int, levels: NDArray[np.float32]) -> bool:
    """Tells whether what differs from the paper's tone by `levels` (h, w) is light or shadow.

    It is if it is wider than any stroke at the border, and if the darker of the two is not black.
    """
    step = max(1, max(grey.shape) // COARSE)
    some, away = grey[::step, ::step], levels[::step, ::step]
    left = np.minimum(some, tone) >= LEAST_LIGHT * np.maximum(some, tone)
    different = closed(((away > SHADE * away.max()) & left).view(np.uint8), RULING)
    window = 2 * round(WIDE * max(some.shape) / 2) + 1
    wide = opened(np.pad(different, window), window)[window:-window, window:-window]
    return bool(wide[0].any() or wide[-1].any() or wide[:, 0].any() or wide[:, -1].any())

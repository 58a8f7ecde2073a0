"""Which parts of the ink are the digit, and which are a neighbour's remains, a desk's edge, or dust."""

import numpy as np
from numpy.typing import NDArray

from digit.imaging.components import Components, Mask

Keep = NDArray[np.bool_]  # (n,)

ALONG = 0.8  # contact with the border, in square roots of the area, from which a part lies along it
LONG = 0.12  # of half the border: the least contact of a desk
AROUND = 0.5  # of half the border: a part with so much contact is a desk even if it is alone
AT_BORDER = 0.3  # how much a part counts for the main one if it is cut by the border
NEAR = 0.5  # of the main part's longer side: how far off its detached strokes may be
GAP = 0.06  # of the main part's longer side: what is nearer is a stroke of the digit, not a neighbour
BESIDE = 0.3  # of a part's extent: less of it than this lies over the main part
EDGE, SHARP = 6, 0.45  # px within which the level of ink rises by at least so much
RIM = 0.15  # of the shorter side: no digit is so near the border all over
LEAST_BLOCK, SLIM, FILLED = 14, 0.4, 0.5  # px; shorter to longer side; share of the area
DUST = 0.01  # of the main part's area


def edges(parts: Components) -> Keep:
    """Tells which parts lie along the picture's border, as the desk beside a sheet does."""
    contact = _contact(parts)
    along = (contact >= ALONG * np.sqrt(parts.area)) & (contact >= LONG * sum(parts.shape))
    if not along.all():
        return along
    return np.asarray(contact >= AROUND * sum(parts.shape))


def at_rim(parts: Components) -> Keep:
    """Tells which parts lie wholly along one border, as what is seen beside a sheet or is cut off a line does."""
    height, width = parts.shape
    across = np.minimum(parts.right, width - parts.left)
    return np.asarray(np.minimum(across, np.minimum(parts.bottom, height - parts.top)) < RIM * min(parts.shape))


def _contact(parts: Components) -> NDArray[np.intp]:
    """Counts each part's pixels on the picture's border."""
    height, width = parts.shape
    row = parts.row
    first, last = parts.starts % (width + 1), parts.ends % (width + 1)
    outer = (row == 0) | (row == height - 1)
    pixels = np.where(outer, last - first, (first == 0).astype(np.intp) + (last == width))
    return np.bincount(parts.owner, pixels, len(parts)).astype(np.intp)


def digit_of(parts: Components, keep: Keep) -> Keep:
    """Returns which of the parts in `keep` are the main one or its detached strokes; at least one must be kept."""
    if len(parts) == 1:
        return keep
    height, width = parts.shape
    sides = (parts.left == 0) | (parts.right == width)
    ends = (parts.top == 0) | (parts.bottom == height)
    main = int((parts.area * keep * np.where(sides | ends, AT_BORDER, 1.0)).argmax())
    over_x, apart_x = _relation(parts.left, parts.right, main)
    over_y, apart_y = _relation(parts.top, parts.bottom, main)
    longer = max(parts.right[main] - parts.left[main], parts.bottom[main] - parts.top[main])
    near = np.maximum(apart_x, apart_y) <= NEAR * longer
    at_side = sides & (over_x < BESIDE) & (apart_x > GAP * longer)
    at_end = ends & (over_y < BESIDE) & (apart_y > GAP * longer)
    chosen = keep & near & ~at_side & ~at_end & (parts.area >= DUST * parts.area[main])
    chosen[main] = True
    return np.asarray(chosen)


def _relation(low: NDArray[np.intp], high: NDArray[np.intp], main: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Returns, along one axis, the share of each part that lies over the main one, and its distance from it."""
    over = np.minimum(high, high[main]) - np.maximum(low, low[main])
    return np.maximum(over, 0) / (high - low), np.maximum(-over, 0)


def is_block(mask: Mask) -> bool:
    """Tells whether a mask, cut to its box, is a filled rectangle with at most a digit's worth of holes."""
    height, width = mask.shape
    if min(height, width) < max(LEAST_BLOCK, SLIM * max(height, width)):
        return False
    corners = mask[0, 0] and mask[0, -1] and mask[-1, 0] and mask[-1, -1]
    return bool(corners and mask.mean() >= FILLED)


def sharp(parts: Components, level: NDArray[np.float32]) -> Keep:
    """Tells which parts have an edge somewhere, as ink has and a shadow has not; `level` (h, w) is 1 for full ink."""
    rise = np.zeros((level.shape[0], level.shape[1] + 1), np.float32)  # as runs are counted: one more column
    across = np.abs(level[:, EDGE:] - level[:, :-EDGE])
    down = np.abs(level[EDGE:] - level[:-EDGE])
    for shift in (0, EDGE):
        np.maximum(rise[:, shift : shift + across.shape[1]], across, out=rise[:, shift : shift + across.shape[1]])
        np.maximum(rise[shift : shift + len(down), :-1], down, out=rise[shift : shift + len(down), :-1])
    cuts = np.stack((parts.starts, parts.ends), axis=1).reshape(-1)
    steepest = np.zeros(len(parts), np.float32)
    np.maximum.at(steepest, parts.owner, np.maximum.reduceat(rise.reshape(-1), cuts)[::2])
    return steepest >= SHARP

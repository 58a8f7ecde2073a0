"""The width of the pen: a hairline is thickened before the reduction to 20 pixels makes it a faint grey."""

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]  # (h, w) in [0, 1]

THINNEST = 1.6  # px of a digit 20 px high; 5 % of MNIST is below
ROUND = np.pi / 4  # mean length of a unit step along both axes to its true length


def stroke_width(ink: Plane) -> float:
    """Returns the mean stroke width in pixels: twice the area over the length of all edges, soft or hard."""
    framed = np.pad(ink, 1)
    edges = float(np.abs(np.diff(framed, axis=0)).sum() + np.abs(np.diff(framed, axis=1)).sum())
    return 2 * float(ink.sum()) / (ROUND * edges) if edges else 0.0


def thickened(ink: Plane, digit_side: int) -> Plane:
    """Returns the ink of a digit (its longer side is that of the plane) with strokes of at least THINNEST."""
    missing = THINNEST * max(ink.shape) / digit_side - stroke_width(ink)
    if missing <= 0:
        return ink
    peak = float(ink.max())
    steps = missing / 2
    plane = np.pad(ink / np.float32(peak or 1), int(steps) + 1)
    for step in range(int(steps)):
        plane = _spread(plane, diagonal=step % 2 == 1)
    share = np.float32(steps % 1)
    return plane * (1 - share) + _spread(plane, diagonal=False) * share


def _spread(plane: Plane, *, diagonal: bool) -> Plane:
    """Takes the largest of each pixel and its neighbours; crosses and squares in turn grow an octagon."""
    wide = plane.copy()
    np.maximum(wide[:, 1:], plane[:, :-1], out=wide[:, 1:])
    np.maximum(wide[:, :-1], plane[:, 1:], out=wide[:, :-1])
    source = wide.copy() if diagonal else plane
    np.maximum(wide[1:], source[:-1], out=wide[1:])
    np.maximum(wide[:-1], source[1:], out=wide[:-1])
    return wide

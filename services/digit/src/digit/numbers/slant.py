"""How far writing leans.

The angle is the one whose columns are tallest without a gap, after Vinciarelli and Luettin, "A new normalization
technique for cursive handwritten words", Pattern Recognition Letters 22 (2001); of the angles only a few are tried
here, and a parabola through the best three gives the one between them.
"""

import numpy as np
from numpy.typing import NDArray

from digit.imaging.components import Mask

STEEPEST = 0.7  # tangent of 35°: writing leans less
STEP = 0.1  # of the tangent, between the angles tried
WHOLE = 0.9  # of a column's extent is ink where it holds one stroke: edges are ragged


def slant_of(mask: Mask) -> float:
    """Returns the tangent of the lean of the writing in `mask` (h, w), positive to the right, 0 where none shows."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return 0.0
    tangents = np.arange(-STEEPEST, STEEPEST + STEP / 2, STEP)
    merits = np.array([_uprightness(rows, columns + tangent * rows) for tangent in tangents])
    best = int(merits.argmax())
    return float(tangents[best] + STEP * _vertex(merits[max(best - 1, 0) : best + 2]))


def _uprightness(rows: NDArray[np.intp], columns: NDArray[np.float64]) -> float:
    """Returns the sum of the squared heights of the columns that hold one stroke."""
    column = columns.astype(np.intp)
    column -= column.min()
    height = np.bincount(column)
    top, bottom = np.full(len(height), rows.max() + 1), np.zeros(len(height), np.intp)
    np.minimum.at(top, column, rows)
    np.maximum.at(bottom, column, rows + 1)
    whole = height >= WHOLE * (bottom - top)
    return float(np.sum(height[whole].astype(np.float64) ** 2))


def _vertex(merits: NDArray[np.float64]) -> float:
    """Returns where between three equally spaced merits the parabola through them is highest, in steps."""
    if len(merits) < 3:
        return 0.0
    left, middle, right = merits
    bend = left - 2 * middle + right
    return float(np.clip((left - right) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0

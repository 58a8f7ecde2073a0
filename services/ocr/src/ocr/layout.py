"""The order in which the lines of a page are read: column by column, in each from top to bottom.

A gutter parts columns only where the lines beside it are long, as those of running text are: the short lines of
receipts, tables and forms are read across, row by row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr.geometry import Quad

Boxes = NDArray[np.float64]  # (n, 4) left, top, right, bottom on the page made upright and level

SAME_ROW = 0.5  # share of the lower one's height that two lines of a row have in common
COLUMN_LINES = 3  # on each side of a gutter
COLUMN_ASPECT = 6.0  # median of width to height of the lines in a column of text
COLUMN_FILL = 0.6  # share of the column's width that its longer lines cover
GUTTER = 0.5  # least width of a gutter in heights of a line
MAX_DEPTH = 8  # of columns within columns


def reading_order(quads: Sequence[Quad]) -> list[int]:
    """Returns the indices of lines in reading order, whichever way the page is turned."""
    if not quads:
        return []
    boxes = levelled(quads)
    return [int(index) for index in _ordered(boxes, np.arange(len(boxes)), MAX_DEPTH)]


def levelled(quads: Sequence[Quad]) -> Boxes:
    """Returns the lines' bounds after turning the page so that the lines, on the whole, are level."""
    corners = np.stack([np.asarray(quad, np.float64) for quad in quads])
    along = (corners[:, 1] - corners[:, 0] + corners[:, 2] - corners[:, 3]).sum(axis=0)
    x, y = along / max(float(np.hypot(*along)), 1e-9)
    turned = corners @ np.array([[x, -y], [y, x]])
    return np.concatenate((turned.min(axis=1), turned.max(axis=1)), axis=1)


@dataclass(frozen=True, eq=False)
class Columns:
    """Indices of what is left of a gutter, right of it, and across."""

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    across: NDArray[np.intp]


def _ordered(boxes: Boxes, chosen: NDArray[np.intp], depth: int) -> list[int]:
    columns = _columns(boxes, chosen) if depth else None
    if columns is None:
        return _rows(boxes, chosen)
    order: list[int] = []
    middles = boxes[:, [1, 3]].mean(axis=1)
    across = columns.across[np.argsort(middles[columns.across], kind="stable")]
    above = -np.inf
    for below in (*middles[across], np.inf):
        for column in (columns.left, columns.right):
            part = column[(middles[column] >= above) & (middles[column] < below)]
            order += _ordered(boxes, part, depth - 1)
        order += [int(index) for index in across if middles[index] == below and int(index) not in order]
        above = below
    return order


def _columns(boxes: Boxes, chosen: NDArray[np.intp]) -> Columns | None:
    """Returns the columns beside the gutter that the fewest lines cross, or None where there is no such gutter."""
    best = None
    for gutter in _gutters(boxes[chosen]):
        left = chosen[boxes[chosen, 2] <= gutter]
        right = chosen[boxes[chosen, 0] >= gutter]
        across = np.setdiff1d(chosen, np.concatenate((left, right)))
        if not (_is_column(boxes[left]) and _is_column(boxes[right]) and _are_beside(boxes[left], boxes[right])):
            continue
        if len(across) * 2 < min(len(left), len(right)) and (best is None or len(across) < len(best.across)):
            best = Columns(left, right, across)
    return best


def _gutters(boxes: Boxes) -> list[float]:
    """Returns where a gutter could be: right after the ends of lines, where the next begins some way on."""
    height = float(np.median(boxes[:, 3] - boxes[:, 1])) if len(boxes) else 0.0
    starts = np.sort(boxes[:, 0])
    gutters = []
    for end in np.unique(boxes[:, 2]):
        following = starts[np.searchsorted(starts, end) :]
        if len(following) and following[0] - end >= GUTTER * height:
            gutters.append(float(end + following[0]) / 2)
    return gutters


def _is_column(boxes: Boxes) -> bool:
    """Tells whether there are enough lines, long ones, that fill the column, or columns within it."""
    if len(boxes) < COLUMN_LINES:
        return False
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    aspect = float(np.median(widths / np.maximum(heights, 1e-9)))
    return aspect >= COLUMN_ASPECT and _covered(boxes) >= COLUMN_FILL


def _covered(boxes: Boxes) -> float:
    """Returns the share of the whole width that lines of at least the median's width cover."""
    widths = boxes[:, 2] - boxes[:, 0]
    long = boxes[widths >= np.median(widths)]
    long = long[np.argsort(long[:, 0])]
    reached = np.maximum.accumulate(np.concatenate(([long[0, 0]], long[:-1, 2])))
    covered = np.maximum(0, long[:, 2] - np.maximum(long[:, 0], reached)).sum()
    return float(covered / max(np.ptp(boxes[:, [0, 2]]), 1e-9))


def _are_beside(left: Boxes, right: Boxes) -> bool:
    """Tells whether two columns share at least half of the height of the lower one."""
    shared = min(left[:, 3].max(), right[:, 3].max()) - max(left[:, 1].min(), right[:, 1].min())
    return bool(shared >= 0.5 * min(np.ptp(left[:, [1, 3]]), np.ptp(right[:, [1, 3]])))


def _rows(boxes: Boxes, chosen: NDArray[np.intp]) -> list[int]:
    """Returns the lines row by row; those of a row from left to right."""
    middles = boxes[:, [1, 3]].mean(axis=1)
    rows: list[list[int]] = []
    for index in chosen[np.lexsort((boxes[chosen, 0], middles[chosen]))].tolist():
        if rows and _share_row(boxes[rows[-1][-1]], boxes[index]):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda i: float(boxes[i, 0]))]


def _share_row(one: Boxes, other: Boxes) -> bool:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    return bool(shared >= SAME_ROW * min(one[3] - one[1], other[3] - other[1]))

"""Sliding windows over planes: largest, smallest and mean value, each in a handful of passes whatever the window."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", np.uint8, np.float32)


def largest(plane: NDArray[Value], window: int) -> NDArray[Value]:
    """Returns the largest value within the odd square window around each pixel, cut at the border."""
    return _slid(_slid(plane, window // 2, np.maximum, 0), window // 2, np.maximum, 1)


def smallest(plane: NDArray[Value], window: int) -> NDArray[Value]:
    """Returns the smallest value within the odd square window around each pixel, cut at the border."""
    return _slid(_slid(plane, window // 2, np.minimum, 0), window // 2, np.minimum, 1)


def closed(plane: NDArray[Value], window: int) -> NDArray[Value]:
    """Fills dark structures that are narrower than the window; edges of wider ones stay where they are."""
    return smallest(largest(plane, window), window)


def opened(plane: NDArray[Value], window: int) -> NDArray[Value]:
    """Removes bright structures that are narrower than the window."""
    return largest(smallest(plane, window), window)


def _slid(plane: NDArray[Value], reach: int, choose: np.ufunc, axis: int) -> NDArray[Value]:
    """Chooses among the `reach` pixels before and after each, by doubling: log2(window) passes."""
    reach = min(reach, plane.shape[axis] - 1)
    if reach < 1:
        return plane
    lines = plane if axis == 0 else plane.T
    width = 2 * reach + 1
    run = np.ascontiguousarray(np.concatenate((lines[:1].repeat(reach, 0), lines, lines[-1:].repeat(reach, 0))))
    span = 1
    while span * 2 <= width:
        run = choose(run[: len(run) - span], run[span:])
        span *= 2
    if span < width:
        run = choose(run[: len(run) - (width - span)], run[width - span :])
    return run if axis == 0 else np.ascontiguousarray(run.T)

"""Sliding windows equal their definition."""

import numpy as np
import pytest
from digit.imaging.windows import closed, largest, opened, smallest


@pytest.mark.parametrize("window", [3, 5, 9, 21, 61, 301])
def test_largest_and_smallest_equal_their_definition(window: int) -> None:
    plane = np.random.default_rng(0).integers(0, 256, (17, 23)).astype(np.uint8)
    reach = window // 2

    def around(y: int, x: int) -> np.ndarray:
        return plane[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]

    biggest = [[around(y, x).max() for x in range(23)] for y in range(17)]
    least = [[around(y, x).min() for x in range(23)] for y in range(17)]
    assert (largest(plane, window) == biggest).all()
    assert (smallest(plane, window) == least).all()


def test_closing_fills_a_line_and_leaves_an_edge() -> None:
    plane = np.full((40, 40), 200, np.uint8)
    plane[:, 30:] = 50
    plane[:, 10:13] = 0
    filled = closed(plane, 7)
    assert (filled[:, :30] == 200).all()
    assert (filled[:, 30:] == 50).all()
    assert (opened(255 - plane, 7)[:, 10:13] == 55).all()

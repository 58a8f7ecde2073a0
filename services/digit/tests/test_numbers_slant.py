"""How far writing leans."""

import numpy as np
import pytest
from digit.numbers.slant import slant_of


def strokes(tangent: float) -> np.ndarray:
    """Returns a mask of five strokes that lean to the right by `tangent`."""
    mask = np.zeros((60, 260), np.bool_)
    for start in range(60, 220, 35):
        for row in range(60):
            column = round(start - tangent * row)
            mask[row, column : column + 4] = True
    return mask


@pytest.mark.parametrize("tangent", [-0.5, -0.25, 0.0, 0.3, 0.6])
def test_measures_the_lean_of_strokes(tangent: float) -> None:
    assert slant_of(strokes(tangent)) == pytest.approx(tangent, abs=0.04)


def test_nothing_leans_on_a_blank_page() -> None:
    assert slant_of(np.zeros((10, 10), np.bool_)) == 0

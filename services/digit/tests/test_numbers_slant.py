"""How far writing leans, and setting it upright."""

import numpy as np
import pytest
from digit.numbers.slant import USUAL, excess, sheared, slant_of


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


def test_only_what_is_more_than_the_usual_lean_is_taken_out() -> None:
    assert excess(USUAL) == 0
    assert excess(-USUAL / 2) == 0
    assert excess(0.5) == pytest.approx(0.5 - USUAL)
    assert excess(-0.5) == pytest.approx(USUAL - 0.5)


@pytest.mark.parametrize("tangent", [-0.5, 0.4])
def test_sets_strokes_upright_and_tells_where_they_were(tangent: float) -> None:
    leaning = strokes(tangent).astype(np.float32)
    upright, moved = sheared(leaning, tangent)
    assert slant_of(upright > 0.5) == pytest.approx(0, abs=0.04)
    assert upright.sum() == pytest.approx(leaning.sum(), rel=0.02)
    row, column = 40, int(upright[40].argmax())
    assert leaning[row, round(column - moved - tangent * row)] > 0

import numpy as np
import pytest
from ocr import orientation
from ocr.geometry import Quad

LYING = np.array([[0, 0], [100, 0], [100, 20], [0, 20]], np.float32)
SHORT = np.array([[0, 30], [20, 30], [20, 50], [0, 50]], np.float32)


def standing(quad: Quad) -> Quad:
    """Returns the box of the same line on a page turned by a quarter, its corners as a detector orders them."""
    return quad[:, ::-1][[0, 3, 2, 1]]


def test_nothing_is_turned_on_its_head_without_the_classifier() -> None:
    found = orientation.as_found([LYING, standing(LYING)])
    assert found.quads[0] is LYING
    assert found.quads[1].tolist() == [[20, 0], [20, 100], [0, 100], [0, 0]]
    assert found.turn == 0


def test_short_boxes_go_with_the_long_ones() -> None:
    assert orientation._standing([LYING, SHORT, LYING]) == [False, False, False]
    assert orientation._standing([standing(LYING), SHORT]) == [True, True]
    assert orientation._standing([LYING, LYING, standing(LYING)]) == [False, False, True]


@pytest.mark.parametrize(("shift", "turn"), [(0, 0), (1, 270), (2, 180), (3, 90)])
def test_the_turn_is_what_makes_the_text_upright(shift: int, turn: int) -> None:
    assert orientation._turn([np.roll(LYING, -shift, axis=0)]) == turn

import numpy as np
import pytest
from ocr import geometry


def quad(*corners: tuple[float, float]) -> geometry.Quad:
    return np.array(corners, np.float32)


UPRIGHT = quad((10, 20), (110, 20), (110, 40), (10, 40))
STANDING = quad((10, 20), (30, 20), (30, 120), (10, 120))


def test_sides_are_the_width_and_the_height() -> None:
    assert geometry.sides(UPRIGHT) == (100, 20)


def test_a_standing_box_is_laid_so_that_its_text_reads_downwards() -> None:
    assert geometry.lying(STANDING).tolist() == [[30, 20], [30, 120], [10, 120], [10, 20]]


def test_a_lying_box_stays() -> None:
    assert geometry.lying(UPRIGHT) is UPRIGHT


def test_a_cut_of_an_upright_box_is_a_slice() -> None:
    picture = np.arange(60 * 130 * 3, dtype=np.uint32).reshape(60, 130, 3).astype(np.uint8)
    assert np.array_equal(geometry.cut(picture, UPRIGHT), picture[20:40, 10:110])


def test_a_cut_of_a_standing_box_is_turned_to_lie() -> None:
    picture = np.zeros((130, 60, 3), np.uint8)
    picture[20:120, 20:30] = 255  # the right half, which is the upper one of text that runs downwards
    line = geometry.cut(picture, geometry.lying(STANDING))
    assert line.shape == (20, 100, 3)
    assert line[2:8].min() == 255
    assert line[12:18].max() == 0


def test_a_turned_box_is_cut_upside_down() -> None:
    picture = np.zeros((60, 130, 3), np.uint8)
    picture[20:25, 10:110] = 200
    line = geometry.cut(picture, geometry.turned(UPRIGHT))
    assert line[-4:].min() == 200
    assert line[:10].max() == 0


def test_within_returns_a_share_of_the_line() -> None:
    assert geometry.within(UPRIGHT, 0.25, 0.5).tolist() == [[35, 20], [60, 20], [60, 40], [35, 40]]


@pytest.mark.parametrize("turn", [90, 270])
def test_what_is_found_on_its_side_is_turned_back(turn: int) -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[10:20, 30:50] = 255
    upright = geometry.on_its_side(picture, turn)
    assert upright.shape == (60, 40, 3)
    rows, columns = np.nonzero(upright[..., 0])
    left, right, top, bottom = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
    quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    back = geometry.turned_back(quad, turn, picture)
    assert back.min(0).tolist() == [30, 10]
    assert back.max(0).tolist() == [50, 20]
    np.testing.assert_array_equal(geometry.cut(picture, back).min(), 255)

import numpy as np
import pytest
from cars import region
from cars.recognition import Box
from cars.region import SIDE, Mask
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def grown(mask: Mask, row: int, column: int) -> Mask:
    """Returns the part of a mask that hangs together with a place, by growing it step by step."""
    part = np.zeros_like(mask)
    part[row, column] = True
    while True:
        wider = part.copy()
        wider[1:] |= part[:-1]
        wider[:-1] |= part[1:]
        wider[:, 1:] |= part[:, :-1]
        wider[:, :-1] |= part[:, 1:]
        wider &= mask
        if (wider == part).all():
            return part
        part = wider


def painted(part: region.Part, shape: tuple[int, int]) -> Mask:
    mask = np.zeros(shape, np.bool_)
    for row, start, end in part:
        assert not mask[row, start:end].any()
        mask[row, start:end] = True
    return mask


@given(MASKS)
def test_parts_are_what_growing_from_any_of_their_pixels_reaches(mask: Mask) -> None:
    found = [painted(part, mask.shape) for part in region.parts(mask)]
    assert (sum(found, np.zeros(mask.shape, int)) == mask).all()
    for part in found:
        row, column = np.argwhere(part)[0]
        assert (grown(mask, row, column) == part).all()


def heat(*hot: tuple[int, int, float], cells: int = 7) -> region.Heat:
    made = np.zeros((cells, cells), np.float32)
    for row, column, value in hot:
        made[row, column] = value
    return made


def spot(row: slice, column: slice, value: float = 1.0) -> region.Heat:
    fine = np.zeros((SIDE, SIDE), np.float32)
    fine[row, column] = value
    return fine


def test_a_region_is_the_place_above_the_level_in_pixels_of_the_picture() -> None:
    fine = spot(slice(56, 112), slice(112, 168))
    assert region.boxes(fine, (448, 224), 0.35, 0.0) == [Box(224, 56, 112, 56)]


def test_a_margin_is_added_on_each_side_and_cut_at_the_edge() -> None:
    fine = spot(slice(0, 100), slice(112, 212))
    assert region.boxes(fine, (SIDE, SIDE), 0.35, 0.1) == [Box(102, 0, 120, 110)]


def test_the_hottest_place_comes_first_and_the_others_by_their_area() -> None:
    fine = spot(slice(0, 20), slice(0, 20), 0.5) + spot(slice(30, 90), slice(30, 90), 0.6)
    fine += spot(slice(200, 210), slice(200, 210))
    found = region.boxes(fine, (SIDE, SIDE), 0.35, 0.0, most=3)
    assert found == [Box(200, 200, 10, 10), Box(30, 30, 60, 60), Box(0, 0, 20, 20)]
    assert region.boxes(fine, (SIDE, SIDE), 0.35, 0.0) == found[:1]


def test_where_nothing_is_hot_the_region_is_the_whole_picture() -> None:
    assert region.boxes(region.enlarged(heat(cells=7) - 1), (640, 480), 0.35, 0.04) == [Box(0, 0, 640, 480)]


def test_what_a_cell_tells_is_centred_at_its_lower_right_corner() -> None:
    fine = region.enlarged(heat((3, 2, 1.0)))
    assert fine.shape == (SIDE, SIDE)
    row, column = np.unravel_index(int(fine.argmax()), fine.shape)
    assert abs(row - 4 * 32) <= 1
    assert abs(column - 3 * 32) <= 1


@given(
    arrays.arrays(np.float32, (7, 7), elements=st.floats(-5, 50, width=32)),
    st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    st.floats(0.05, 0.9),
    st.floats(0, 0.2),
)
def test_a_region_always_lies_in_the_picture(
    cells: region.Heat, size: tuple[int, int], level: float, margin: float
) -> None:
    for box in region.boxes(region.enlarged(cells), size, level, margin, most=4):
        assert region.checked(box, size) == box


def test_a_wider_look_is_cut_at_the_edges() -> None:
    assert region.around(Box(100, 100, 100, 50), (400, 300), 1.4) == Box(80, 90, 140, 70)
    assert region.around(Box(0, 0, 100, 100), (110, 300), 2.0) == Box(0, 0, 110, 150)


@pytest.mark.parametrize("box", [Box(0, 0, 0, 5), Box(1, 1, 5, -1)])
def test_a_box_without_area_is_refused(box: Box) -> None:
    with pytest.raises(region.BoxError, match="has no area"):
        region.checked(box, (100, 100))


@pytest.mark.parametrize("box", [Box(-1, 0, 5, 5), Box(0, 96, 5, 5), Box(99, 0, 2, 1), Box(0, 0, 10**30, 1)])
def test_a_box_outside_of_the_picture_is_refused(box: Box) -> None:
    with pytest.raises(region.BoxError, match="does not lie in the picture of 100 × 100"):
        region.checked(box, (100, 100))

"""Hard shadows are paper, strokes are not, whichever of the two crosses the other."""

import numpy as np
import pytest
from digit.imaging.shade import followed, is_shaded
from digit.imaging.windows import closed

SIDE = 300
WINDOW = 67
PAPER, SHADE, INK = 220, 110, 30


def _wedge() -> np.ndarray:
    """Returns where the tip of a shadow is (h, w): a right angle that points upwards."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    return y - 120 > np.abs(x - 150)


def _shaded() -> np.ndarray:
    return np.where(_wedge(), SHADE, PAPER).astype(np.uint8)


def test_the_tip_of_a_shadow_is_paper_where_a_closing_fills_it() -> None:
    page = _shaded()
    assert np.count_nonzero(closed(page, WINDOW) > page) > 1000
    assert np.count_nonzero(followed(page, WINDOW) > page) < 100


def test_a_stroke_that_crosses_the_shadow_is_filled_on_either_side() -> None:
    page = _shaded()
    page[60:260, 146:154] = INK
    paper = followed(page, WINDOW)
    assert (paper[60:110, 146:154] == PAPER).all()
    assert (paper[140:230, 146:154] == SHADE).all()


@pytest.mark.parametrize("thick", [4, 16, 40])
def test_a_stroke_of_any_width_beside_the_shadow_is_filled(thick: int) -> None:
    page = _shaded()
    page[20:90, 40 : 40 + thick] = INK
    assert (followed(page, WINDOW)[20:90, 40 : 40 + thick] == PAPER).all()


def test_never_lower_than_the_page_nor_higher_than_its_closing() -> None:
    page = np.random.default_rng(4).integers(0, 256, (130, 171)).astype(np.uint8)
    paper = followed(page, 31)
    assert (paper >= page).all()
    assert (paper <= closed(page, 31)).all()


@pytest.mark.parametrize("shape", [(1, 400), (400, 1), (3, 1000)])
def test_a_strip_narrower_than_a_cell_is_closed(shape: tuple[int, int]) -> None:
    page = np.full(shape, PAPER, np.uint8)
    assert (followed(page, 21) == PAPER).all()


def _is_shaded(page: np.ndarray) -> bool:
    levels = np.abs(page.astype(np.float32) - PAPER)
    return is_shaded(page, PAPER, levels)


def test_what_is_wide_and_at_the_border_is_shadow() -> None:
    page = np.full((SIDE, SIDE), PAPER, np.uint8)
    assert not _is_shaded(page)
    page[:, :80] = SHADE
    assert _is_shaded(page)
    page[::30] = PAPER
    assert _is_shaded(page), "ruling hides no shadow"


def test_a_stroke_at_the_border_a_tile_within_and_black_are_no_shadow() -> None:
    stroke, tile, black = np.full((3, SIDE, SIDE), PAPER, np.uint8)
    stroke[:, 100:140] = SHADE
    tile[100:200, 100:200] = SHADE
    black[:, :80] = 10
    assert not _is_shaded(stroke)
    assert not _is_shaded(tile)
    assert not _is_shaded(black)

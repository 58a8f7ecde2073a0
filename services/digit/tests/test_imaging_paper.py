"""Contrast is measured against the paper, of either polarity, drawn or photographed."""

import numpy as np
import pytest
from digit.imaging.paper import contrast


def _page(paper: int, ink: int, side: int = 200) -> np.ndarray:
    page = np.full((side, side), paper, np.uint8)
    page[side // 4 : 3 * side // 4, side // 2 - 8 : side // 2 + 8] = ink
    return page


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (0, 255), (200, 90), (40, 180)])
def test_a_drawing_is_measured_from_its_papers_tone(paper: int, ink: int) -> None:
    seen = contrast(_page(paper, ink))
    assert seen.drawn
    assert seen.noise == 0
    assert seen.levels[100, 100] == abs(ink - paper)
    assert seen.levels[10, 10] == 0


def test_a_slope_of_light_is_no_ink() -> None:
    light = np.linspace(0.5, 1, 300)[None, :] * np.linspace(0.7, 1, 300)[:, None]
    page = (_page(230, 60, 300) * light).astype(np.uint8)
    seen = contrast(page)
    assert not seen.drawn
    ink = seen.levels[100:200, 145:155].min()
    assert ink > 80
    assert np.delete(seen.levels, np.s_[135:165], axis=1).max() < 0.15 * ink


def test_chalk_on_an_unevenly_lit_board_is_ink() -> None:
    light = np.linspace(0.5, 1, 300)[None, :]
    seen = contrast((_page(70, 220, 300) * light).astype(np.uint8))
    assert seen.levels[150, 150] > 60
    assert seen.levels[150, 40] < 8


def test_a_box_at_the_border_is_not_the_paper() -> None:
    page = _page(255, 0)
    page[:4], page[-4:], page[:, :4], page[:, -4:] = 60, 60, 60, 60
    seen = contrast(page)
    assert seen.levels[20, 20] == 0
    assert seen.levels[100, 100] == 255


def test_the_noise_of_the_paper_is_measured() -> None:
    rng = np.random.default_rng(1)
    page = np.linspace(120, 220, 300)[None, :] + rng.normal(0, 12, (300, 300))
    assert 1.5 < contrast(page.clip(0, 255).astype(np.uint8)).noise < 8

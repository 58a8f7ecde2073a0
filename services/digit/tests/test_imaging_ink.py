"""What is ink is kept, what is paper, noise or dust is not."""

import numpy as np
from digit.imaging.ink import writing
from digit.imaging.parts import digit_of


def _page(noise: float, ink: int = 60) -> np.ndarray:
    rng = np.random.default_rng(2)
    page = np.linspace(190, 230, 300)[None, :] + rng.normal(0, noise, (300, 300))
    page[100:200, 140:156] = ink
    return page.clip(0, 255).astype(np.uint8)


def test_the_stroke_alone_is_kept() -> None:
    found = writing(_page(5))
    mask = found.mask(found.keep)
    assert mask[105:195, 142:154].all()
    assert mask.sum() < 100 * 16 * 1.3


def test_no_ink_is_no_part() -> None:
    page = _page(5)
    page[100:200, 140:156] = page[100:200, 120:136]
    assert not writing(page).keep.any()


def test_full_ink_is_one() -> None:
    found = writing(_page(0))
    assert found.level.max() == 1
    assert found.level[10, 10] < 0.05


def test_a_desk_around_the_sheet_is_not_the_digit() -> None:
    page = _page(3)
    desk = np.ones(page.shape, np.bool_)
    desk[20:-14, 16:-20] = False
    page[desk] = np.random.default_rng(3).normal(50, 8, desk.sum()).clip(0, 255).astype(np.uint8)
    found = writing(page)
    mask = found.mask(digit_of(found.parts, found.keep))
    assert mask[105:195, 142:154].all()
    assert not mask[:40].any()
    assert not mask[:, :40].any()


def test_the_grain_of_a_strip_of_desk_is_not_ink() -> None:
    page = _page(2, ink=210)
    desk = np.random.default_rng(3).normal(90, 25, (300, 24))
    page[:, :24] = desk.clip(0, 255)
    assert not writing(page).keep.any()


def test_a_line_that_the_border_cuts_is_no_writing() -> None:
    page = _page(2)
    page[100:200, 140:156] = page[100:200, 120:136]
    page[-9:-5, :200] = 90
    assert not writing(page).keep.any()

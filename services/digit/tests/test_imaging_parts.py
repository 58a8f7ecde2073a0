"""The digit is told from a neighbour's remains, from dust and from the desk."""

import numpy as np
from digit.imaging.components import components
from digit.imaging.parts import at_rim, digit_of, edges, is_block, sharp


def _kept(mask: np.ndarray) -> np.ndarray:
    parts = components(mask)
    return parts.mask(digit_of(parts, np.ones(len(parts), np.bool_)))


def _digit() -> np.ndarray:
    mask = np.zeros((100, 100), np.bool_)
    mask[30:80, 45:55] = True
    return mask


def test_a_detached_bar_stays() -> None:
    mask = _digit()
    mask[15:22, 45:75] = True
    assert (_kept(mask) == mask).all()


def test_a_neighbours_remains_go() -> None:
    mask = _digit()
    mask[20:80, 92:] = mask[40:60, :5] = True
    assert (_kept(mask) == _digit()).all()


def test_what_is_far_off_goes() -> None:
    mask = _digit()
    mask[90:97, 2:9] = True
    assert (_kept(mask) == _digit()).all()


def test_a_desk_along_the_border_is_found() -> None:
    mask = _digit()
    mask[:, :6] = mask[:5] = True
    parts = components(mask)
    assert (parts.mask(edges(parts)) == (mask & ~_digit())).all()


def test_a_digit_cut_by_the_border_is_no_desk() -> None:
    mask = np.zeros((100, 100), np.bool_)
    mask[:80, 45:55] = True
    assert not edges(components(mask)).any()


def test_what_lies_along_one_border_is_at_the_rim() -> None:
    mask = _digit()
    mask[2:8, 10:90] = mask[30:60, 90:99] = True
    parts = components(mask)
    assert (parts.mask(~at_rim(parts)) == _digit()).all()


def test_a_stroke_from_the_border_to_the_middle_is_not_at_the_rim() -> None:
    mask = np.zeros((100, 100), np.bool_)
    mask[:40, 2:8] = mask[:6, :40] = True
    assert not at_rim(components(mask)).any()


def test_ink_has_edges_and_a_shadow_has_none() -> None:
    level = np.zeros((100, 200), np.float32)
    level[20:80, 40:50] = 1
    level[:, 100:] = np.minimum(np.linspace(0, 1, 100), np.linspace(1, 0, 100))[None, :] * 2
    parts = components(level > 0.3)
    assert (parts.mask(sharp(parts, level)) == (level > 0.3) & (np.arange(200) < 90)).all()


def test_a_tile_is_a_block_and_a_stroke_is_not() -> None:
    tile = np.ones((40, 40), np.bool_)
    tile[10:30, 18:22] = False
    assert is_block(tile)
    assert not is_block(np.ones((40, 8), np.bool_))
    y, x = np.mgrid[-1:1:40j, -1:1:40j]
    assert not is_block(x**2 + y**2 <= 1)

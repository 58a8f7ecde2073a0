"""The frame is MNIST's."""

import numpy as np
import pytest
from digit.imaging.frame import SIDE, box_of, frame, grown


def test_the_box_is_half_open() -> None:
    mask = np.zeros((10, 20), np.bool_)
    mask[3:7, 5:9] = True
    assert box_of(mask) == (5, 3, 9, 7)


def test_growing_adds_a_pixel_all_around() -> None:
    mask = np.zeros((7, 7), np.bool_)
    mask[3, 3] = True
    assert grown(mask).sum() == 9


@pytest.mark.parametrize("side", [10, 20, 57, 300])
def test_the_longer_side_is_twenty_and_the_proportions_stay(side: int) -> None:
    grey = np.ones((side, side // 2), np.float32)
    pixels = frame(grey, grey > 0)
    assert pixels.shape == (SIDE, SIDE)
    rows, columns = np.nonzero(pixels > 0.3)
    assert np.ptp(rows) + 1 == 20
    assert np.ptp(columns) + 1 == pytest.approx(10, abs=1)


def test_the_centre_of_mass_is_the_centre() -> None:
    grey = np.zeros((40, 40), np.float32)
    grey[:, 18:24], grey[30:, :] = 1, 1
    pixels = frame(grey, grey > 0)
    steps = np.arange(SIDE)
    assert float(pixels.sum(axis=1) @ steps / pixels.sum()) == pytest.approx(14, abs=0.51)
    assert float(pixels.sum(axis=0) @ steps / pixels.sum()) == pytest.approx(14, abs=0.51)


def test_the_peak_is_full_ink() -> None:
    grey = np.zeros((40, 40), np.float32)
    grey[5:35, 18:24] = 0.4
    assert frame(grey, grey > 0).max() == pytest.approx(1)

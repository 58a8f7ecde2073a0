"""Hairlines are thickened, pens are left alone."""

import numpy as np
import pytest
from digit.imaging.pen import THINNEST, stroke_width, thickened


@pytest.mark.parametrize("width", [2, 4, 9])
def test_measures_the_width_of_a_line(width: int) -> None:
    ink = np.zeros((200, 60), np.float32)
    ink[:, 20 : 20 + width] = 1
    assert stroke_width(ink) == pytest.approx(width * 4 / np.pi, rel=0.15)


def test_a_hairline_gets_its_width() -> None:
    ink = np.zeros((60, 60), np.float32)
    ink[:, 30] = 0.3
    thick = thickened(ink, 20)
    assert thick.max() == pytest.approx(1)
    assert (thick > 0.5).sum(axis=1).max() == pytest.approx(THINNEST * 3, abs=2)


def test_a_pen_is_left_alone() -> None:
    ink = np.zeros((60, 60), np.float32)
    ink[:, 26:34] = 1
    assert thickened(ink, 20) is ink

"""The grey plane shows the writing in its full contrast."""

import numpy as np
from digit.imaging.grey import grey_of
from PIL import Image


def test_a_grey_picture_is_taken_as_it_is() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert (grey_of(Image.fromarray(levels)) == levels).all()
    assert (grey_of(Image.fromarray(levels).convert("RGB")) == levels).all()


def test_colours_of_equal_luma_are_told_apart() -> None:
    picture = Image.new("RGB", (60, 60), (0, 112, 0))
    picture.paste((220, 0, 0), (20, 0, 40, 60))
    grey = grey_of(picture).astype(int)
    assert abs(grey[30, 30] - grey[30, 5]) > 100


def test_light_stays_light() -> None:
    picture = Image.new("RGB", (60, 60), (250, 240, 200))
    picture.paste((30, 30, 120), (20, 0, 40, 60))
    grey = grey_of(picture)
    assert grey[30, 5] > 150 > 100 > grey[30, 30]


def test_ink_on_nothing_is_its_coverage() -> None:
    picture = Image.new("RGBA", (40, 40), (128, 128, 128, 0))
    picture.paste((128, 128, 128, 255), (10, 10, 20, 20))
    grey = grey_of(picture)
    assert grey[15, 15] == 0
    assert grey[30, 30] == 255


def test_a_page_with_transparent_corners_keeps_its_ink() -> None:
    picture = Image.new("RGBA", (60, 60), (255, 255, 255, 255))
    picture.paste((0, 0, 0, 255), (25, 10, 35, 50))
    picture.paste((0, 0, 0, 0), (0, 0, 6, 6))
    grey = grey_of(picture)
    assert grey[30, 30] < 20
    assert grey[2, 2] > 235
    assert grey[30, 5] > 235

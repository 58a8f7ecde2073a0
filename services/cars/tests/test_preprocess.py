import numpy as np
import pytest
from cars.preprocess import SIDE, mirrored, squashed
from cars.recognition import Box
from PIL import Image


def halves(width: int, height: int) -> Image.Image:
    """Returns a picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGB", (width, height), (255, 0, 0))
    picture.paste((0, 0, 255), (width // 2, 0, width, height))
    return picture


@pytest.mark.parametrize("size", [(1, 1), (224, 224), (3000, 40), (60, 2000)])
def test_any_picture_fills_the_square(size: tuple[int, int]) -> None:
    pixels = squashed(halves(*size))
    assert (pixels.shape, pixels.dtype) == ((1, SIDE, SIDE, 3), np.uint8)


def test_only_the_region_is_read() -> None:
    right = squashed(halves(1000, 500), Box(600, 0, 400, 500))
    assert (right == (0, 0, 255)).all()


def test_a_large_region_is_what_cutting_it_out_first_gives_but_for_rounding() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    picture = Image.fromarray(noise).resize((1800, 1300), Image.Resampling.BICUBIC)
    box = Box(200, 100, 1500, 1100)
    cut = picture.crop((200, 100, 1700, 1200)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    assert np.abs(squashed(picture, box)[0].astype(int) - np.asarray(cut).astype(int)).mean() < 1


def test_a_mirror_image_has_left_and_right_exchanged() -> None:
    pixels = squashed(halves(400, 300))
    assert (mirrored(pixels)[0, 0, 0] == (0, 0, 255)).all()
    assert (mirrored(mirrored(pixels)) == pixels).all()

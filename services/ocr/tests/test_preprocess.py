import numpy as np
import pytest
from ocr import preprocess
from PIL import Image


def test_a_small_page_is_enlarged_and_a_large_one_is_bounded() -> None:
    assert preprocess.detector_size(800, 400, enlarge=True) == (1472, 736)
    width, height = preprocess.detector_size(4096, 4096, enlarge=True)
    assert width * height <= preprocess.MAX_PIXELS * 1.05


@pytest.mark.parametrize("shape", [(24, 94), (1, 4000), (4000, 1), (3, 3), (78, 72)])
def test_a_tight_crop_gets_a_margin_and_is_not_enlarged(shape: tuple[int, int]) -> None:
    given = preprocess.detector_input(np.full((*shape, 3), 128, np.uint8))
    assert given.margin >= preprocess.MIN_MARGIN
    assert given.tensor.shape[2] <= shape[0] + 2 * given.margin + preprocess.STRIDE
    assert given.tensor.shape[3] <= shape[1] + 2 * given.margin + preprocess.STRIDE


def test_a_page_gets_no_margin() -> None:
    assert preprocess.margin_of(np.zeros((300, 400, 3), np.uint8)) == 0


def test_the_margin_has_the_colour_of_the_border() -> None:
    given = preprocess.detector_input(np.full((24, 94, 3), 255, np.uint8))
    assert given.tensor.min() == 1


def test_numbers_are_between_minus_1_and_1() -> None:
    picture = np.array([[[0, 51, 255]]], np.uint8)
    assert preprocess.normalised(picture).ravel() == pytest.approx([-1, -0.6, 1], abs=1e-6)


def test_a_line_keeps_its_proportions_and_is_padded_with_grey() -> None:
    line = np.full((24, 100, 3), 255, np.uint8)
    assert preprocess.line_width(line) == 200
    tensor = preprocess.line_input(line, 240)
    assert tensor.shape == (3, 48, 240)
    assert tensor[:, :, :200].min() == 1
    assert not tensor[:, :, 200:].any()


def test_the_width_of_a_line_is_bounded() -> None:
    assert preprocess.line_width(np.zeros((10, 4000, 3), np.uint8)) == preprocess.MAX_LINE_WIDTH
    assert preprocess.scaled_width(np.zeros((1, 100, 3), np.uint8)) == 600
    assert preprocess.line_width(np.zeros((48, 1, 3), np.uint8)) == preprocess.MIN_LINE_WIDTH


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0)])
def test_transparency_lies_on_the_paper_that_its_ink_stands_out_from(ink: int, paper: int) -> None:
    image = Image.new("RGBA", (20, 20), (ink, ink, ink, 0))
    image.paste((ink, ink, ink, 255), (5, 5, 10, 10))
    picture = preprocess.picture_of(image)
    assert (picture[0, 0] == paper).all()
    assert (picture[7, 7] == ink).all()


def test_colours_are_blue_green_red() -> None:
    assert preprocess.picture_of(Image.new("RGB", (1, 1), (1, 2, 3)))[0, 0].tolist() == [3, 2, 1]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "CMYK", "YCbCr", "I;16", "I", "F", "HSV", "LAB"])
def test_every_mode_of_pillow_becomes_bgr(mode: str) -> None:
    picture = preprocess.picture_of(Image.new(mode, (4, 3)))
    assert picture.shape == (3, 4, 3)
    assert picture.dtype == np.uint8


def test_16_bits_are_scaled_and_not_cut_off() -> None:
    levels = np.array([[0, 32768, 65535]], np.uint16)
    assert preprocess.picture_of(Image.fromarray(levels))[0, :, 0].tolist() == [0, 127, 255]

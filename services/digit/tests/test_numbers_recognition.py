"""Which marks are cut, and what is shown to the model."""

from collections.abc import Callable

import numpy as np
import pytest
from digit.numbers.lines import lines_of
from digit.numbers.recognition import Recognised, TooManyPiecesError, recognised
from digit.postprocess import Outputs
from digit.preprocess import find_ink
from PIL import Image, ImageDraw, ImageOps
from train.strokes import generator
from train.written_numbers import Style, drawn, write


class Model:
    """Says the same of every picture, and keeps what it was shown."""

    def __init__(self, confidence: float) -> None:
        self.confidence = confidence
        self.shown: list[np.ndarray] = []

    def __call__(self, pixels: np.ndarray) -> Outputs:
        self.shown.append(pixels)
        probabilities = np.full((len(pixels), 10), (1 - self.confidence) / 9)
        probabilities[:, 0] = self.confidence
        return Outputs(probabilities, np.ones(len(pixels)))


@pytest.fixture
def rings() -> Callable[[Model, int], Recognised]:
    def recognise(model: Model, apart: int) -> Recognised:
        picture = Image.new("L", (400, 120), 255)
        for i in range(3):
            left = 20 + i * (50 + apart)
            ImageDraw.Draw(picture).ellipse((left, 30, left + 49, 93), outline=0, width=6)
        ink = find_ink(picture)
        return recognised(ink.grey, lines_of(ink)[0], model, max_digits=5)

    return recognise


def test_a_mark_that_is_surely_a_digit_is_not_cut(rings: Callable[[Model, int], Recognised]) -> None:
    assert len(rings(Model(0.99), 30).lattice.pieces) == 3
    assert len(rings(Model(0.6), 30).lattice.pieces) > 3


def test_a_mark_that_is_too_wide_for_a_digit_is_cut_whatever_it_is_taken_for(
    rings: Callable[[Model, int], Recognised],
) -> None:
    assert len(rings(Model(0.99), -3).lattice.pieces) > 3


def test_the_model_sees_pictures_like_those_it_was_trained_on(rings: Callable[[Model, int], Recognised]) -> None:
    model = Model(0.6)
    rings(model, 30)
    assert len(model.shown) == 2
    for pixels in model.shown:
        assert pixels.shape[1:] == (28, 28)
        assert pixels.dtype == np.float32
        assert pixels.max() <= 1


def test_what_is_not_shown_to_the_model_is_no_digit(rings: Callable[[Model, int], Recognised]) -> None:
    found = rings(Model(0.6), -3)
    hidden = ~found.lattice.plausible
    assert hidden.any()
    assert (found.digitness[hidden] == 0).all()
    assert (found.digitness[~hidden] == 1).all()


def test_refuses_a_line_with_more_parts_than_its_digits_can_have() -> None:
    picture = ImageOps.invert(write(generator(1, "train"), "12345" * 4, drawn("train"), Style(tall_px=(30, 31))))
    ink = find_ink(picture, bound=1024)
    with pytest.raises(TooManyPiecesError, match=r"has \d+ parts"):
        recognised(ink.grey, lines_of(ink)[0], Model(0.99), max_digits=1)

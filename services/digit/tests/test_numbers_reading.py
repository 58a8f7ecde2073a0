"""Whole numbers, with the shipped networks."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from digit.model import Models
from digit.numbers import reading
from digit.numbers.reading import BlankError, NoDigitsError, Number, SeveralError, TooLongError
from digit.postprocess import Outputs
from digit.settings import SHIPPED, Settings
from PIL import Image, ImageDraw, ImageOps
from train.number_strings import KINDS, samples
from train.strokes import draw as draw_strokes
from train.strokes import generator, letter
from train.written_numbers import Style, drawn, write

Read = Callable[..., Number]


@pytest.fixture(scope="module")
def read() -> Read:
    """Reads with the default model: `read(picture, max_digits=32)`."""
    name = Settings().model
    models = Models(SHIPPED, name)
    return lambda picture, max_digits=32: reading.read(picture, lambda x: models.predict(name, x), max_digits)


def written(text: str, seed: int = 1, **style: tuple[float, float]) -> Image.Image:
    return ImageOps.invert(write(generator(seed, "train"), text, drawn("train"), Style(**style)))


@pytest.mark.parametrize("kind", list(KINDS))
def test_reads_numbers_of_every_kind(read: Read, kind: str) -> None:
    wrong = []
    for sample in samples(3, 6, [kind], drawn("train")):
        got = read(Image.open(io.BytesIO(sample.data))).text
        if got != sample.text:
            wrong.append((sample.text, got))
    most_wrong = 3 if kind == "chained" else 1  # every digit joined to the next: the hardest there is
    assert len(wrong) <= most_wrong, wrong


@pytest.mark.parametrize("slant_deg", [(-20, -19), (0, 1), (20, 21)])
@pytest.mark.parametrize("tall_px", [(40, 41), (300, 301)])
def test_boxes_are_where_the_digits_stand(
    read: Read, slant_deg: tuple[float, float], tall_px: tuple[float, float]
) -> None:
    picture = written("2026", slant_deg=slant_deg, tall_px=tall_px, gap=(0.2, 0.3))
    number = read(picture)
    assert number.text == "2026"
    ink = np.asarray(picture) < 128
    found = np.zeros_like(ink)
    for digit in number.digits:
        x, y, width, height = digit.box
        found[max(0, y) : y + height, max(0, x) : x + width] = True
        assert ink[y : y + height, x : x + width].any()
    assert (ink & ~found).sum() < 0.02 * ink.sum()
    lefts = [digit.box[0] for digit in number.digits]
    assert lefts == sorted(lefts)


def test_every_digit_has_its_confidence_and_probabilities(read: Read) -> None:
    for digit in read(written("4711")).digits:
        assert 0.5 < digit.confidence <= 1
        assert sum(digit.probabilities) == pytest.approx(1)
        assert max(digit.probabilities) == digit.probabilities[digit.prediction]
        assert digit.digitness > 0.5


def test_one_digit_is_a_number(read: Read) -> None:
    assert read(written("8")).text == "8"


@pytest.mark.parametrize("marked", ["-27", "3.14", "12,50", "9-8"])
def test_points_commas_and_signs_are_left_out_and_told(read: Read, marked: str) -> None:
    number = read(written(marked, seed=4, gap=(0.15, 0.3)))
    assert number.text == "".join(filter(str.isdigit, marked))
    assert len(number.left_out) == 1


def test_a_box_around_the_number_and_an_underline_are_no_digits(read: Read) -> None:
    picture = written("365", tall_px=(80, 81))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((6, 6, picture.width - 7, picture.height - 7), outline=0, width=3)
    pen.line((30, picture.height - 22, picture.width - 30, picture.height - 24), fill=0, width=4)
    assert read(picture).text == "365"


def test_a_blank_picture_is_refused() -> None:
    with pytest.raises(BlankError, match="no ink was found"):
        reading.read(Image.new("RGB", (300, 100), (250, 250, 250)), _never, 32)


def _never(pixels: np.ndarray) -> Outputs:
    raise AssertionError("there is nothing to recognise")


def test_a_page_without_digits_is_refused_and_says_what_was_seen(read: Read) -> None:
    picture = Image.new("L", (300, 120), 255)
    ImageDraw.Draw(picture).line((40, 60, 130, 62), fill=0, width=8)
    with pytest.raises(NoDigitsError, match="only bars or frames were seen"):
        read(picture)
    with pytest.raises(NoDigitsError, match="the one mark that was seen is none"):
        read(written("-"))


def test_a_number_as_long_as_the_limit_is_read(read: Read) -> None:
    text = "68288770108338293587439868102046"
    assert len(text) == 32
    assert read(written(text, seed=7)).text == text


def test_letters_are_refused_or_told_to_be_no_digits(read: Read) -> None:
    rng = generator(5, "train")
    known = 0
    for _ in range(30):
        try:
            digits = read(draw_strokes(letter(rng, "train"), (200, 200), width_px=14)).digits
        except NoDigitsError:
            known += 1
        else:
            known += min(digit.digitness for digit in digits) < 0.5
    assert known >= 20  # the others can be cut into what looks like digits


def test_two_lines_of_numbers_are_refused(read: Read) -> None:
    first, second = written("123", tall_px=(60, 61)), written("456", seed=2, tall_px=(60, 61))
    page = Image.new("L", (max(first.width, second.width), first.height + second.height), 255)
    page.paste(first, (0, 0))
    page.paste(second, (0, first.height))
    with pytest.raises(SeveralError, match="more than one line"):
        read(page)


def test_a_small_note_beside_the_number_does_not_count(read: Read) -> None:
    first, note = written("123", tall_px=(90, 91)), written("77", seed=2, tall_px=(30, 31))
    page = Image.new("L", (first.width, first.height + note.height), 255)
    page.paste(first, (0, 0))
    page.paste(note, (0, first.height))
    assert read(page).text == "123"


def test_a_number_with_more_digits_than_allowed_is_refused(read: Read) -> None:
    with pytest.raises(TooLongError, match="the number has 5 digits, the limit is 4"):
        read(written("12345"), max_digits=4)


def test_writing_with_far_too_many_parts_is_refused(read: Read) -> None:
    with pytest.raises(TooLongError, match="parts"):
        read(written("12345" * 4, tall_px=(30, 31)), max_digits=1)

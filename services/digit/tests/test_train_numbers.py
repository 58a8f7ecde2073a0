"""Numbers that are written here, how they are read, and what is learned from them."""

import io
from pathlib import Path

import numpy as np
import pytest
from digit.imaging.components import components
from digit.model import Models
from digit.numbers import scores
from digit.numbers.judge import SIDE
from digit.numbers.lines import lines_of
from digit.numbers.recognition import recognised
from digit.preprocess import find_ink
from digit.settings import SHIPPED, Settings
from PIL import Image, ImageOps
from train import number_cuts, number_strings, number_weights
from train.data import Digits
from train.number_strings import KINDS, Sample, Tally, samples
from train.number_weights import Example
from train.strokes import generator
from train.written_numbers import LETTER, MARKS, Style, drawn, pasted, write, write_apart


@pytest.fixture(scope="module")
def models() -> Models:
    return Models(SHIPPED, Settings().model)


def marks_of(text: str, **style: object) -> int:
    """Returns how many connected marks a written number has."""
    cover = np.asarray(write(generator(1, "train"), text, drawn("train"), Style(**style)))  # type: ignore[arg-type]
    return len(components(cover > 128))


def test_digits_stand_apart_unless_they_are_to_touch() -> None:
    assert marks_of("0123689") >= 7
    assert marks_of("01236898", touching=1.0, overlap_px=(3, 4)) <= 5
    assert marks_of("01236898", touching=1.0, overlap_px=(3, 4), chains=True) <= 3


def test_every_character_is_drawn_where_the_whole_has_it() -> None:
    hands = drawn("train")
    planes = write_apart(generator(2, "train"), "40", hands, Style())
    assert len(planes) == 2
    assert (planes.max(axis=0) == np.asarray(write(generator(2, "train"), "40", hands, Style()))).all()
    assert all((plane > 0).any() for plane in planes)


@pytest.mark.parametrize("mark", [*MARKS, LETTER])
def test_marks_and_letters_can_be_written(mark: str) -> None:
    one, other = write_apart(generator(1, "train"), f"8{mark}", drawn("train"), Style(vary=0, tall_px=(80, 81)))
    height = np.ptp(np.nonzero(other)[0]) / np.ptp(np.nonzero(one)[0])
    assert height < (0.5 if mark in MARKS else 1.1)


def test_pictures_of_digits_can_be_pasted_instead() -> None:
    pixels = np.zeros((2, 28, 28), np.uint8)
    pixels[0, 4:24, 12:16] = 255
    pixels[1, 4:24, 6:22] = 255
    style = Style(tall_px=(60, 61), vary=0.0)
    one, other = write_apart(generator(1, "train"), "10", pasted(Digits(pixels, np.array([1, 0]))), style)
    widths = [np.ptp(np.nonzero(plane.max(axis=0) > 128)[0]) + 1 for plane in (one, other)]
    assert widths == [pytest.approx(12, abs=2), pytest.approx(48, abs=3)]


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_sample_depends_on_seed_kind_and_number_alone(kind: str) -> None:
    some = list(samples(7, 3, [kind], drawn("train")))
    assert [len(sample.text) for sample in some] == [1, 2, 3]
    assert some[2] == list(samples(7, 3, list(KINDS), drawn("train")))[3 * list(KINDS).index(kind) + 2]
    for sample in some:
        assert Image.open(io.BytesIO(sample.data)).format == {".png": "PNG", ".jpg": "JPEG"}[sample.suffix]


def test_the_table_counts_what_is_read_rightly(models: Models) -> None:
    right = next(samples(3, 1, ["plain"], drawn("train")))
    blank = io.BytesIO()
    Image.new("L", (60, 40), 255).save(blank, "PNG")
    wrong = Sample("plain", "5", blank.getvalue())
    tally = number_strings.evaluate(models, Settings().model, [right, wrong])
    assert (tally.right, tally.total, tally.wrong) == (1, 2, ["5 as nothing"])
    assert number_strings.report("plain", tally).startswith("| plain | 1 of 2 |")


def test_writes_the_pictures_into_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["number_strings", "--out", str(tmp_path), "--count", "2"])
    assert number_strings.main() == 0
    assert {folder.name for folder in tmp_path.iterdir()} == set(KINDS)
    assert len(list(tmp_path.glob("*/*"))) == 2 * len(KINDS)


def _example(seed: int) -> Example:
    rng = np.random.default_rng(seed)
    spans = [(first, last) for first in range(4) for last in range(first + 1, min(first + 2, 4) + 1)]
    m = len(spans)
    return Example(
        n=4,
        first=np.array([first for first, _ in spans]),
        last=np.array([last for _, last in spans]),
        read=rng.normal(0, 1, (m, len(scores.READ))),
        left_out=rng.normal(0, 1, (m, len(scores.LEFT_OUT))),
        plausible=np.arange(m) > 0,
        likeliest=np.arange(m) % 2,
        wanted=np.array([1, 0]),
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_is_the_slope_of_the_likelihood(seed: int) -> None:
    example, rng = _example(seed), np.random.default_rng(100 + seed)
    read, left_out = rng.normal(0, 0.3, len(scores.READ)), rng.normal(0, 0.3, len(scores.LEFT_OUT))
    found = number_weights.gradient(example, read, left_out)
    assert found
    step = 1e-5
    for index in range(len(read)):
        more = number_weights.gradient(example, read + step * (np.arange(len(read)) == index), left_out)
        assert more
        assert (more[0] - found[0]) / step == pytest.approx(found[1][index], abs=1e-3)
    for index in range(len(left_out)):
        more = number_weights.gradient(example, read, left_out + step * (np.arange(len(left_out)) == index))
        assert more
        assert (more[0] - found[0]) / step == pytest.approx(found[2][index], abs=1e-3)


def test_a_number_that_no_path_spells_teaches_nothing() -> None:
    example = _example(0)
    example.likeliest[:] = 5
    assert number_weights.gradient(example, np.zeros(len(scores.READ)), np.zeros(len(scores.LEFT_OUT))) is None


def test_learning_raises_the_likelihood() -> None:
    learned = [_example(seed) for seed in range(4)]

    def likelihood(read: np.ndarray, left_out: np.ndarray) -> float:
        found = [number_weights.gradient(example, read, left_out) for example in learned]
        return float(np.mean([one[0] for one in found if one]))

    before = likelihood(np.array([*scores.READ.values()]), np.array([*scores.LEFT_OUT.values()]))
    assert likelihood(*number_weights.fit(learned, 20, lambda _: None)) > before + 0.5


def test_candidates_are_held_against_what_the_digits_cover(models: Models) -> None:
    style = Style(touching=1.0, overlap_px=(2, 3), tall_px=(80, 81))
    covers = write_apart(generator(3, "train"), "38", drawn("train"), style)
    ink = find_ink(ImageOps.invert(Image.fromarray(covers.max(axis=0))), bound=1024)
    found = recognised(ink.grey, lines_of(ink)[0], lambda pixels: models.predict(Settings().model, pixels), 32)
    overlap = number_cuts.overlaps(found, covers, ink.scale)
    assert overlap.shape == (len(found.lattice), 2)
    assert (overlap.max(axis=0) > 0.7).all()
    assert overlap.max() <= 1
    best = overlap.argmax(axis=0)
    assert found.lattice.last[best[0]] <= found.lattice.first[best[1]] + 1


def test_gathers_windows_with_few_that_are_right(models: Models) -> None:
    made = number_cuts.gather(1, 4, drawn("train"), lambda pixels: models.predict(Settings().model, pixels))
    assert made.windows.shape[1:] == (SIDE, SIDE, 2)
    assert made.windows.dtype == np.uint8
    assert len(made.right) == len(made.windows)
    assert 0 < (made.right == 1).mean() < 0.5


def test_a_tally_names_what_was_read_instead() -> None:
    tally = Tally()
    tally.add("12", "17", 0.02)
    tally.add("12", "12", 0.02)
    assert (tally.right, tally.total, tally.wrong) == (1, 2, ["12 as 17"])

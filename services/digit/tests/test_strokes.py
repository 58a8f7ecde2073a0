"""Strokes are drawn from templates that the two splits do not share."""

import numpy as np
import pytest
from train.strokes import Split, cover, digit, draw, fitted, generator, letter, pressures, scribble
from train.strokes.digits import EVALUATION, TRAIN
from train.strokes.letters import LETTERS_EVALUATION, LETTERS_TRAIN, SIGNS_EVALUATION, SIGNS_TRAIN


def test_no_template_is_in_both_splits() -> None:
    for label in range(10):
        assert not set(TRAIN[label]) & set(EVALUATION[label])
        assert len(set(TRAIN[label])) >= 7
        assert len(set(EVALUATION[label])) >= 3
    for name, templates in LETTERS_EVALUATION.items():
        assert not set(templates) & set(LETTERS_TRAIN[name])
    assert not set(SIGNS_TRAIN) & set(SIGNS_EVALUATION)


def test_letters_that_look_like_digits_are_left_out() -> None:
    assert not set("OoIlZzSsBbgq") & (set(LETTERS_TRAIN) | set(LETTERS_EVALUATION))


@pytest.mark.parametrize("split", ["train", "evaluation"])
def test_everything_fills_the_unit_box(split: Split) -> None:
    rng = generator(3, split)
    written = [digit(rng, i % 10, split) for i in range(40)]
    written += [letter(rng, split) for _ in range(40)]
    for strokes in written:
        points = np.concatenate(strokes)
        assert points.min() >= -1e-9
        assert points.max() <= 1 + 1e-9
        assert np.ptp(points, axis=0).max() == pytest.approx(1)


@pytest.mark.parametrize("split", ["train", "evaluation"])
def test_no_scribble_is_slim_enough_to_be_a_one(split: Split) -> None:
    rng = generator(4, split)
    for _ in range(60):
        assert np.ptp(np.concatenate(scribble(rng, split))[:, 0]) > 0.35


def test_a_seed_writes_the_same_twice_and_another_split_differently() -> None:
    once, twice = digit(generator(5, "train"), 8, "train"), digit(generator(5, "train"), 8, "train")
    assert all(np.array_equal(one, two) for one, two in zip(once, twice, strict=True))
    assert generator(5, "train").random() != generator(5, "evaluation").random()


def test_fitting_keeps_the_proportions() -> None:
    (line,) = fitted([np.array([[10.0, 10.0], [30.0, 50.0]])])
    assert line.tolist() == [[0.25, 0.0], [0.75, 1.0]]


def test_the_pen_is_as_wide_as_asked_and_stays_in_its_box() -> None:
    line = [np.array([[0.5, 0.0], [0.5, 1.0]])]
    ink = np.asarray(cover(line, (100, 100), width_px=10, box=(20, 20, 60, 60))) / 255
    assert ink[50].sum() == pytest.approx(10, abs=1)
    rows, columns = np.nonzero(ink > 0.5)
    assert columns.min() >= 45
    assert columns.max() <= 55
    assert rows.min() >= 14
    assert rows.max() <= 86


def test_without_paper_the_picture_is_transparent() -> None:
    line = [np.array([[0.0, 0.5], [1.0, 0.5]])]
    planes = np.asarray(draw(line, (50, 50), width_px=6, ink=(200, 10, 30), paper=None))
    assert planes[0, 0, 3] == 0
    assert planes[25, 25].tolist() == [200, 10, 30, 255]


def test_pressure_varies_the_width() -> None:
    line = [np.stack((np.full(60, 0.5), np.linspace(0, 1, 60)), axis=1)]
    ink = np.asarray(cover(line, (200, 200), width_px=20, pressure=pressures(generator(2, "train"), line, 0.4)))
    widths = (ink[40:160] > 127).sum(axis=1)
    assert widths.max() - widths.min() >= 3

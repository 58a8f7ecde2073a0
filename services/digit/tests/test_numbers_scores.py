"""What speaks for a candidate and what against it."""

from collections.abc import Callable

import numpy as np
import pytest
from digit.numbers.lattice import lattice_of
from digit.numbers.pieces import Pieces
from digit.numbers.recognition import Recognised
from digit.numbers.scores import LEFT_OUT, READ, left_out_features, read_features, scores


def recognised(pieces: Pieces, confidence: float, digitness: float, whole: float) -> Recognised:
    """Returns the lattice of pieces, all of whose candidates look like a one to the model, and whole to the judge."""
    lattice = lattice_of(pieces)
    probabilities = np.full((len(lattice), 10), (1 - confidence) / 9)
    probabilities[:, 1] = confidence
    every = np.ones(len(lattice))
    line = None  # the scores do not look at it
    return Recognised(line, lattice, probabilities, digitness * every, whole * every)  # type: ignore[arg-type]


@pytest.fixture
def stroke(pieces_of: Callable[..., Pieces]) -> Pieces:
    return pieces_of((0, 10, 12, 70))


def test_a_clear_digit_is_rather_read_than_left_out(stroke: Pieces) -> None:
    read, left_out = scores(recognised(stroke, 0.999, 0.99, 4))
    assert read[0] > left_out[0] + 3


@pytest.mark.parametrize(("confidence", "digitness", "whole"), [(0.5, 0.99, 4), (0.999, 0.05, 4), (0.999, 0.99, -4)])
def test_every_doubt_lowers_the_score(stroke: Pieces, confidence: float, digitness: float, whole: float) -> None:
    clear, _ = scores(recognised(stroke, 0.999, 0.99, 4))
    doubtful, _ = scores(recognised(stroke, confidence, digitness, whole))
    assert doubtful[0] < clear[0]


def test_what_is_not_plausible_is_never_read(pieces_of: Callable[..., Pieces]) -> None:
    read, left_out = scores(recognised(pieces_of((0, 60, 8, 68)), 1.0, 1.0, 8))
    assert read[0] == -np.inf
    assert left_out[0] > -np.inf


def test_a_small_mark_is_more_easily_left_out_than_a_tall_one(pieces_of: Callable[..., Pieces]) -> None:
    _, left_out = scores(recognised(pieces_of((0, 62, 8, 70), (100, 10, 140, 70)), 0.5, 0.5, 0))
    assert left_out[0] > left_out[1]


def test_there_is_a_column_for_every_weight(pieces_of: Callable[..., Pieces]) -> None:
    found = recognised(pieces_of((0, 10, 40, 22), (0, 24, 12, 70)), 1.0, 0.0, 0)
    assert read_features(found).shape == (len(found.lattice), len(READ))
    assert left_out_features(found).shape == (len(found.lattice), len(LEFT_OUT))
    assert np.isfinite(read_features(found)).all()

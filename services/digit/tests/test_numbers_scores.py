"""What speaks for a candidate and what against it."""

from collections.abc import Callable

import numpy as np
from digit.numbers.lattice import lattice_of
from digit.numbers.pieces import Pieces
from digit.numbers.scores import LEFT_OUT, READ, left_out_features, read_features, scores

Make = Callable[..., Pieces]


def _scores(pieces_of: Make, confidence: float, digitness: float) -> tuple[float, float]:
    lattice = lattice_of(pieces_of((0, 10, 12, 70)))
    probabilities = np.full((1, 10), (1 - confidence) / 9)
    probabilities[0, 1] = confidence
    read, left_out = scores(lattice, probabilities, np.array([digitness]))
    return float(read[0]), float(left_out[0])


def test_a_clear_digit_is_rather_read_than_left_out(pieces_of: Make) -> None:
    read, left_out = _scores(pieces_of, 0.999, 0.99)
    assert read > left_out + 3


def test_doubt_about_the_class_or_about_its_being_a_digit_lowers_the_score(pieces_of: Make) -> None:
    clear, _ = _scores(pieces_of, 0.999, 0.99)
    assert _scores(pieces_of, 0.5, 0.99)[0] < clear
    assert _scores(pieces_of, 0.999, 0.05)[0] < clear


def test_what_is_not_plausible_is_never_read(pieces_of: Make) -> None:
    lattice = lattice_of(pieces_of((0, 60, 8, 68)))
    read, left_out = scores(lattice, np.full((1, 10), 0.1), np.array([1.0]))
    assert read[0] == -np.inf
    assert left_out[0] > -np.inf


def test_a_small_mark_is_more_easily_left_out_than_a_tall_one(pieces_of: Make) -> None:
    _, left_out = scores(
        lattice_of(pieces_of((0, 62, 8, 70), (100, 10, 140, 70))), np.full((2, 10), 0.1), np.array([0.5, 0.5])
    )
    assert left_out[0] > left_out[1]


def test_there_is_a_column_for_every_weight(pieces_of: Make) -> None:
    lattice = lattice_of(pieces_of((0, 10, 40, 22), (0, 24, 12, 70)))
    probabilities, digitness = np.full((len(lattice), 10), 0.1), np.full(len(lattice), 0.5)
    assert read_features(lattice, probabilities, digitness).shape == (len(lattice), len(READ))
    assert left_out_features(lattice).shape == (len(lattice), len(LEFT_OUT))
    assert np.isfinite(read_features(lattice, probabilities, digitness)).all()

"""Candidates: neighbouring pieces taken as one digit."""

from collections.abc import Callable

import numpy as np
import pytest
from digit.imaging.frame import SIDE
from digit.numbers.lattice import MOST_PIECES, frames, lattice_of
from digit.numbers.pieces import Pieces

Make = Callable[..., Pieces]


def spans(pieces: Pieces) -> list[tuple[int, int]]:
    lattice = lattice_of(pieces)
    return list(zip(lattice.first.tolist(), lattice.last.tolist(), strict=True))


def test_neighbours_are_joined_in_every_way_and_those_that_are_far_apart_are_not(pieces_of: Make) -> None:
    near = pieces_of((0, 10, 10, 70), (15, 10, 25, 70), (100, 10, 110, 70))
    assert spans(near) == [(0, 1), (0, 2), (1, 2), (2, 3)]


def test_a_candidate_is_no_wider_than_a_digit_unless_it_is_one_piece(pieces_of: Make) -> None:
    assert spans(pieces_of((0, 10, 60, 70), (62, 10, 122, 70))) == [(0, 1), (1, 2)]
    assert spans(pieces_of((0, 10, 200, 70))) == [(0, 1)]


def test_a_candidate_has_a_bounded_number_of_pieces(pieces_of: Make) -> None:
    many = pieces_of(*[(3 * i, 10, 3 * i + 3, 70) for i in range(20)])
    assert max(last - first for first, last in spans(many)) == MOST_PIECES


def test_a_candidate_knows_its_box_shape_and_ink(pieces_of: Make) -> None:
    lattice = lattice_of(pieces_of((0, 10, 6, 70), (16, 40, 36, 70)))
    whole = spans(lattice.pieces).index((0, 2))
    assert lattice.boxes[whole].tolist() == [0, 10, 36, 70]
    assert lattice.tall[whole] == pytest.approx(1)
    assert lattice.wide[whole] == pytest.approx(0.6)
    assert lattice.gap[whole] == pytest.approx(10 / 60)
    assert lattice.ink[whole] == pytest.approx((6 * 60 + 20 * 30) / (60 * 6))


def test_a_candidate_knows_the_seams_that_part_it_from_its_neighbours(pieces_of: Make) -> None:
    lattice = lattice_of(pieces_of((0, 10, 20, 70), (20, 10, 40, 70), (40, 10, 60, 70), joints=((0, 1), (1, 2))))
    cuts = dict(zip(spans(lattice.pieces), lattice.cuts.tolist(), strict=True))
    assert cuts == {(0, 1): 1, (0, 2): 1, (0, 3): 0, (1, 2): 2, (1, 3): 1, (2, 3): 1}
    assert lattice.crossed.tolist() == pytest.approx((1.5 * lattice.cuts).tolist())


def test_a_point_and_a_wide_blot_are_not_worth_recognising(pieces_of: Make) -> None:
    lattice = lattice_of(pieces_of((0, 60, 8, 68), (100, 10, 112, 70), (150, 10, 290, 70)))
    assert lattice.plausible.tolist() == [False, True, False]


def test_frames_show_the_ink_of_the_candidate_alone(pieces_of: Make) -> None:
    lattice = lattice_of(pieces_of((0, 10, 10, 70), (12, 10, 40, 70)))
    single, both, other = frames(lattice, np.arange(3))
    assert single.shape == (SIDE, SIDE)
    columns = [int((pixels.max(axis=0) > 0.5).sum()) for pixels in (single, both, other)]
    assert columns[0] < columns[2] < columns[1]

"""The best path through a lattice, held against trying every path."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from digit.numbers.lattice import Lattice, lattice_of
from digit.numbers.path import best_path
from digit.numbers.pieces import Pieces

Step = tuple[int, bool]  # candidate, and whether it is read


@pytest.fixture
def lattice(pieces_of: Callable[..., Pieces]) -> Lattice:
    return lattice_of(pieces_of(*[(20 * i, 10, 20 * i + 20, 70) for i in range(5)]))


def paths(lattice: Lattice, piece: int = 0) -> Iterator[list[Step]]:
    """Yields every way to go from a piece to the end."""
    if piece == len(lattice.pieces):
        yield []
    for index in np.flatnonzero(lattice.first == piece).tolist():
        for rest in paths(lattice, int(lattice.last[index])):
            yield [(index, True), *rest]
            yield [(index, False), *rest]


@pytest.mark.parametrize("seed", range(5))
def test_finds_what_trying_every_path_finds(lattice: Lattice, seed: int) -> None:
    rng = np.random.default_rng(seed)
    read, left_out = rng.normal(0, 2, (2, len(lattice)))

    def score(path: list[Step]) -> float:
        return float(sum(read[index] if kept else left_out[index] for index, kept in path))

    every = list(paths(lattice))
    best = max(every, key=score)
    found = best_path(lattice, read, left_out)
    assert found.read == [index for index, kept in best if kept]
    assert found.left_out == [index for index, kept in best if not kept]
    weights = np.exp([score(path) for path in every])
    for index in range(len(lattice)):
        share = (
            sum(weight for path, weight in zip(every, weights, strict=True) if (index, True) in path) / weights.sum()
        )
        assert found.sureness[index] == pytest.approx(share)


def test_what_cannot_be_a_digit_is_left_out(lattice: Lattice) -> None:
    found = best_path(lattice, np.full(len(lattice), -np.inf), np.full(len(lattice), -1.0))
    assert found.read == []
    assert len(found.left_out) > 0
    assert found.sureness.max() == 0

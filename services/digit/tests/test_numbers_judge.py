"""The network that says whether a candidate is cut rightly."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from digit.numbers.judge import LEAST, SIDE, TALL, Judge, judge, windows
from digit.numbers.lattice import lattice_of
from digit.numbers.pieces import Pieces


def naive(arrays: dict[str, np.ndarray], window: np.ndarray) -> float:
    """Runs the network on one window (SIDE, SIDE, 2) by its definition."""
    plane = window
    for layer in range(3):
        kernel, bias = arrays[f"convolution{layer}"], arrays[f"convolution{layer}_bias"]
        channels = plane.shape[2]
        kernel = kernel.reshape(channels, 3, 3, -1)
        padded = np.pad(plane, ((1, 1), (1, 1), (0, 0)))
        side = -(-plane.shape[0] // 2)
        made = np.zeros((side, side, len(bias)))
        for row in range(side):
            for column in range(side):
                under = padded[2 * row : 2 * row + 3, 2 * column : 2 * column + 3]  # (3, 3, c)
                made[row, column] = np.einsum("yxc,cyxo->o", under, kernel) + bias
        plane = np.maximum(made, 0)
    hidden = np.maximum(plane.reshape(-1) @ arrays["hidden"] + arrays["hidden_bias"], 0)
    return float((hidden @ arrays["out"] + arrays["out_bias"])[0])


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    channels = (2, 3, 4, 5)
    made = {}
    for layer, (before, after) in enumerate(pairwise(channels)):
        made[f"convolution{layer}"] = rng.normal(0, 0.3, (9 * before, after))
        made[f"convolution{layer}_bias"] = rng.normal(0, 0.3, after)
    for name, shape in (("hidden", (4 * 4 * 5, 6)), ("out", (6, 1))):
        made[name], made[f"{name}_bias"] = rng.normal(0, 0.3, shape), rng.normal(0, 0.3, shape[1])
    return made


def test_runs_convolutions_and_dense_layers(arrays: dict[str, np.ndarray]) -> None:
    shown = np.random.default_rng(2).random((3, SIDE, SIDE, 2), np.float32)
    wanted = [naive(arrays, window) for window in shown]
    assert Judge(arrays)(shown) == pytest.approx(np.clip(wanted, LEAST, -LEAST), abs=1e-4)


def test_a_window_shows_the_candidate_and_apart_from_it_what_is_around(pieces_of: Callable[..., Pieces]) -> None:
    lattice = lattice_of(pieces_of((0, 10, 12, 70), (20, 10, 32, 70), (200, 10, 212, 70)))
    chosen = np.flatnonzero((lattice.first == 0) & (lattice.last == 1))
    (window,) = windows(lattice, chosen)
    own, around = window[..., 0], window[..., 1]
    assert own.sum() == pytest.approx(12 * 60 * (TALL / 60) ** 2, rel=0.1)
    assert around.sum() == pytest.approx(own.sum(), rel=0.1)  # the second piece, and not the third
    columns = np.arange(SIDE)
    assert columns @ own.sum(axis=0) / own.sum() == pytest.approx(SIDE / 2, abs=1)
    assert columns @ around.sum(axis=0) / around.sum() > SIDE / 2 + 4


def test_the_shipped_network_tells_a_whole_digit_from_its_half(pieces_of: Callable[..., Pieces]) -> None:
    rows, columns = np.mgrid[0:80, 0:300]
    ring = np.abs(np.hypot((columns - 100) / 22, (rows - 40) / 30) - 0.9) < 0.12
    pieces = pieces_of((78, 10, 100, 70), (100, 10, 122, 70))
    pieces.label[~ring] = -1
    lattice = lattice_of(pieces)
    logits = judge()(windows(lattice, np.arange(len(lattice))))
    said = dict(zip(zip(lattice.first.tolist(), lattice.last.tolist(), strict=True), logits.tolist(), strict=True))
    assert said[0, 2] > 0
    assert said[0, 1] < 0
    assert said[1, 2] < 0

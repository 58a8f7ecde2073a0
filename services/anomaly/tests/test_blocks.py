import numpy as np
import pytest
from anomaly.detector import blocks
from numpy.typing import NDArray

Array = NDArray[np.float64]


def wandering(n: int, memory: float, seed: int = 0) -> Array:
    """A first-order autoregressive series, whose autocorrelation time is (1 + memory) / (1 - memory)."""
    steps = np.random.default_rng(seed).standard_normal(n)
    series = np.empty(n)
    value = 0.0
    for i, step in enumerate(steps):
        value = memory * value + step
        series[i] = value
    return series


@pytest.mark.parametrize(("memory", "expected"), [(0.0, 1.0), (0.5, 3.0), (0.9, 19.0)])
def test_the_autocorrelation_time_is_that_of_the_process(memory: float, expected: float) -> None:
    assert blocks.autocorrelation_time(wandering(50_000, memory)) == pytest.approx(expected, rel=0.2)


def test_equal_scores_and_few_scores_do_no_harm() -> None:
    assert blocks.autocorrelation_time(np.ones(100)) == 1.0
    assert blocks.block_length(np.array([1.0]), 5) == 1
    assert blocks.block_length(np.arange(6.0), 1) <= 3


def test_a_block_is_never_shorter_than_the_window() -> None:
    assert blocks.block_length(np.random.default_rng(0).random(1000), 20) >= 20


def test_ranks_share_ties() -> None:
    assert blocks.ranks(np.array([3.0, 1.0, 3.0, 0.0])).tolist() == [2.5, 1.0, 2.5, 0.0]


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_the_promised_rate_holds_on_average_for_rows_to_come(memory: float) -> None:
    """Conformal risk control: over many calibrations of 400 rows, later rows alarm at most as often as promised."""
    rates = []
    for seed in range(150):
        series = np.exp(wandering(1400, memory, seed))
        block = blocks.block_length(series[:400], 1)
        threshold = blocks.controlled_threshold(series[:400], block, 0.1)
        if threshold is not None:
            rates.append(np.mean(series[600:] > threshold))
    assert len(rates) > 100
    assert 0.05 < float(np.mean(rates)) < 0.1 + 0.015


def test_too_few_blocks_promise_nothing() -> None:
    scores = np.random.default_rng(0).random(98)
    assert blocks.controlled_threshold(scores, 1, 0.01) is None
    assert blocks.controlled_threshold(np.append(scores, 2.0), 1, 0.01) == 2.0
    assert blocks.blocks_needed(0.01) == 99


def test_more_rows_allow_alarms_among_them() -> None:
    scores = np.arange(999.0)
    threshold = blocks.controlled_threshold(scores, 1, 0.01)
    assert threshold is not None
    assert np.sum(scores > threshold) == 9  # (9 + 1) / (999 + 1) is 1 %


def test_the_extremal_index_is_one_over_the_length_of_bursts() -> None:
    alone = np.zeros(10_000)
    alone[np.random.default_rng(0).choice(10_000, 100, replace=False)] = 1
    assert blocks.extremal_index(alone, 0.5) > 0.8
    bursts = np.zeros(10_000)
    for start in np.random.default_rng(0).choice(9_000, 50, replace=False):
        bursts[start : start + 5] = 1
    assert blocks.extremal_index(bursts, 0.5) == pytest.approx(0.2, abs=0.07)
    assert blocks.extremal_index(np.zeros(10), 0.5) == 1.0


def test_halves_differ_only_where_they_do() -> None:
    same = np.random.default_rng(0).random(400)
    assert blocks.halves_differ(same) > 0.01
    assert blocks.halves_differ(same + np.linspace(0, 1, 400)) < 1e-4
    assert blocks.halves_differ(np.repeat(same[:10], 40)) > 0.01
    assert blocks.halves_differ(same[:5]) == 1.0


def test_the_rank_sum_test_gives_the_textbook_value() -> None:
    # U = 7, its mean 12.5, its variance 25 / 12 * 11: z = -1.149
    assert blocks.mann_whitney(np.array([1.0, 2, 3, 4, 9]), np.array([5.0, 6, 7, 8, 2.5])) == pytest.approx(
        0.2506, abs=1e-3
    )
    assert blocks.mann_whitney(np.ones(5), np.ones(5)) == 1.0

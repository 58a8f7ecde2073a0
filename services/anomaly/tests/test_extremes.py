import math

import numpy as np
import pytest
from anomaly.detector import extremes


@pytest.mark.parametrize("rate", [1e-2, 1e-3, 1e-4])
def test_reaches_rates_that_the_rows_are_too_few_to_count(rate: float) -> None:
    """An exponential tail: the score of rate r is -ln r."""
    tail = extremes.fit(np.random.default_rng(0).exponential(size=5000))
    assert tail is not None
    assert tail.quantile(rate) == pytest.approx(-math.log(rate), rel=0.15)
    assert tail.exceedance(tail.quantile(rate)) == pytest.approx(rate)


@pytest.mark.parametrize("shape", [-0.3, 0.3])
def test_finds_the_shape_of_a_pareto_tail(shape: float) -> None:
    uniform = np.random.default_rng(0).random(10_000)
    tail = extremes.fit((uniform**-shape - 1) / shape)
    assert tail is not None
    assert tail.shape == pytest.approx(shape, abs=0.1)


def test_is_careful_where_few_bursts_were_seen() -> None:
    generator = np.random.default_rng(0)
    few = [extremes.fit(generator.exponential(size=100)) for _ in range(200)]
    exceeded = [math.exp(-tail.quantile(0.01)) for tail in few if tail]
    assert len(exceeded) > 190
    assert float(np.mean(exceeded)) < 0.013  # a plain fit of 10 excesses is exceeded 1.6 times as often as promised


def test_bursts_count_once() -> None:
    generator = np.random.default_rng(0)
    single = generator.exponential(size=1000)
    held = np.repeat(generator.exponential(size=200), 5)
    alone, bursts = extremes.fit(single), extremes.fit(held)
    assert alone is not None
    assert bursts is not None
    assert bursts.bursts < alone.bursts / 2


@pytest.mark.parametrize("scores", [np.zeros(0), np.zeros(15), np.ones(500), np.array([0.0] * 95 + [1.0] * 5)])
def test_no_tail_is_fitted_to_what_has_none(scores: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> None:
    assert extremes.fit(scores) is None


def test_a_bounded_tail_ends() -> None:
    tail = extremes.Tail(1.0, 0.1, -0.5, 1.0, 100, 100.0)
    assert tail.exceedance(10.0) == 0.0
    assert tail.quantile(1e-9) < 3.0


def test_a_shape_of_zero_is_exponential() -> None:
    tail = extremes.Tail(1.0, 0.1, 0.0, 2.0, 100, 100.0)
    assert tail.quantile(0.01) == pytest.approx(1 + 2 * math.log(10))
    assert tail.exceedance(1 + 2 * math.log(10)) == pytest.approx(0.01)

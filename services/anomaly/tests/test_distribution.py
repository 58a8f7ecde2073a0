import numpy as np
import pytest
from anomaly.detector import distribution


def test_the_conformal_quantile_keeps_its_promise_for_the_next_row() -> None:
    generator = np.random.default_rng(0)
    over = [generator.random() > distribution.conformal_quantile(generator.random(39), 0.95) for _ in range(4000)]
    assert np.mean(over) == pytest.approx(0.05, abs=0.012)


def test_too_few_scores_give_their_largest() -> None:
    assert distribution.conformal_quantile(np.array([3.0, 1.0, 2.0]), 0.99) == 3.0


def test_the_curve_rises_as_the_rate_falls() -> None:
    points = distribution.curve(np.random.default_rng(0).exponential(size=300))
    thresholds = [point["threshold"] for point in points]
    assert thresholds == sorted(thresholds)
    assert points[-1]["false_alarm_rate"] == 1e-5


def test_the_curve_ends_where_the_rows_do_and_no_tail_is_known() -> None:
    assert [p["false_alarm_rate"] for p in distribution.curve(np.arange(10.0))][-1] == 0.1
    assert distribution.curve(np.zeros(0)) == []


def test_exceedance_is_the_inverse_of_the_curve() -> None:
    scores = np.random.default_rng(0).exponential(size=2000)
    for point in distribution.curve(scores):
        assert distribution.exceedance(scores, point["threshold"]) == pytest.approx(point["false_alarm_rate"], rel=0.15)


@pytest.mark.parametrize(
    "scores",
    [np.zeros(5), np.full(5, 1e12), np.array([1e-300, 1.0]), np.append(np.full(1000, 1.0), 1e9), np.arange(5.0)],
)
def test_every_score_is_in_the_histogram(scores: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> None:
    found = distribution.histogram(scores)
    assert sum(found["counts"]) == len(scores)
    assert len(found["edges"]) == len(found["counts"]) + 1 <= distribution.MAX_BINS + 1


def test_no_scores_have_no_histogram() -> None:
    assert distribution.histogram(np.zeros(0)) == {"edges": [], "counts": []}

import numpy as np
import pytest
from anomaly.learning import comparison
from numpy.typing import NDArray

Array = NDArray[np.float64]


def rows() -> Array:
    cause = np.random.default_rng(0).standard_normal((400, 1))
    return cause * np.ones((1, 3)) + 0.1 * np.random.default_rng(1).standard_normal((400, 3))


def test_a_fault_changes_one_sensor_for_a_whole_window() -> None:
    window = 4
    made = comparison.faults([rows()], window, np.ones(3), seed=0).kinds
    normal = comparison.faults([rows()], window, np.zeros(3), seed=0).kinds["shift_1"]
    changed = made["shift_2"] - normal
    assert (np.abs(changed).max(axis=1) > 1).sum(axis=1).tolist() == [1] * len(changed)
    assert np.abs(changed[np.abs(changed) > 1e-9]) == pytest.approx(2.0)


def test_a_swap_leaves_every_value_possible() -> None:
    made = comparison.faults([rows()], 1, np.ones(3), seed=0).kinds["swap"]
    assert set(made[:, 0, :].ravel()) <= set(rows().ravel())


def spread(raw: Array) -> Array:
    return np.asarray(raw[:, -1].std(axis=1))


def size(raw: Array) -> Array:
    return np.asarray(np.abs(raw[:, -1]).max(axis=1))


def test_the_better_model_is_the_one_that_sees_the_relation() -> None:
    made = comparison.faults([rows()], 1, np.ones(3), seed=0)
    seeing = comparison.detected(spread(rows()[:, None, :]), [(spread, made)])
    blind = comparison.detected(size(rows()[:, None, :]), [(size, made)])
    assert seeing["swap"] > 0.5 > blind["swap"]
    assert comparison.better(seeing, blind) == "autoencoder"
    assert comparison.better(blind, seeing) == "pca"


def test_a_small_lead_is_luck() -> None:
    assert comparison.better({"detected": 0.54}, {"detected": 0.5}) == "pca"
    assert comparison.better({"detected": 0.56}, {"detected": 0.5}) == "autoencoder"


def test_the_threshold_lets_both_raise_the_same_false_alarms() -> None:
    normal = np.arange(1000.0)
    nothing = comparison.Faults({"none": normal.reshape(-1, 1, 1)})
    assert comparison.detected(normal, [(lambda raw: raw[:, 0, 0], nothing)])["detected"] == pytest.approx(
        0.01, abs=2e-3
    )


def test_huge_values_shift_without_overflow() -> None:
    made = comparison.faults([rows() * 1e307], 1, np.full(3, 1e308), seed=0)
    assert all(np.isfinite(windows).all() for windows in made.kinds.values())


def test_few_independent_scores_cannot_count_the_false_alarms_of_the_comparison() -> None:
    scores = np.random.default_rng(0).random(200)
    assert comparison.is_supported([scores, scores], window=1)
    assert not comparison.is_supported([scores, scores], window=20)
    assert not comparison.is_supported([scores, scores[:50]], window=1)

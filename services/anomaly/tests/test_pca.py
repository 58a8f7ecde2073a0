import math

import numpy as np
import pytest
from anomaly.detector import pca


def plane(n: int = 2000) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Four sensors that two causes drive, with a little noise; standardised."""
    generator = np.random.default_rng(0)
    causes = generator.standard_normal((n, 2)) @ np.array([[1, 1, 0, 0.5], [0, 0.5, 1, 1]])
    rows = causes + 0.1 * generator.standard_normal((n, 4))
    return np.asarray((rows - rows.mean(axis=0)) / rows.std(axis=0))


def norms(model: pca.Pca, rows: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> list[float]:
    return [float(v) for v in np.linalg.norm(model.deviations(rows), axis=1)]


def test_keeps_the_causes_and_leaves_the_noise() -> None:
    assert pca.fit(plane()).components.shape == (4, 2)


def test_the_squared_score_is_the_sum_of_q_and_t2_over_their_limits() -> None:
    rows = plane()
    model = pca.fit(rows)
    scores = rows @ model.components
    q = np.square(rows - scores @ model.components.T).sum(axis=1)
    t2 = (np.square(scores) / model.variances).sum(axis=1)
    expected = q / model.q_limit + t2 / model.t2_limit
    assert np.square(norms(model, rows)) == pytest.approx(expected)


def test_the_root_is_symmetric_and_gives_the_same_score() -> None:
    rows = plane(50)
    model = pca.fit(plane())
    root = model.root()
    assert root == pytest.approx(root.T)
    assert np.linalg.norm(rows @ root, axis=1) == pytest.approx(norms(model, rows))


def test_a_broken_relation_scores_higher_than_a_larger_value_that_keeps_it() -> None:
    model = pca.fit(plane())
    along = model.components[:, 0] / np.abs(model.components[:, 0]).max()
    kept, broken = norms(model, np.array([2 * along, 2 * along * [1, -1, 1, 1]]))
    assert broken > 2 * kept


def test_limits_hold_for_99_of_100_normal_rows() -> None:
    rows = plane(20_000)
    model = pca.fit(rows)
    scores = rows @ model.components
    q = np.square(rows - scores @ model.components.T).sum(axis=1)
    t2 = (np.square(scores) / model.variances).sum(axis=1)
    assert np.mean(q > model.q_limit) == pytest.approx(0.01, abs=0.005)
    assert np.mean(t2 > model.t2_limit) == pytest.approx(0.01, abs=0.005)


@pytest.mark.parametrize(("degrees", "expected"), [(1, 6.6349), (2, 9.2103), (10, 23.2093), (50, 76.1539)])
def test_chi_squared_quantiles_are_within_one_percent_of_the_tables(degrees: int, expected: float) -> None:
    assert pca.chi_squared_quantile(degrees, 0.99) == pytest.approx(expected, rel=0.01)


def test_one_input_and_no_variance_leave_no_component() -> None:
    assert pca.fit(np.random.default_rng(0).standard_normal((50, 1))).components.shape == (1, 0)
    still = pca.fit(np.zeros((50, 3)))
    assert math.isfinite(norms(still, np.array([[1.0, 0, 0]]))[0])


def test_a_sensor_that_never_moved_does_not_alarm_at_rounding() -> None:
    rows = np.column_stack([plane()[:, :3], np.zeros(2000)])
    model = pca.fit(rows)
    quiet, jittered = norms(model, np.array([[0.1, 0.1, 0.1, 0.0], [0.1, 0.1, 0.1, 1e-6]]))
    assert jittered == pytest.approx(quiet, rel=1e-3)


def test_few_rows_show_no_correlation_worth_believing() -> None:
    pair = np.random.default_rng(0).standard_normal((6, 1)) * np.ones((1, 2))
    few, many = pca.fit(pair), pca.fit(np.tile(pair, (100, 1)))
    apart = np.array([[1.0, -1.0]])
    assert norms(few, apart)[0] < norms(many, apart)[0] / 3


def test_the_sign_of_a_component_is_settled() -> None:
    components = pca.fit(plane()).components
    assert (components[np.abs(components).argmax(axis=0), [0, 1]] > 0).all()

import numpy as np
import pytest
from anomaly.preprocess import (
    FAR,
    FEATURES,
    MAX_TOLERANCE,
    Preparation,
    Scaler,
    constant_sensors,
    effective_rows,
    feature_count,
    tolerances,
    windows,
)


@pytest.mark.parametrize("size", [1.0, 1e300, 1e-310])
def test_standardises_whatever_the_size_of_the_values(size: float) -> None:
    rows = np.random.default_rng(0).random((500, 2)) * size
    made = Scaler.fit(rows).apply(rows)
    assert made.mean(axis=0) == pytest.approx([0, 0], abs=1e-2)
    assert made.std(axis=0) == pytest.approx([1, 1], rel=1e-2)


def test_a_constant_sensor_deviates_by_one_when_it_changes_by_a_hundredth() -> None:
    rows = np.full((10, 2), [50.0, 0.0])
    scaler = Scaler.fit(rows)
    assert scaler.apply(np.array([[50.5, 1.0]]))[0] == pytest.approx([1.0, 1.0])
    assert constant_sensors(rows).all()


def test_a_value_that_is_constant_but_for_rounding_is_constant() -> None:
    rows = np.array([[0.1 + 0.2], [0.3], [0.3]])
    assert constant_sensors(rows).all()


def test_deviations_are_cut_so_that_no_score_overflows() -> None:
    scaler = Scaler(np.array([0.0]), np.array([1e-300]))
    assert scaler.apply(np.array([[1e308], [-1e308]])).tolist() == [[FAR], [-FAR]]


def test_nulls_stay_nulls_for_the_drift_monitor() -> None:
    assert np.isnan(Scaler.identity(2).apply(np.array([1.0, np.nan])))[1]


def test_windows_end_at_their_row() -> None:
    rows = np.arange(8.0).reshape(4, 2)
    assert windows(rows, 3)[0].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert windows(rows, 3)[1, -1].tolist() == [6, 7]


@pytest.mark.parametrize("features", sorted(FEATURES))
def test_no_feature_looks_into_the_future(features: str) -> None:
    rows = np.random.default_rng(0).standard_normal((50, 3))
    changed = rows.copy()
    changed[30:] += 100
    preparation = Preparation.fit([rows], 5, features)
    before = slice(0, 30 - 4)  # windows that end before row 30
    assert np.array_equal(preparation.apply(rows)[before], preparation.apply(changed)[before])


@pytest.mark.parametrize("features", sorted(FEATURES))
def test_every_column_of_the_features_belongs_to_one_sensor(features: str) -> None:
    rows = np.random.default_rng(0).standard_normal((50, 3))
    changed = rows.copy()
    changed[:, 1] += 1
    preparation = Preparation.fit([rows], 5, features)
    moved = np.abs(preparation.apply(changed) - preparation.apply(rows)).reshape(46, -1, 3).max(axis=(0, 1))
    assert moved[1] > 0.1
    assert moved[[0, 2]].max() == 0
    assert feature_count(features, 5, 3) == preparation.apply(rows).shape[1]


def test_the_slope_of_a_straight_line_is_its_rise_over_the_window() -> None:
    line = np.arange(5.0).reshape(1, 5, 1)
    assert FEATURES["mean_std_slope"](line)[0, 2, 0] == pytest.approx(5.0)


def test_long_tables_are_prepared_in_pieces_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).standard_normal((300, 2))
    preparation = Preparation.fit([rows], 4, "mean_std")
    whole = preparation.apply(rows)
    monkeypatch.setattr("anomaly.preprocess.CHUNK_VALUES", 100)
    assert np.array_equal(preparation.apply(rows), whole)
    assert np.array_equal(preparation.apply_windows(windows(rows, 4)), whole)


def test_independent_rows_count_nearly_in_full_and_wandering_ones_hardly() -> None:
    generator = np.random.default_rng(0)
    independent = generator.standard_normal((4000, 1))
    wandering = np.cumsum(generator.standard_normal((4000, 1)), axis=0)
    found = effective_rows(np.hstack([independent, wandering]))
    assert found[0] > 1000
    assert found[1] < 20


def test_only_the_sensor_that_is_known_worse_is_forgiven() -> None:
    found = tolerances(np.array([4000.0, 5.0, 2.0]))
    assert found[0] == 1.0
    assert 5 < found[1] <= MAX_TOLERANCE
    assert found[2] == MAX_TOLERANCE
    assert tolerances(np.array([3.0, 3.0])).tolist() == [1.0, 1.0]

import hashlib
import json
from pathlib import Path

import anomaly
import numpy as np
import pytest
from anomaly.detector.calibration import CalibrationError
from anomaly.learning.training import TrainingOptions, train
from anomaly.model import Model, Sensor

WEIGHTS = Path(anomaly.__file__).parent / "weights"
ROWS = np.random.default_rng(0).standard_normal((300, 3)) * [1, 10, 0.1] + [0, 100, 5]
SENSORS = (Sensor("flow", "l/min", 0.0, 50.0), Sensor("température", "°C"), Sensor("power"))


def trained(kind: str, window: int) -> Model:
    options = TrainingOptions(kind="pca" if kind == "pca" else "autoencoder", window=window, epochs=5, sensors=SENSORS)
    return train(ROWS, options)


@pytest.fixture(scope="module", params=[("autoencoder", 1), ("autoencoder", 6), ("pca", 1), ("pca", 6)])
def model(request: pytest.FixtureRequest) -> Model:
    return trained(*request.param)


@pytest.fixture(scope="module")
def shipped() -> Model:
    return Model.load((WEIGHTS / "default.safetensors").read_bytes())


def test_the_sample_rows_of_integrators_are_normal(shipped: Model) -> None:
    assert shipped.score([1.2, 0.9, 1.1]) < shipped.threshold
    assert shipped.score([1.0, 1.1, 0.95]) < shipped.threshold


@pytest.mark.parametrize(
    "row", [[9.0, 0.9, 1.1], [1.2, 9.0, 1.1], [1.2, 0.9, 9.0], [0.0, 0.0, 0.0], [1e6, -1e6, 1e300]]
)
def test_far_rows_are_anomalies(shipped: Model, row: list[float]) -> None:
    assert shipped.score(row) > 4 * shipped.threshold


def test_usual_values_in_an_unusual_combination_are_an_anomaly(shipped: Model) -> None:
    assert shipped.score([1.2, 1.0, 0.93]) > shipped.threshold


def test_the_shipped_weights_are_the_ones_described() -> None:
    described = json.loads((WEIGHTS / "weights.json").read_text())["default.safetensors"]
    data = (WEIGHTS / "default.safetensors").read_bytes()
    assert hashlib.sha256(data).hexdigest() == described["sha256"]


def test_a_model_survives_its_file(model: Model) -> None:
    again = Model.load(model.dump())
    assert again.dump() == model.dump()
    assert again.sensors == SENSORS
    assert again.details() == model.details()
    assert np.array_equal(again.scores(ROWS), model.scores(ROWS), equal_nan=True)


def test_many_models_of_different_report_length_load() -> None:
    """The first bytes of a file are the length of its header, which may look like any other format's."""
    made = trained("pca", 1)
    for length in range(64):
        report = {"note": "x" * length}
        assert Model.load(Model(SENSORS, made.preparation, made.core, made.calibration, report).dump()).report == report


def test_a_row_is_scored_from_itself_and_the_rows_before_it(model: Model) -> None:
    scores = model.scores(ROWS)
    w = model.window
    assert np.isnan(scores[: w - 1]).all()
    for i in (w - 1, 50, 299):
        assert model.score_window(ROWS[i - w + 1 : i + 1]) == pytest.approx(scores[i], rel=1e-9)
    changed = ROWS.copy()
    changed[51:] += 1000
    assert np.array_equal(model.scores(changed)[:51], scores[:51], equal_nan=True)


def test_contributions_are_shares_and_blame_the_sensor_at_fault(model: Model) -> None:
    for sensor in range(3):
        rows = ROWS[: model.window].copy()
        rows[:, sensor] += 50 * ROWS[:, sensor].std()
        shares = model.contributions(rows)
        assert shares.sum() == pytest.approx(1.0)
        assert shares.argmax() == sensor


def test_a_perfect_row_blames_all_alike(make_model: object) -> None:
    made = make_model()  # type: ignore[operator]  # a fixture's function
    assert made.contributions(np.zeros((1, 2))).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("rows", [np.ones((10, 2)), np.ones(3), np.ones((0, 3)), np.full((10, 3), np.nan)])
def test_rows_that_cannot_be_judged_are_refused(
    model: Model, rows: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"
) -> None:
    with pytest.raises(ValueError, match=r"shape|finite"):
        model.scores(rows)


def test_fewer_rows_than_the_window_have_no_score() -> None:
    made = trained("pca", 6)
    assert np.isnan(made.scores(ROWS[:5])).all()
    with pytest.raises(ValueError, match="5 rows came, the model looks at 6"):
        made.score_window(ROWS[:5])
    with pytest.raises(ValueError, match="the model looks at 6 rows"):
        made.score([1.0, 2.0, 3.0])


def test_a_changed_model_is_another_one_and_leaves_the_first_alone(model: Model) -> None:
    before = model.dump()
    assert model.with_threshold(2.5).threshold == 2.5
    assert model.with_threshold(1.0, "percentile", {"percentile": 99.0}).calibration.method == "percentile"
    scaler = model.preparation.scaler
    moved = model.with_scaler(scaler.center + 1, scaler.scale * 2)
    assert moved.scores(ROWS)[-1] != model.scores(ROWS)[-1]
    assert model.dump() == before
    with pytest.raises(CalibrationError):
        model.with_threshold(-1.0)


def test_deviations_for_drift_are_in_training_standard_deviations(model: Model) -> None:
    assert np.abs(model.standardise(ROWS).mean(axis=0)).max() < 1e-9
    assert model.standardise(ROWS).std(axis=0) == pytest.approx([1, 1, 1])


def test_summary_and_details_are_json(model: Model) -> None:
    json.dumps(model.details(), allow_nan=False)
    assert model.summary()["sensors"][0] == {"name": "flow", "unit": "l/min", "low": 0.0, "high": 50.0}

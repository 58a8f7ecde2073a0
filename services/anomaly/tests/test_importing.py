import numpy as np
import pytest
from anomaly.detector.autoencoder import Autoencoder
from anomaly.detector.calibration import CalibrationError
from anomaly.learning import importing
from anomaly.model import Model, Sensor
from anomaly.preprocess import FAR

# It gives back its input, as a network does that learnt normal rows well.
COPY = Autoencoder(
    (np.eye(2), np.eye(2)), (np.zeros(2), np.zeros(2)), (False, False), np.full(2, -FAR), np.full(2, FAR)
)
ROWS = np.random.default_rng(0).normal(5.0, 1.0, (300, 2))


def test_without_rows_the_score_is_the_plain_reconstruction_error() -> None:
    half = Autoencoder((np.eye(2) / 2,), (np.zeros(2),), (False,), np.full(2, -FAR), np.full(2, FAR))
    model = importing.with_threshold(half, 0.05)
    assert model.score([3.0, 4.0]) == pytest.approx(2.5)
    assert model.threshold == 0.05
    assert any("nothing bounds" in note for note in model.report["notes"])
    assert Model.load(model.dump()).score([3.0, 4.0]) == pytest.approx(2.5)


def test_rows_bound_what_the_network_sees() -> None:
    unbound = importing.with_threshold(COPY, 0.05)
    bound = importing.with_rows(COPY, ROWS, (), "automatic", {})
    assert unbound.score([1e6, 1e6]) == 0.0
    assert bound.score([1e6, 1e6]) > 1e6 > bound.threshold
    assert bound.report["rows"] == 300


def test_the_rows_name_the_sensors() -> None:
    model = importing.with_rows(COPY, ROWS, (Sensor("a"), Sensor("b")), "percentile", {"percentile": 99.0})
    assert [sensor.name for sensor in model.sensors] == ["a", "b"]
    assert model.calibration.method == "percentile"


def test_rows_of_another_width_and_impossible_thresholds_are_refused() -> None:
    with pytest.raises(ValueError, match="the rows have 3 sensors, the network takes 2"):
        importing.with_rows(COPY, np.ones((50, 3)), (), "automatic", {})
    with pytest.raises(CalibrationError):
        importing.with_threshold(COPY, 0.0)

"""What a training promises, on made machines whose faults we put in ourselves."""

import numpy as np
import pytest
from anomaly.demo import generate
from anomaly.learning.training import TrainingOptions, train
from anomaly.model import Model, Sensor
from numpy.typing import NDArray

Array = NDArray[np.float64]

WINDOW = 16
SENSORS = tuple(Sensor(name) for name in ("flow", "pressure", "current", "vibration"))


def pump(n: int, seed: int) -> Array:
    """Four sensors of a pump that one load drives, noisier than the load is large."""
    generator = np.random.default_rng(seed)
    load = np.convolve(generator.standard_normal(n + 9), np.ones(10) / np.sqrt(10), "valid")[:, None]
    return 10 + 0.5 * load * np.array([[1.0, -0.8, 0.9, 0.3]]) + generator.standard_normal((n, 4))


@pytest.fixture(scope="module")
def model() -> Model:
    return train(pump(2000, seed=0), TrainingOptions(kind="pca", window=WINDOW, epochs=20, sensors=SENSORS))


def test_small_faults_that_last_are_found_and_false_alarms_stay_near_the_promise(model: Model) -> None:
    rows = pump(12_000, seed=1)
    faulty = np.arange(len(rows)) % 1200 >= 1000
    rows[faulty, 0] -= 1.5  # about one standard deviation of a row
    alarmed = model.scores(rows) > model.threshold
    settled = np.arange(len(rows)) % 1200 >= WINDOW  # the window has left the fault before
    within = np.arange(len(rows)) % 1200 >= 1000 + WINDOW
    assert np.mean(alarmed[~faulty & settled]) < 0.02
    assert np.mean(alarmed[within]) > 0.9


def test_a_fault_that_began_in_the_training_rows_is_told_with_sensor_and_row() -> None:
    rows = pump(400, seed=2)
    rows[104:, 0] -= 8
    made = train(rows, TrainingOptions(kind="pca", window=WINDOW, epochs=5, sensors=SENSORS))
    (told,) = [note for note in made.report["notes"] if "changed its state" in note]
    assert "flow (near row " in told
    assert told in made.calibration.notes
    assert told in Model.load(made.dump()).report["notes"]


def test_steady_rows_are_not_told_to_have_changed(model: Model) -> None:
    assert not any("changed its state" in note for note in model.report["notes"])
    demo = train(generate(1000, seed=3), TrainingOptions(kind="pca", epochs=5))
    assert not any("changed its state" in note for note in demo.report["notes"])


def test_many_sensors_that_wander_are_one_note() -> None:
    rows = np.cumsum(np.random.default_rng(4).standard_normal((400, 6)), axis=0)
    rows[:, 0] = np.random.default_rng(5).standard_normal(400)
    made = train(rows, TrainingOptions(kind="pca", epochs=5))
    (told,) = [note for note in made.report["notes"] if "wander" in note]
    assert told.startswith("5 of 6 sensors wander so slowly")
    assert "and 2 more" in told


def test_rows_too_few_to_compare_the_kinds_take_the_simpler_one() -> None:
    bent = np.random.default_rng(6).uniform(-1, 1, (200, 1))
    rows = np.hstack([bent, bent**2, bent**3]) + 0.02 * np.random.default_rng(7).standard_normal((200, 3))
    few = train(rows, TrainingOptions(window=5, features="last"))
    assert few.report["comparison"]["better"] == "autoencoder"
    assert few.kind == few.report["comparison"]["chosen"] == "pca"
    assert any("too few to compare" in note for note in few.report["notes"])
    asked = train(rows, TrainingOptions(kind="autoencoder", window=5, features="last", epochs=5))
    assert asked.kind == "autoencoder"

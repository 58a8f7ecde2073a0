"""Adaptation as arithmetic: what moves, how far at most, and what keeps it from moving."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from anomaly.learning.training import TrainingOptions, train
from anomaly.lifecycle import adaptation
from anomaly.lifecycle.adaptation import AdaptationSettings
from anomaly.lifecycle.recent import Recent
from anomaly.model import Model

SETTINGS = AdaptationSettings(enabled=True, max_shift=0.5, interval_rows=100)


@pytest.fixture(scope="module")
def model() -> Model:
    rows = np.random.default_rng(0).normal(10.0, 2.0, (1000, 3))
    return train(rows, TrainingOptions(kind="pca"), lambda _share, _message: None)


def readings(offset: float, n: int = 200, seed: int = 1) -> Recent:
    """Normal readings whose first sensor is `offset` training standard deviations off."""
    rows = np.random.default_rng(seed).normal(10.0, 2.0, (n, 3))
    rows[:, 0] += 2.0 * offset
    true = np.ones(n, dtype=bool)
    return Recent(np.arange(n) * 1000, rows, np.full(n, 0.5), true, ~true, true, true)


def shift(model: Model) -> float:
    return float(np.abs(adaptation.anchor(model).shift).max())


def test_a_step_goes_a_quarter_of_the_way(model: Model) -> None:
    stepped = adaptation.step(model, readings(0.4), SETTINGS)
    assert stepped is not None
    moved = (stepped.preparation.scaler.center - model.preparation.scaler.center) / model.preparation.scaler.scale
    assert moved[0] == pytest.approx(0.1, abs=0.06)
    assert np.abs(moved[1:]).max() < 0.06


def test_any_number_of_steps_stays_within_the_bound_of_the_trained_version(model: Model) -> None:
    current = model
    for seed in range(60):  # a fault that grows with every step, as slow poisoning would
        current = adaptation.step(current, readings(0.2 * seed, seed=seed), SETTINGS) or current
        current = Model.load(current.dump())
    scaler, trained = current.preparation.scaler, model.preparation.scaler
    assert np.abs((scaler.center - trained.center) / trained.scale).max() <= 0.5 + 1e-9
    assert shift(current) == pytest.approx(0.5)
    assert abs(current.threshold - model.threshold) <= 0.5 * model.calibration.std + 1e-9
    assert current.score([10.0 + 2.0 * 12, 10.0, 10.0]) > current.threshold


def test_scales_are_never_touched(model: Model) -> None:
    stepped = adaptation.step(model, readings(0.4), SETTINGS)
    assert stepped is not None
    assert stepped.preparation.scaler.scale.tolist() == model.preparation.scaler.scale.tolist()


def test_readings_like_the_trained_ones_change_nothing(model: Model) -> None:
    current, moves = model, 0
    for seed in range(20):
        stepped = adaptation.step(current, readings(0.0, n=2000, seed=seed), SETTINGS)
        moves += stepped is not None
        current = stepped or current
    assert shift(current) < 0.1
    assert current.threshold == pytest.approx(model.threshold, rel=0.1)


def test_rows_that_alarmed_or_are_not_sound_are_not_used(model: Model) -> None:
    normal = readings(0.0)
    wild = normal.rows.copy()
    wild[::25] = 1e6
    alarming = np.zeros(len(wild), dtype=bool)
    alarming[::25] = True
    calm = adaptation.step(model, replace(normal, rows=wild, normal=~alarming, alarming=alarming), SETTINGS)
    assert shift(calm or model) < 0.1
    unsound = adaptation.step(model, replace(normal, rows=wild, sound=~alarming), SETTINGS)
    assert shift(unsound or model) < 0.1


def test_a_stretch_with_many_alarms_is_not_used_at_all(model: Model) -> None:
    disturbed = readings(0.4)
    alarming = np.zeros(200, dtype=bool)
    alarming[:20] = True
    assert adaptation.step(model, replace(disturbed, normal=~alarming, alarming=alarming), SETTINGS) is None


def test_too_few_readings_change_nothing(model: Model) -> None:
    assert adaptation.step(model, readings(0.4, n=99), SETTINGS) is None


def test_a_threshold_that_somebody_chose_is_where_the_bound_counts_from(model: Model) -> None:
    stepped = adaptation.step(model, readings(0.4), SETTINGS)
    assert stepped is not None
    chosen = adaptation.anchored_here(stepped.with_threshold(9.0))
    again = adaptation.step(chosen, readings(0.4, seed=2), SETTINGS) or chosen
    assert abs(again.threshold - 9.0) <= 0.5 * model.calibration.std + 1e-9
    assert shift(again) >= shift(stepped)
    assert adaptation.anchored_here(model) is model


def test_an_anchor_that_does_not_fit_the_model_is_not_believed(model: Model) -> None:
    for wrong in ({"threshold": "x"}, {"threshold": 1.0, "shift": [1.0]}, 3):
        forged = replace(model, report={**model.report, "adaptation": wrong})
        assert adaptation.anchor(forged).shift == [0.0, 0.0, 0.0]


def test_the_model_says_that_it_was_adapted_once(model: Model) -> None:
    current = model
    for seed in range(3):
        current = adaptation.step(current, readings(0.4, seed=seed), SETTINGS) or current
    assert [note[:15] for note in current.calibration.notes].count("Adapted online:") == 1


@pytest.mark.parametrize("document", [b'{"max_shift":0}', b'{"max_shift":9}', b'{"interval_rows":1}', b'{"more":1}'])
def test_settings_have_bounds(document: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(document, type=AdaptationSettings)

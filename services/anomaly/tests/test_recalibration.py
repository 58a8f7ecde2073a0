"""Thresholds from held-back scores and from recent readings; which readings count as normal."""

from dataclasses import replace

import numpy as np
import pytest
from anomaly.learning.training import TrainingOptions, train
from anomaly.lifecycle import recalibration
from anomaly.lifecycle.recalibration import Choice, Episode, Material
from anomaly.lifecycle.recent import Recent
from anomaly.lifecycle.registry import Active
from anomaly.model import Model
from anomaly.problems import ThresholdUnsupported, TooFewRows

AUTOMATIC = Choice("automatic", {})


@pytest.fixture(scope="module")
def model() -> Model:
    rows = np.random.default_rng(0).normal(size=(2000, 3))
    return train(rows, TrainingOptions(kind="pca"), lambda _share, _message: None)


def material(model: Model, *episodes: Episode, n: int = 1000, spread: float = 1.0) -> Material:
    """Readings a second apart, judged by the model as ingest would."""
    rows = np.random.default_rng(1).normal(0.0, spread, (n, 3))
    scores = model.scores(rows)
    alarming, true = scores > model.threshold, np.ones(n, dtype=bool)
    recent = Recent(np.arange(n) * 1000, rows, scores, ~alarming, alarming, true, true)
    return Material(Active(model, 1), recent, episodes)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice("manual", {}, 2.5), "manual"),
        (Choice("percentile", {"percentile": 99.0, "margin": 1.2}), "percentile"),
        (Choice("false_alarm_rate", {"rate": 0.02}), "false_alarm_rate"),
        (Choice("extreme_value", {"rate": 0.001}), "extreme_value"),
        (AUTOMATIC, "false_alarm_rate"),
    ],
)
def test_a_threshold_is_found_by_each_method(model: Model, choice: Choice, expected: str) -> None:
    changed = recalibration.rethreshold(model, choice)
    assert changed.calibration.method == expected
    assert changed.threshold > 0
    assert Model.load(changed.dump()).threshold == changed.threshold
    if choice.threshold:
        assert changed.threshold == choice.threshold


@pytest.mark.parametrize(
    "choice",
    [Choice("percentile", {"percentile": 50.0}), Choice("percentile", {"rate": 0.1}), Choice("manual", {}, -1.0)],
)
def test_what_a_method_does_not_take_is_refused(model: Model, choice: Choice) -> None:
    with pytest.raises(ThresholdUnsupported):
        recalibration.rethreshold(model, choice)


def test_the_same_machine_gets_about_the_same_threshold_again(model: Model) -> None:
    """Though the readings over the threshold were never judged: or else each recalibration would set a lower one."""
    current = model
    for _ in range(5):
        current = recalibration.recalibrate(material(current, n=4000), AUTOMATIC)
    assert current.threshold == pytest.approx(model.threshold, rel=0.15)


def test_a_machine_that_spreads_more_gets_a_higher_threshold(model: Model) -> None:
    false_alarms = Episode(0, 10**9, "false_alarm")
    changed = recalibration.recalibrate(material(model, false_alarms, spread=2.0), AUTOMATIC)
    assert changed.threshold > 1.5 * model.threshold
    assert changed.report["recalibration"]["rows"] == 1000
    assert "judged false alarms" in " ".join(changed.calibration.notes)


def test_readings_of_true_alarms_are_left_out_whatever_their_status(model: Model) -> None:
    usable, notes = recalibration.select(material(model, Episode(100_000, 199_000, "true_alarm")), 0.01)
    assert not usable[100:200].any()
    assert usable[200:].sum() > 700
    assert "100 readings of alerts judged true alarms were left out." in notes


def test_a_true_alarm_outweighs_a_false_one_over_the_same_readings(model: Model) -> None:
    episodes = (Episode(0, 10**9, "false_alarm"), Episode(0, 10_000, "true_alarm"))
    usable, _ = recalibration.select(material(model, *episodes), 0.01)
    assert not usable[:11].any()
    assert usable[11:].all()


def test_readings_over_the_threshold_in_an_alert_that_nobody_judged_are_left_out(model: Model) -> None:
    given = material(model, Episode(0, 10**9, None), spread=2.0)
    usable, notes = recalibration.select(given, 0.01)
    assert not usable[given.recent.alarming].any()
    assert usable[given.recent.normal].all()
    assert "nobody judged them" in notes[-1]


def test_as_many_lone_exceedances_count_as_normal_as_the_promised_rate_explains(model: Model) -> None:
    given = material(model, spread=2.0)
    usable, _ = recalibration.select(given, 0.01)
    kept = usable & given.recent.alarming
    assert kept.sum() == round(0.01 * given.recent.normal.sum())
    assert given.recent.scores[kept].max() <= given.recent.scores[given.recent.alarming & ~kept].min()


def test_too_few_readings_are_refused(model: Model) -> None:
    with pytest.raises(TooFewRows, match="at least 30"):
        recalibration.recalibrate(material(model, n=20), AUTOMATIC)


def test_unsound_readings_are_left_out(model: Model) -> None:
    given = material(model)
    usable, _ = recalibration.select(
        replace(given, recent=replace(given.recent, sound=given.recent.at_ms < 5000)), 0.01
    )
    assert usable.sum() <= 5

import json

import numpy as np
import pytest
from anomaly.detector import calibration
from anomaly.detector.calibration import CalibrationError, calibrate, decide, with_manual
from numpy.typing import NDArray

Array = NDArray[np.float64]


def exponential(n: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).exponential(size=n)


def test_many_rows_are_counted() -> None:
    made = calibrate(exponential(5000))
    assert made.method == "false_alarm_rate"
    assert made.nominal_false_alarm_rate == 0.01
    assert np.mean(exponential(100_000, 1) > made.threshold) == pytest.approx(0.01, rel=0.3)
    assert "enough to count" in made.notes[-1]


def test_few_rows_are_extrapolated_with_an_allowance_and_a_warning() -> None:
    made = calibrate(exponential(60))
    assert made.method == "extreme_value"
    assert 1.0 < made.parameters["margin"] < 1.3
    assert any("extrapolated" in note for note in made.notes)


def test_a_handful_of_rows_promise_nothing() -> None:
    made = calibrate(np.array([1.0, 2, 3, 4, 5]))
    assert made.threshold > 5
    assert any("too few to fit a tail" in note for note in made.notes)


def test_what_automatic_chose_can_be_asked_for_by_name() -> None:
    for n in (60, 5000):
        made = calibrate(exponential(n))
        assert decide(made, made.method, made.parameters).threshold == made.threshold


def test_percentile_and_margin_multiply() -> None:
    plain = calibrate(exponential(1000), "percentile", {"percentile": 99.0})
    wide = decide(plain, "percentile", {"percentile": 99.0, "margin": 1.5})
    assert plain.nominal_false_alarm_rate == pytest.approx(0.01)
    assert wide.threshold == pytest.approx(1.5 * plain.threshold)
    assert wide.nominal_false_alarm_rate is not None
    assert wide.nominal_false_alarm_rate < 0.005


def test_a_percentile_beyond_the_rows_says_so() -> None:
    made = calibrate(exponential(100), "percentile", {"percentile": 99.9})
    assert made.threshold == pytest.approx(made.scores.max())
    assert "takes 999 held-back rows, there are 100" in made.notes[-1]


def test_a_rate_beyond_the_rows_says_so() -> None:
    made = calibrate(exponential(100), "false_alarm_rate", {"rate": 1e-4})
    assert made.threshold == pytest.approx(made.scores.max())
    assert "takes 9999 independent blocks" in made.notes[-1]


def test_rare_rates_come_from_the_tail() -> None:
    made = calibrate(exponential(3000), "extreme_value", {"rate": 1e-5})
    assert made.threshold == pytest.approx(-np.log(1e-5), rel=0.25)


def test_rows_that_are_alike_count_as_few() -> None:
    made = calibrate(np.repeat(exponential(30), 20))
    assert made.block >= 20
    assert made.n_blocks <= 30
    assert made.method == "extreme_value"


def test_drift_in_the_held_back_rows_is_said() -> None:
    scores = exponential(2000) + 1
    assert not any("drift" in note for note in calibrate(scores).notes)
    drifting = calibrate(scores * np.linspace(1, 3, 2000))
    assert any("drift" in note and "more false alarms" in note for note in drifting.notes)


@pytest.mark.parametrize(
    ("method", "parameters", "reason"),
    [
        ("percentile", {"percentile": 94.9}, "between 95.0 and 99.9"),
        ("percentile", {"percentile": 99.95}, "between 95.0 and 99.9"),
        ("percentile", {"rate": 0.1}, "takes percentile and margin, not 'rate'"),
        ("percentile", {"margin": 0.0}, "margin is 0.0"),
        ("false_alarm_rate", {"rate": 0.0}, "rate is 0.0"),
        ("extreme_value", {"rate": float("nan")}, "rate is nan"),
        ("automatic", {"margin": 2.0}, "takes rate, not 'margin'"),
        ("guess", {}, "there is no method"),
    ],
)
def test_parameters_out_of_range_are_refused(method: str, parameters: dict[str, float], reason: str) -> None:
    with pytest.raises(CalibrationError, match=reason):
        calibration.check(method, parameters)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("scores", [[1.0] * 4, [1.0, 2, 3, 4, float("nan")], [1.0, 2, 3, 4, float("inf")]])
def test_scores_that_calibrate_nothing_are_refused(scores: list[float]) -> None:
    with pytest.raises(CalibrationError):
        calibrate(np.array(scores))


def test_perfect_rows_leave_a_threshold_over_zero() -> None:
    made = calibrate(np.zeros(200))
    assert made.threshold == calibration.LEAST_THRESHOLD
    json.dumps(made.document(), allow_nan=False)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), 1e13])
def test_a_threshold_that_cannot_be_is_refused(value: float) -> None:
    with pytest.raises(CalibrationError, match="must be between"):
        with_manual(calibrate(exponential(100)), value)


def test_a_threshold_of_ones_own_tells_what_to_expect_of_it() -> None:
    made = with_manual(calibrate(exponential(5000)), float(np.log(20)))
    assert made.method == "manual"
    assert made.nominal_false_alarm_rate == pytest.approx(0.05, rel=0.2)


def test_a_model_without_scores_can_only_be_set_by_hand() -> None:
    bare = calibration.Calibration(np.empty(0), 0, 1, 1.0, "manual", {}, None, ("kept",))
    with pytest.raises(CalibrationError, match="no scores"):
        decide(bare, "automatic")
    assert with_manual(bare, 2.0).notes == ("kept",)
    assert with_manual(bare, 2.0).document()["curve"] == []


def test_the_newest_scores_are_kept_of_a_very_long_recording() -> None:
    scores = exponential(calibration.MAX_SCORES + 10)
    made = calibrate(scores)
    assert made.rows == len(scores)
    assert made.scores[-1] == np.float32(scores[-1])
    assert len(made.scores) == calibration.MAX_SCORES


def test_the_document_is_json_with_curve_and_histogram() -> None:
    document = json.loads(json.dumps(calibrate(exponential(500)).document(), allow_nan=False))
    assert document["rows"] == sum(document["histogram"]["counts"]) == 500
    assert document["curve"][0]["false_alarm_rate"] == 0.5

import numpy as np
import pytest
from anomaly.commands import printing
from anomaly.detector.calibration import Calibration, calibrate, with_manual


def test_prints_threshold_curve_and_histogram_with_the_threshold_marked(capsys: pytest.CaptureFixture[str]) -> None:
    made = calibrate(np.random.default_rng(0).exponential(size=2000))
    printing.threshold(made)
    printing.curve(made)
    out = capsys.readouterr().out
    assert "by false_alarm_rate (margin 1, rate 0.01), about 0.01 of normal rows over it" in out
    assert out.count("< threshold") == 1
    assert "1.000%" in out


def test_a_threshold_over_all_scores_is_shown_under_them(capsys: pytest.CaptureFixture[str]) -> None:
    printing.curve(with_manual(calibrate(np.arange(1.0, 50.0)), 1000.0))
    assert "1000 < threshold, over all of them" in capsys.readouterr().out


def test_a_model_without_scores_has_no_curve(capsys: pytest.CaptureFixture[str]) -> None:
    printing.curve(Calibration(np.empty(0), 0, 1, 1.0, "manual", {}, None, ()))
    assert capsys.readouterr().out == ""

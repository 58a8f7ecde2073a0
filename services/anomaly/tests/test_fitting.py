import numpy as np
import pytest
from anomaly.detector.autoencoder import Schedule
from anomaly.learning import fitting
from anomaly.preprocess import windows

ROWS = np.random.default_rng(0).standard_normal((120, 3))


def test_windows_that_stand_alone_score_as_in_their_segment() -> None:
    for made in (
        fitting.fit_pca([ROWS], 4, "mean_std"),
        fitting.fit_autoencoder([ROWS], 4, "mean_std", (), Schedule(epochs=2), lambda _share: None),
    ):
        assert made.score_windows(windows(ROWS, 4)) == pytest.approx(made.scores([ROWS])[0])


def test_no_window_reaches_over_a_gap() -> None:
    made = fitting.fit_pca([ROWS[:60], ROWS[80:]], 4, "mean")
    assert [len(part) for part in made.scores([ROWS[:60], ROWS[80:]])] == [57, 37]


def test_a_tolerance_shrinks_deviations() -> None:
    made = fitting.fit_pca([ROWS], 1, "last")
    far = np.array([[9.0, 0, 0]])
    assert made.with_tolerance(np.array([3.0, 1, 1])).scores([far])[0] < made.scores([far])[0] / 2


def test_wide_networks_get_fewer_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "WORK", 1.0)
    made = fitting.fit_autoencoder([ROWS], 1, "last", (8, 2), Schedule(epochs=500), lambda _share: None)
    assert made.figures["epochs"] <= fitting.MIN_EPOCHS
    assert made.figures["layers"] == [3, 8, 2, 8, 3]


def test_very_many_windows_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "MAX_WINDOWS", 50)
    assert len(fitting._prepare([ROWS], 1, "last")[1]) == 40

import numpy as np
import pytest
from anomaly.learning.training import TrainingError, TrainingOptions, check, train
from anomaly.model import Model, Sensor
from numpy.typing import NDArray

Array = NDArray[np.float64]


def plant(n: int, seed: int = 0) -> Array:
    """Four sensors that two causes drive, bent so that no plane holds them."""
    generator = np.random.default_rng(seed)
    causes = generator.uniform(-1, 1, (n, 2))
    rows = np.column_stack([causes[:, 0], causes[:, 1], causes[:, 0] ** 2, causes[:, 0] * causes[:, 1]])
    return rows + 0.03 * generator.standard_normal(rows.shape)


@pytest.fixture(scope="module")
def model() -> Model:
    return train(plant(1500))


def test_the_better_kind_is_taken_and_the_report_says_by_how_much(model: Model) -> None:
    compared = model.report["comparison"]
    assert compared["better"] == compared["chosen"] == model.kind == "autoencoder"
    assert compared["autoencoder"]["detected"] > compared["pca"]["detected"] + 0.05
    assert "1 % false alarms" in compared["criterion"]


def test_a_kind_that_was_asked_for_is_taken_though_the_other_is_better() -> None:
    chosen = train(plant(500), TrainingOptions(kind="pca", epochs=40))
    assert chosen.kind == chosen.report["comparison"]["chosen"] == "pca"
    assert {"autoencoder", "pca"} <= set(chosen.report["comparison"])


def test_later_rows_alarm_as_often_as_promised(model: Model) -> None:
    later = model.scores(plant(20_000, seed=1))
    assert np.mean(later > model.threshold) == pytest.approx(0.01, abs=0.006)


def test_a_broken_relation_is_an_anomaly_though_every_value_is_usual(model: Model) -> None:
    rows = plant(1000, seed=2)
    rows[:, 2] = rows[::-1, 2]
    assert np.mean(model.scores(rows) > model.threshold) > 0.4


def test_the_same_rows_and_options_make_the_same_bytes() -> None:
    options = TrainingOptions(epochs=10, window=3)
    assert train(plant(200), options).dump() == train(plant(200), options).dump()
    assert train(plant(200), TrainingOptions(epochs=10, window=3, seed=1)).dump() != train(plant(200), options).dump()


def test_a_burst_of_other_rows_is_left_out_and_told() -> None:
    rows = plant(1000)
    rows[400:430] += 5
    cleaned = train(rows, TrainingOptions(epochs=20))
    ((first, last),) = cleaned.report["rows_left_out"]
    assert first == pytest.approx(401, abs=2)
    assert last == pytest.approx(430, abs=2)
    assert any("they were left out" in note for note in cleaned.report["notes"])
    assert cleaned.scores(rows)[410] > cleaned.threshold


def test_the_burst_is_kept_and_told_where_trimming_is_off() -> None:
    rows = plant(1000)
    rows[400:430] += 5
    kept = train(rows, TrainingOptions(epochs=5, trim=False))
    assert kept.report["rows_left_out"] == []
    assert any("they were kept" in note for note in kept.report["notes"])


def test_a_sensor_that_wanders_is_forgiven_and_named() -> None:
    rows = np.random.default_rng(0).standard_normal((600, 3))
    rows[:, 1] = np.cumsum(rows[:, 1])
    options = TrainingOptions(kind="pca", epochs=5, sensors=(Sensor("a"), Sensor("oil"), Sensor("c")))
    forgiving = train(rows, options)
    assert forgiving.report["sensors"]["oil"]["tolerance"] > 2
    assert any(note.startswith("oil wanders so slowly") for note in forgiving.report["notes"])
    strict = train(rows, TrainingOptions(kind="pca", epochs=5, tolerance=False))
    assert strict.preparation.tolerance.tolist() == [1, 1, 1]


def test_a_sensor_that_never_changed_is_named() -> None:
    rows = np.column_stack([plant(300), np.full(300, 7.0)])
    made = train(rows, TrainingOptions(epochs=5))
    assert any("sensor_5 never changed" in note for note in made.report["notes"])


def test_many_rows_hold_back_their_newest_part() -> None:
    made = train(plant(5200), TrainingOptions(epochs=2))
    assert made.report["held_back"] == {"how": "tail", "rows": 1560}


def test_rows_that_change_on_the_way_are_told() -> None:
    rows = plant(5200)
    rows[:, 1] += np.linspace(0, 3, len(rows))
    made = train(rows, TrainingOptions(kind="pca", epochs=2, tolerance=False))
    assert any("drift" in note or "machine changed" in note for note in made.report["notes"])


@pytest.mark.parametrize("features", ["last", "flat", "mean", "mean_std", "mean_std_slope", "last_mean_std"])
def test_windows_of_every_kind_can_be_trained(features: str) -> None:
    made = train(plant(200), TrainingOptions(window=4, features=features, epochs=3))
    scores = made.scores(plant(50, seed=1))
    assert np.isnan(scores[:3]).all()
    assert np.isfinite(scores[3:]).all()


@pytest.mark.parametrize(
    "rows",
    [
        np.full((30, 2), 5.0),
        np.zeros((200, 3)),
        np.tile([[1.0, 2], [2, 1]], (30, 1)),
        np.random.default_rng(0).random((100, 2)) * 1e300,
        np.random.default_rng(0).random((100, 2)) * 1e-310,
        np.random.default_rng(0).random((40, 60)),
        np.arange(100.0).reshape(-1, 1),
    ],
    ids=["constant", "zeros", "duplicates", "huge", "denormal", "more sensors than rows", "one sensor that rises"],
)
def test_odd_rows_train_a_model_whose_scores_are_numbers(rows: Array) -> None:
    made = train(rows, TrainingOptions(epochs=5))
    assert np.isfinite(made.scores(rows)).all()
    assert np.isfinite(made.scores(np.full((1, rows.shape[1]), -1e300))).all()
    assert Model.load(made.dump()).threshold > 0


@pytest.mark.parametrize(
    ("rows", "options", "reason"),
    [
        (np.ones((2, 3)), TrainingOptions(), "2 rows are too few: a window of 1 needs at least 20"),
        (np.ones((100, 3)), TrainingOptions(window=20), "a window of 20 needs at least 160"),
        (np.ones((100, 3)), TrainingOptions(window=0), "it must be between 1 and 64"),
        (np.ones((1000, 3)), TrainingOptions(window=65), "it must be between 1 and 64"),
        (np.ones((1000, 40)), TrainingOptions(window=64, features="flat"), "make 2560 features, the limit is 2048"),
        (np.ones(100), TrainingOptions(), "expected \\(rows, 1 to 1024 sensors\\)"),
        (np.ones((100, 0)), TrainingOptions(), "expected \\(rows"),
        (np.full((100, 1), np.nan), TrainingOptions(), "must be a finite number"),
        (np.full((100, 1), 1e301), TrainingOptions(), "at most 1e\\+300"),
        (np.ones((100, 1)), TrainingOptions(features="wavelet"), "there are no features 'wavelet'"),
        (np.ones((100, 1)), TrainingOptions(epochs=0), "0 epochs"),
        (np.ones((100, 1)), TrainingOptions(seed=-1), "the seed is -1"),
        (np.ones((100, 1)), TrainingOptions(hidden=(4, 0)), "hidden widths"),
        (np.ones((100, 2)), TrainingOptions(sensors=(Sensor("a"), Sensor("a"))), "1 different sensors"),
        (np.ones((100, 1)), TrainingOptions(method="percentile", percentile=50.0), "percentile is 50.0"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_a_sentence(rows: Array, options: TrainingOptions, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check(rows, options)
    with pytest.raises(ValueError, match=reason):
        train(rows, options)


def test_refusals_are_training_errors() -> None:
    with pytest.raises(TrainingError):
        train(np.ones((2, 2)))


def test_progress_rises_to_the_end_and_can_end_the_training() -> None:
    shares: list[float] = []
    train(plant(100), TrainingOptions(epochs=3), lambda share, _message: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    def cancel(share: float, _message: str) -> None:
        if share > 0.1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(plant(100), TrainingOptions(epochs=3), cancel)

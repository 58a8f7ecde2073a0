"""Drift: rates on correlated noise with a known truth, and what the state holds."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import anomaly
import numpy as np
import pytest
from anomaly import demo
from anomaly.alerting import drift
from anomaly.alerting.alarms import Transition
from anomaly.alerting.drift import BASE_ROWS, LEARNING_BATCHES, DriftSettings, DriftState, Reference, step
from anomaly.model import Model
from numpy.typing import NDArray

REFERENCE = Reference(1.0, 0.25)
SETTINGS = DriftSettings()


def run(
    rows: NDArray[np.float64] | Sequence[Sequence[float]],
    state: DriftState | None = None,
    scores: NDArray[np.float64] | None = None,
    version: int = 1,
) -> tuple[DriftState, list[tuple[int, Transition]]]:
    """Steps through standardised rows (n, d) and returns the transitions with the row that made them."""
    state, made = state or DriftState(), []
    for number, row in enumerate(np.asarray(rows).tolist()):
        score = 1.0 if scores is None else float(scores[number])
        state, transitions = step(SETTINGS, state, row, score, REFERENCE, version, number)
        made += [(number, transition) for transition in transitions if transition.event != "updated"]
    return state, made


def correlated(rows: int, rho: float, seed: int) -> NDArray[np.float64]:
    """Returns an AR(1) process (rows, 1) of mean 0 and variance 1."""
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal(rows) * math.sqrt(1 - rho**2)
    values = np.empty(rows)
    values[0] = generator.standard_normal()
    for row in range(1, rows):
        values[row] = rho * values[row - 1] + noise[row]
    return values[:, None]


@pytest.mark.parametrize(("rho", "delay_rows"), [(0.0, 160), (0.5, 256), (0.9, 1024)])
def test_finds_a_shift_of_one_standard_deviation_and_nothing_before_it(rho: float, delay_rows: int) -> None:
    values = correlated(30_000, rho, seed=1)
    values[20_000:] += 1.0
    _, made = run(values)
    assert [transition.event for _, transition in made] == ["opened"]
    assert made[0][1].kind == "input_drift"
    assert 20_000 <= made[0][0] < 20_000 + delay_rows


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.97])
def test_raises_nothing_on_100_000_rows_without_drift(rho: float) -> None:
    _, made = run(correlated(100_000, rho, seed=2))
    assert made == []


@pytest.fixture(scope="module")
def shipped() -> Model:
    return Model.load((Path(anomaly.__file__).parent / "weights" / "default.safetensors").read_bytes())


def watch(model: Model, values: NDArray[np.float64]) -> list[tuple[int, Transition]]:
    """Runs a model's rows (n, 3) as ingest does, with their scores."""
    state, made, reference = DriftState(), [], Reference.of(model)
    rows, scores = model.standardise(values).tolist(), model.scores(values).tolist()
    for number, (row, score) in enumerate(zip(rows, scores, strict=True)):
        state, transitions = step(SETTINGS, state, row, score, reference, 1, number)
        made += [(number, transition) for transition in transitions if transition.event != "updated"]
    return made


def test_raises_nothing_on_100_000_normal_rows_of_the_demo(shipped: Model) -> None:
    assert watch(shipped, demo.generate(100_000, seed=1000)) == []


@pytest.mark.parametrize("sensor", [0, 1, 2])
def test_finds_a_shift_of_one_standard_deviation_in_the_demo_within_2000_rows(shipped: Model, sensor: int) -> None:
    values = demo.generate(10_000, seed=2000)
    values[8_000:, sensor] += values[:8_000, sensor].std()
    found = [number for number, transition in watch(shipped, values) if transition.kind == "input_drift"]
    assert found
    assert found[0] >= 8_000


def test_tolerates_an_offset_of_a_third_of_a_standard_deviation() -> None:
    _, made = run(correlated(30_000, 0.5, seed=3) + 0.33)
    assert made == []


def test_finds_a_shift_that_was_there_from_the_start_once_it_has_learned() -> None:
    _, made = run(correlated(3_000, 0.0, seed=4) - 1.0)
    assert made
    assert made[0][0] < BASE_ROWS * (LEARNING_BATCHES + 5)


def test_a_burst_of_anomalies_is_no_drift() -> None:
    values = correlated(6_000, 0.0, seed=5)
    values[5_000:5_020] = 50.0
    assert run(values)[1] == []


def test_ends_when_the_sensor_comes_back() -> None:
    values = correlated(12_000, 0.0, seed=6)
    values[3_000:8_000] += 3.0
    _, made = run(values)
    assert [transition.event for _, transition in made] == ["opened", "cleared"]
    assert 8_000 <= made[1][0] < 8_400


def test_names_the_sensor_and_its_shift() -> None:
    generator = np.random.default_rng(7)
    rows = generator.standard_normal((4_000, 3))
    rows[2_000:, 1] -= 2.0
    state, _ = run(rows)
    shown = drift.view(state, ["pressure", "flow", "current"])
    assert [entry["state"] for entry in shown["input"]] == ["stable", "drifting", "stable"]
    assert shown["input"][1]["sensor"] == "flow"
    assert shown["input"][1]["shift"] == pytest.approx(-2.0, abs=0.25)
    assert shown["score"]["state"] == "stable"
    shift, tolerated, shares = drift.evidence(state, ["pressure", "flow", "current"], "input_drift")
    assert shift == pytest.approx(2.0, abs=0.25)
    assert tolerated == 0.5
    assert shares is not None
    assert [share["contribution"] for share in shares] == [0.0, 1.0, 0.0]


def test_the_score_drifts_on_its_own() -> None:
    generator = np.random.default_rng(8)
    scores = 1.0 + 0.25 * generator.standard_normal(4_000)
    scores[2_000:] += 0.25
    state, made = run(generator.standard_normal((4_000, 1)), scores=scores)
    assert [(transition.kind, transition.event) for _, transition in made] == [("score_drift", "opened")]
    shift, _, shares = drift.evidence(state, ["a"], "score_drift")
    assert shift == pytest.approx(1.0, abs=0.3)
    assert shares is None


def test_a_new_version_starts_anew_and_clears_what_stood() -> None:
    values = correlated(3_000, 0.0, seed=9) + 2.0
    state, _ = run(values)
    assert drift.view(state, ["a"])["input"][0]["state"] == "drifting"
    state, made = run([[0.0]], state, version=2)
    assert [transition.event for _, transition in made] == ["cleared"]
    assert drift.view(state, ["a"])["input"][0]["state"] == "learning"


def test_another_number_of_sensors_starts_anew() -> None:
    state, _ = run(np.zeros((40, 2)))
    state, _ = run(np.zeros((1, 3)), state)
    assert len(state.channels) == 4


def test_disabling_clears_what_stood_and_forgets() -> None:
    state, _ = run(correlated(3_000, 0.0, seed=9) + 2.0)
    state, transitions = step(DriftSettings(enabled=False), state, [0.0], 1.0, REFERENCE, 1, 0)
    assert [transition.event for transition in transitions] == ["cleared"]
    assert state == DriftState()


def test_updates_a_standing_drift_with_each_batch() -> None:
    state, _ = run(correlated(3_008, 0.0, seed=9) + 2.0)
    made = [step(SETTINGS, state, [2.0], 1.0, REFERENCE, 1, row) for row in range(1)]
    assert made[0][1] == ()
    for row in range(BASE_ROWS):
        state, transitions = step(SETTINGS, state, [2.0], 1.0, REFERENCE, 1, row)
    assert [transition.event for transition in transitions] == ["updated"]


def test_null_values_do_not_count() -> None:
    generator = np.random.default_rng(10)
    rows = generator.standard_normal((4_000, 2))
    rows[:, 0] = np.nan
    rows[2_000:, 1] += 1.0
    rows[::3, 1] = np.nan
    state, made = run(rows)
    assert [transition.event for _, transition in made] == ["opened"]
    assert drift.view(state, ["a", "b"])["input"][0] == {"sensor": "a", "shift": None, "state": "learning"}


def test_a_sensor_at_rest_while_learning_raises_nothing_when_it_moves_as_in_training() -> None:
    values = correlated(20_000, 0.0, seed=11)
    values[:1_500] = 0.0
    assert run(values)[1] == []


def test_values_beyond_all_bounds_are_survived() -> None:
    state, _ = run([[1e308], [-1e308], [math.inf], [math.nan]] * 1_000)
    assert all(math.isfinite(channel.level or 0.0) for channel in state.channels)


def test_a_reference_without_spread_has_no_score_drift() -> None:
    state = DriftState()
    for row in range(2_000):
        state, _ = step(SETTINGS, state, [0.0], 99.0, Reference(0.0, 0.0), 1, row)
    assert drift.view(state, ["a"])["score"] == {"shift": 0.0, "state": "stable"}


def test_the_state_is_bounded_and_survives_json() -> None:
    state, _ = run(np.random.default_rng(12).standard_normal((5_000, 32)))
    text = json.dumps(drift.dump(state))
    assert len(text) < 16_384
    assert drift.load(json.loads(text)) == state
    assert drift.load(None) == DriftState()


def test_shows_a_fresh_asset_as_learning() -> None:
    assert drift.view(DriftState(), ["a"]) == {
        "input": [{"sensor": "a", "shift": None, "state": "learning"}],
        "score": {"shift": None, "state": "learning"},
    }
    assert drift.evidence(DriftState(), ["a"], "input_drift") == (None, 0.5, None)


def test_the_limit_grows_with_the_spread_and_keeps_the_run_length() -> None:
    limits = [drift.limit(spread, 32) for spread in (0.18, 0.3, 0.6, 1.0)]
    assert limits == sorted(limits)
    spread = 0.6
    delta, bound = 0.5 / spread, drift.limit(spread, 32) / spread + 1.166
    run_length = (math.exp(2 * delta * bound) - 2 * delta * bound - 1) / (2 * delta**2)
    assert run_length * 32 == pytest.approx(drift.FALSE_ALARM_ROWS, rel=0.01)

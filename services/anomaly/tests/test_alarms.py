"""The alarm's state machine, by examples and by properties over any sequence of readings."""

import json
from collections.abc import Sequence

import msgspec
import pytest
from anomaly.alerting.alarms import (
    AlarmSettings,
    AlarmState,
    Transition,
    acknowledge,
    dump,
    is_open,
    iso,
    load,
    step,
    view,
)
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

SECOND = 1000
START = 1_767_225_600_000

patient = hypothesis_settings(deadline=None)  # a busy machine is no failure

SETTINGS = st.builds(
    lambda m, extra, **rest: AlarmSettings(m=m, n=m + extra, **rest),
    m=st.integers(1, 5),
    extra=st.integers(0, 5),
    ewma=st.floats(0.01, 1),
    on_delay_s=st.sampled_from([0.0, 2.0, 10.0]),
    off_delay_s=st.sampled_from([0.0, 2.0, 10.0]),
    latch=st.booleans(),
)
SCORES = st.lists(st.one_of(st.none(), st.floats(0, 1e12)), max_size=60)


def run(
    settings: AlarmSettings, scores: Sequence[float | None], state: AlarmState | None = None, every_s: float = 1.0
) -> tuple[AlarmState, list[Transition | None]]:
    """Steps through scores against a threshold of 1, one every second; None is an unknown reading."""
    state, made = state or AlarmState(), []
    for row, score in enumerate(scores):
        at_ms = START + round(row * every_s * SECOND)
        status = "unknown" if score is None else "anomaly" if score > 1 else "normal"
        state, transition = step(settings, state, at_ms, score, 1.0, status)
        made.append(transition)
    return state, made


def events(made: list[Transition | None]) -> list[str | None]:
    return [None if transition is None else transition.event for transition in made]


def test_opens_at_three_of_five_and_clears_when_fewer_remain() -> None:
    state, made = run(AlarmSettings(), [2, 0, 2, 0, 2, 0, 0])
    assert events(made) == [None, None, None, None, "opened", "cleared", None]
    assert made[4] == Transition("anomaly", "opened", START + 4 * SECOND, START, 3)
    assert state.phase == "normal"


def test_updates_an_open_alarm_instead_of_opening_another() -> None:
    _, made = run(AlarmSettings(m=1, n=1), [2, 2, 2])
    assert events(made) == ["opened", "updated", "updated"]


def test_a_score_at_the_threshold_is_not_over_it() -> None:
    assert events(run(AlarmSettings(m=1, n=1), [1.0])[1]) == [None]


def test_waits_for_the_on_delay() -> None:
    _, made = run(AlarmSettings(m=1, n=1, on_delay_s=2), [2, 2, 2, 2])
    assert events(made) == [None, None, "opened", "updated"]


def test_an_interrupted_on_delay_starts_again() -> None:
    _, made = run(AlarmSettings(m=1, n=1, on_delay_s=2), [2, 2, 0, 2, 2, 2])
    assert events(made) == [None, None, None, None, None, "opened"]


def test_waits_for_the_off_delay_and_stays_open_when_it_comes_back() -> None:
    _, made = run(AlarmSettings(m=1, n=1, off_delay_s=2), [2, 0, 0, 2, 0, 0, 0])
    assert events(made) == ["opened", "updated", "updated", "updated", "updated", "updated", "cleared"]


def test_smoothing_ignores_one_spike_of_any_size_and_finds_a_small_lasting_excess() -> None:
    settings = AlarmSettings(ewma=0.1, m=1, n=1)
    _, made = run(settings, [0.0] * 20 + [1e9] + [0.0] * 20)
    assert events(made) == [None] * 41
    assert "opened" in events(run(settings, [0.0] * 20 + [1.5] * 20)[1])


def test_a_latched_alarm_stays_until_it_is_acknowledged() -> None:
    settings = AlarmSettings(m=1, n=1, latch=True)
    state, made = run(settings, [2, 0, 0, 0])
    assert events(made) == ["opened", "updated", "updated", "updated"]
    assert state.phase == "latched"
    state, transition = acknowledge(state, START)
    assert state.phase == "normal"
    assert transition is not None
    assert transition.event == "cleared"


def test_a_latched_alarm_acknowledged_before_it_returns_clears_by_itself() -> None:
    settings = AlarmSettings(m=1, n=1, latch=True)
    state, _ = run(settings, [2])
    state, transition = acknowledge(state, START)
    assert transition is None
    assert events(run(settings, [0], state)[1]) == ["cleared"]


def test_a_latched_alarm_that_comes_back_has_to_be_acknowledged() -> None:
    settings = AlarmSettings(m=1, n=1, latch=True)
    state, made = run(settings, [2, 0, 2, 0])
    assert events(made) == ["opened", "updated", "updated", "updated"]
    assert state.phase == "latched"


def test_taking_the_latch_back_frees_a_latched_alarm() -> None:
    state, _ = run(AlarmSettings(m=1, n=1, latch=True), [2, 0])
    assert events(run(AlarmSettings(m=1, n=1), [0], state)[1]) == ["cleared"]


def test_acknowledging_without_an_alarm_changes_nothing() -> None:
    assert acknowledge(AlarmState(), START) == (AlarmState(), None)


def test_disabling_clears_an_open_alarm_once() -> None:
    state, _ = run(AlarmSettings(m=1, n=1), [2])
    assert events(run(AlarmSettings(enabled=False), [2, 2], state)[1]) == ["cleared", None]


def test_a_threshold_of_zero_is_exceeded_by_any_score_above_it() -> None:
    state, transition = step(AlarmSettings(m=1, n=1), AlarmState(), START, 0.1, 0.0, "anomaly")
    assert transition is not None
    assert is_open(state)
    assert step(AlarmSettings(m=1, n=1), AlarmState(), START, 0.0, 0.0, "normal")[1] is None


def test_m_greater_than_n_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="m must be at most n, got m = 3 and n = 2"):
        msgspec.json.decode(b'{"m":3,"n":2}', type=AlarmSettings)


@pytest.mark.parametrize("text", [b'{"ewma":0}', b'{"ewma":2}', b'{"m":0}', b'{"off_delay_s":-1}', b'{"colour":1}'])
def test_settings_out_of_range_are_refused(text: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=AlarmSettings)


def test_shows_the_phase_and_since_when() -> None:
    assert view(AlarmState()) == {"state": "normal", "since": None, "smoothed_ratio": None}
    state, _ = run(AlarmSettings(m=1, n=1), [2])
    assert view(state) == {"state": "active", "since": iso(START), "smoothed_ratio": 2.0}
    assert iso(START) == "2026-01-01T00:00:00.000Z"


@patient
@given(SETTINGS, SCORES, st.data())
def test_unknown_readings_neither_raise_nor_clear(
    settings: AlarmSettings, scores: list[float | None], data: st.DataObject
) -> None:
    """A sequence with unknown readings put in anywhere ends as the one without them."""
    state, _ = run(settings, scores)
    before = state
    for _ in range(data.draw(st.integers(1, 5))):
        at_ms = START + data.draw(st.integers(0, 10**9))
        state, transition = step(settings, state, at_ms, None, 1.0, "unknown")
        assert transition is None
    assert state == before


@patient
@given(SETTINGS, SCORES)
def test_an_alarm_opens_before_it_is_updated_or_cleared_and_never_twice(
    settings: AlarmSettings, scores: list[float | None]
) -> None:
    state, made = run(settings, scores)
    standing = False
    for event in filter(None, events(made)):
        assert standing == (event != "opened")
        standing = event != "cleared"
    assert standing == is_open(state)


@patient
@given(SETTINGS, SCORES)
def test_the_state_is_bounded_and_survives_json(settings: AlarmSettings, scores: list[float | None]) -> None:
    state, _ = run(settings, scores)
    assert load(json.loads(json.dumps(dump(state)))) == state
    assert len(state.recent) <= settings.n
    assert load(None) == AlarmState()


@patient
@given(SETTINGS, st.integers(0, 40))
def test_normal_readings_alone_never_open_an_alarm(settings: AlarmSettings, rows: int) -> None:
    assert not any(run(settings, [1.0] * rows)[1])


@patient
@given(SETTINGS)
def test_lasting_excess_always_opens_and_lasting_normality_always_clears(settings: AlarmSettings) -> None:
    state, made = run(settings, [2.0] * 50)
    assert "opened" in events(made)
    state, _ = acknowledge(state, START)
    state, _ = run(settings, [0.0] * 600, state)  # the slowest smoothing forgets 10 in 230 rows
    assert state.phase == "normal"

"""Whether an alarm stands, from one judged reading to the next: EWMA, m-of-n, on and off delay, latch.

Pure: a frozen state in, a frozen state out. Terms after ISA-18.2 / IEC 62682; the smoothing is Roberts' EWMA
(Technometrics 1, 1959) on score / threshold, so that a new threshold needs no restart.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

# One spike must fade: unclipped, a ratio of 1e6 would hold a slow EWMA above 1 for hundreds of rows.
MAX_RATIO = 10.0

Seconds = Annotated[float, msgspec.Meta(ge=0, le=604_800)]
Phase = Literal["normal", "pending", "active", "clearing", "latched"]
Kind = Literal["anomaly", "input_drift", "score_drift", "silent"]
Event = Literal["opened", "updated", "cleared"]


class AlarmSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How readings become an alarm; the defaults are 3 of the last 5 readings over the threshold, no delay."""

    ewma: Annotated[float, msgspec.Meta(ge=0.01, le=1)] = 1.0  # weight of the newest ratio; 1 is no smoothing
    m: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    n: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    on_delay_s: Seconds = 0.0
    off_delay_s: Seconds = 0.0
    latch: bool = False  # stays open until it has returned to normal and was acknowledged
    silence_s: Annotated[float, msgspec.Meta(ge=1, le=31_536_000)] | None = None
    enabled: bool = True

    def __post_init__(self) -> None:
        if self.m > self.n:
            raise ValueError(f"m must be at most n, got m = {self.m} and n = {self.n}")


class AlarmState(msgspec.Struct, frozen=True):
    """All that the next reading needs to know, at most n + 4 numbers."""

    phase: Phase = "normal"
    since_ms: int | None = None  # when the phase began
    smoothed: float | None = None  # EWMA of score / threshold
    recent: tuple[int, ...] = ()  # the last n readings: time of one over the limit, else 0
    acknowledged: bool = False


class Transition(msgspec.Struct, frozen=True):
    """What became of an alert: `exceedances` of this event's readings were over, the first at `first_ms`."""

    kind: Kind
    event: Event
    at_ms: int
    first_ms: int
    exceedances: int = 0


def load(stored: Any) -> AlarmState:
    return AlarmState() if stored is None else msgspec.convert(stored, AlarmState)


def dump(state: AlarmState) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(state)
    return document


def view(state: AlarmState) -> dict[str, Any]:
    """Returns the alarm as the API shows it."""
    since = None if state.since_ms is None else iso(state.since_ms)
    return {"state": state.phase, "since": since, "smoothed_ratio": state.smoothed}


def is_open(state: AlarmState) -> bool:
    return state.phase in ("active", "clearing", "latched")


def step(
    settings: AlarmSettings, state: AlarmState, at_ms: int, score: float | None, threshold: float, status: str
) -> tuple[AlarmState, Transition | None]:
    """Takes the next live reading; an `unknown` one changes nothing, neither raises nor clears."""
    if not settings.enabled:
        return AlarmState(), _transition("cleared", state, at_ms) if is_open(state) else None
    if status == "unknown" or score is None:
        return state, None
    smoothed = _smooth(settings.ewma, state.smoothed, _ratio(score, threshold))
    over = smoothed > 1.0
    recent = (*state.recent, at_ms if over else 0)[-settings.n :]
    measured = msgspec.structs.replace(state, smoothed=smoothed, recent=recent)
    standing = sum(map(bool, recent)) >= settings.m
    return _raise(settings, measured, at_ms, over) if standing else _lower(settings, measured, at_ms, over)


def acknowledge(state: AlarmState, at_ms: int) -> tuple[AlarmState, Transition | None]:
    """Notes that a person has seen it; a latched alarm that has returned to normal clears by this."""
    if state.phase == "latched":
        return _enter(state, "normal", at_ms, acknowledged=False), _transition("cleared", state, at_ms)
    return msgspec.structs.replace(state, acknowledged=is_open(state)), None


def _raise(settings: AlarmSettings, state: AlarmState, at_ms: int, over: bool) -> tuple[AlarmState, Transition | None]:
    if is_open(state):
        # A latched alarm that comes back has to be seen again.
        seen = state.acknowledged and state.phase != "latched"
        opened = state if state.phase == "active" else _enter(state, "active", at_ms, acknowledged=seen)
        return opened, _transition("updated", opened, at_ms, exceedances=int(over))
    if state.phase == "normal":
        state = _enter(state, "pending", at_ms)
    if _lasted(state, at_ms, settings.on_delay_s):
        opened = _enter(state, "active", at_ms, acknowledged=False)
        return opened, _transition("opened", opened, at_ms, exceedances=sum(map(bool, state.recent)))
    return state, None


def _lower(settings: AlarmSettings, state: AlarmState, at_ms: int, over: bool) -> tuple[AlarmState, Transition | None]:
    if not is_open(state):
        return state if state.phase == "normal" else _enter(state, "normal", at_ms), None
    if state.phase == "active":
        state = _enter(state, "clearing", at_ms)
    if state.phase == "clearing" and _lasted(state, at_ms, settings.off_delay_s):
        if not settings.latch or state.acknowledged:
            return _enter(state, "normal", at_ms, acknowledged=False), _transition("cleared", state, at_ms)
        state = _enter(state, "latched", at_ms)
    if state.phase == "latched" and not settings.latch:  # the setting was taken back meanwhile
        return _enter(state, "normal", at_ms, acknowledged=False), _transition("cleared", state, at_ms)
    return state, _transition("updated", state, at_ms, exceedances=int(over))


def _ratio(score: float, threshold: float) -> float:
    if threshold <= 0:
        return MAX_RATIO if score > threshold else 0.0
    return min(score / threshold, MAX_RATIO)


def _smooth(weight: float, before: float | None, ratio: float) -> float:
    return ratio if before is None else weight * ratio + (1.0 - weight) * before


def _lasted(state: AlarmState, at_ms: int, delay_s: float) -> bool:
    return at_ms - (state.since_ms or 0) >= delay_s * 1000


def _enter(state: AlarmState, phase: Phase, at_ms: int, acknowledged: bool | None = None) -> AlarmState:
    seen = state.acknowledged if acknowledged is None else acknowledged
    return msgspec.structs.replace(state, phase=phase, since_ms=at_ms, acknowledged=seen)


def _transition(event: Event, state: AlarmState, at_ms: int, exceedances: int = 0) -> Transition:
    first_ms = min(filter(None, state.recent), default=at_ms)
    return Transition("anomaly", event, at_ms, first_ms, exceedances)


def iso(at_ms: int) -> str:
    """Returns epoch milliseconds as the API shows a time: `2026-01-31T08:00:00.000Z`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso(at_ms)

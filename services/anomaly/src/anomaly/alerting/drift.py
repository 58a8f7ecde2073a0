"""Whether an asset has moved away from what its model was trained on: per sensor, and for the score as a whole.

Drift is a state of its own and never an `anomaly`. Method: a two-sided CUSUM (Page, Biometrika 41, 1954) on batch
means whose batch grows until successive ones are uncorrelated (Runger and Willemain, IIE Transactions 28, 1996),
judged by von Neumann's ratio of successive differences; the limit solves Siegmund's approximation of the run length
(Sequential Analysis, 1985) for one false alarm in `FALSE_ALARM_ROWS` rows per channel. What correlation is left
widens the limit to the long-run variance (Johnson and Bagshaw, Technometrics 16, 1974). What differs: the spread of a
batch mean is taken at its upper 99 % bound, because 32 batches estimate it poorly and a run length hangs on it
exponentially, and one batch counts at most a third of the limit, so that a burst of anomalies is no drift.

Everything is in units of the training standard deviation. State: 32 values per channel at most, whatever the history.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from anomaly.alerting.alarms import Kind, Transition

BASE_ROWS = 32  # rows in the smallest batch
LEARNING_BATCHES = 32  # batches that judge a batch size
MAX_SPAN = 128  # base batches in the largest batch: 4096 rows
CLIP = 4.0  # one row counts at most this many standard deviations
TOLERATED = 0.5  # the CUSUM's reference value: half the shift of 1 that it is tuned to find
FALSE_ALARM_ROWS = 1e7  # 116 days at a row a second
# sqrt(31 / 0.01-quantile of chi-squared with 31 degrees of freedom)
UPPER_BOUND = 1.407
# Von Neumann's ratio has mean 1 and standard deviation 0.17 for 32 uncorrelated batches.
MIN_RATIO = 0.7
LEVEL_WEIGHT = 0.2  # of the newest base batch in the shift that is shown

State = Literal["learning", "stable", "drifting"]


class DriftSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether drift is looked for."""

    enabled: bool = True


class Scores(Protocol):
    """The part of a model's calibration that the score's drift is measured against."""

    @property
    def mean(self) -> float: ...

    @property
    def std(self) -> float: ...


class Calibrated(Protocol):
    """A model that knows the scores of held-back normal rows."""

    @property
    def calibration(self) -> Scores: ...


class Reference(NamedTuple):
    """Mean and standard deviation of the scores of held-back normal rows; a deviation of 0 measures no drift."""

    mean: float
    std: float

    @classmethod
    def of(cls, model: Calibrated) -> "Reference":
        return cls(model.calibration.mean, model.calibration.std)


class Channel(msgspec.Struct, frozen=True, array_like=True):
    """One sensor's, or the score's, sequence of batch means."""

    span: int = 1  # base batches in a batch
    parts: int = 0  # base batches in the unfinished batch
    total: float = 0.0  # their sum
    batches: int = 0  # seen while learning
    mean: float = 0.0  # of those, Welford's way
    squares: float = 0.0
    successive: float = 0.0  # sum of the squared differences of neighbours
    last: float = 0.0
    spread: float | None = None  # of a batch mean; None while learning
    up: float = 0.0  # the two CUSUMs
    down: float = 0.0
    level: float | None = None  # EWMA of the base batches: the shift that is shown
    side: int = 0  # -1, 1: drifting down, up

    @property
    def state(self) -> State:
        return "drifting" if self.side else "learning" if self.spread is None else "stable"


class DriftState(msgspec.Struct, frozen=True, array_like=True):
    """One channel per sensor, the score's last; `sums` and `counts` belong to the unfinished base batch."""

    version: int = 0
    rows: int = 0
    sums: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    channels: tuple[Channel, ...] = ()


def load(stored: Any) -> DriftState:
    return DriftState() if stored is None else msgspec.convert(stored, DriftState)


def dump(state: DriftState) -> list[Any]:
    document: list[Any] = msgspec.to_builtins(state)
    return document


def step(
    settings: DriftSettings,
    state: DriftState,
    row: Sequence[float],
    score: float,
    reference: Reference,
    version: int,
    at_ms: int,
) -> tuple[DriftState, tuple[Transition, ...]]:
    """Takes one judged row, standardised as in training, NaN for null; another version starts anew."""
    if not settings.enabled:
        return DriftState(), _transitions(state.channels, (), at_ms)
    ended: tuple[Transition, ...] = ()
    if state.version != version or len(state.channels) != len(row) + 1:
        ended = _transitions(state.channels, (), at_ms)
        state = _fresh(len(row) + 1, version)
    values = (*row, (score - reference.mean) / reference.std if reference.std > 0 else 0.0)
    sums = tuple(total + _clip(value) for total, value in zip(state.sums, values, strict=True))
    counts = tuple(count + (value == value) for count, value in zip(state.counts, values, strict=True))
    if state.rows + 1 < BASE_ROWS:
        return DriftState(version, state.rows + 1, sums, counts, state.channels), ended
    channels = tuple(map(_base_batch, state.channels, sums, counts))
    return _fresh(len(values), version, channels), ended + _transitions(state.channels, channels, at_ms)


def view(state: DriftState, sensors: Sequence[str]) -> dict[str, Any]:
    """Returns the drift as the API shows it: shifts in standard deviations, None before the first 32 rows."""
    channels = state.channels or (Channel(),) * (len(sensors) + 1)
    inputs = [{"sensor": name, **_shown(channel)} for name, channel in zip(sensors, channels, strict=False)]
    return {"input": inputs, "score": _shown(channels[-1])}


def evidence(
    state: DriftState, sensors: Sequence[str], kind: Kind
) -> tuple[float | None, float, list[dict[str, Any]] | None]:
    """Returns (largest shift, tolerated shift, share of each sensor in the shifts) for an alert of this kind."""
    if not state.channels:
        return None, TOLERATED, None
    if kind == "score_drift":
        return state.channels[-1].level, TOLERATED, None
    shifts = [abs(channel.level or 0.0) if channel.side else 0.0 for channel in state.channels[:-1]]
    total = math.fsum(shifts)
    shares = [{"sensor": n, "contribution": s / total if total else 0.0} for n, s in zip(sensors, shifts, strict=True)]
    return max(shifts, default=0.0), TOLERATED, shares


def limit(spread: float, batch_rows: int) -> float:
    """Returns the CUSUM's limit for batch means of this spread: Siegmund's run length solved by bisection."""
    allowance = TOLERATED / spread
    batches = FALSE_ALARM_ROWS / batch_rows
    low, high = 0.0, 200.0
    for _ in range(60):
        middle = (low + high) / 2
        exponent = 2 * allowance * (middle + 1.166)
        run_length = (math.exp(min(exponent, 700.0)) - exponent - 1) / (2 * allowance**2)
        low, high = (middle, high) if run_length < batches else (low, middle)
    return max(high, 1.0) * spread  # never under one spread, however small that is


def _clip(value: float) -> float:
    return 0.0 if value != value else max(-CLIP, min(CLIP, value))


def _fresh(width: int, version: int, channels: tuple[Channel, ...] = ()) -> DriftState:
    return DriftState(version, 0, (0.0,) * width, (0,) * width, channels or (Channel(),) * width)


def _base_batch(channel: Channel, total: float, count: int) -> Channel:
    if count < BASE_ROWS // 2:  # mostly null: nothing to say
        return channel
    mean = total / count
    level = mean if channel.level is None else channel.level + LEVEL_WEIGHT * (mean - channel.level)
    parts, sum_ = channel.parts + 1, channel.total + mean
    if parts < channel.span:
        return msgspec.structs.replace(channel, parts=parts, total=sum_, level=level)
    filled = msgspec.structs.replace(channel, parts=0, total=0.0, level=level)
    batch = sum_ / parts
    return _learn(filled, batch) if channel.spread is None else _judge(filled, batch, channel.spread)


def _learn(channel: Channel, batch: float) -> Channel:
    batches = channel.batches + 1
    mean = channel.mean + (batch - channel.mean) / batches
    squares = channel.squares + (batch - channel.mean) * (batch - mean)
    successive = channel.successive + ((batch - channel.last) ** 2 if channel.batches else 0.0)
    if batches < LEARNING_BATCHES:
        return msgspec.structs.replace(
            channel, batches=batches, mean=mean, squares=squares, successive=successive, last=batch
        )
    if successive < MIN_RATIO * 2 * squares and channel.span < MAX_SPAN:
        return Channel(span=channel.span * 2, level=channel.level)  # neighbours are alike: larger batches
    floor = 1 / math.sqrt(channel.span * BASE_ROWS)  # of uncorrelated rows: a sensor at rest has learned nothing less
    alike = max(0.0, 1 - successive / (2 * squares)) if squares > 0 else 0.0
    long_run = squares / (batches - 1) * (1 + alike) / (1 - min(alike, 0.9))
    spread = max(UPPER_BOUND * math.sqrt(long_run), floor)
    return Channel(span=channel.span, spread=spread, level=channel.level)


def _judge(channel: Channel, batch: float, spread: float) -> Channel:
    bound = limit(spread, channel.span * BASE_ROWS)
    up = _cusum(channel.up, batch - TOLERATED, bound)
    down = _cusum(channel.down, -batch - TOLERATED, bound)
    side = channel.side
    if not side:
        side = 1 if up >= bound else -1 if down >= bound else 0
    elif (up if side > 0 else down) <= 0.0:
        side = 0
    return msgspec.structs.replace(channel, up=up, down=down, side=side)


def _cusum(before: float, excess: float, bound: float) -> float:
    # Held at 4/3 of the limit, so that a long drift is forgotten as fast as a short one.
    return max(0.0, min(before + min(excess, bound / 3), bound * 4 / 3))


def _shown(channel: Channel) -> dict[str, Any]:
    return {"shift": channel.level, "state": channel.state}


def _transitions(before: Sequence[Channel], after: Sequence[Channel], at_ms: int) -> tuple[Transition, ...]:
    kinds: tuple[tuple[Kind, slice], ...] = (("input_drift", slice(None, -1)), ("score_drift", slice(-1, None)))
    made = (_transition(kind, _any(before[part]), _any(after[part]), at_ms) for kind, part in kinds)
    return tuple(filter(None, made))


def _any(channels: Iterable[Channel]) -> bool:
    return any(channel.side for channel in channels)


def _transition(kind: Kind, before: bool, after: bool, at_ms: int) -> Transition | None:
    if before and after:
        return Transition(kind, "updated", at_ms, at_ms, 1)
    if after:
        return Transition(kind, "opened", at_ms, at_ms, 1)
    return Transition(kind, "cleared", at_ms, at_ms) if before else None

"""What judged readings do to the alarm, the drift and the alerts of their asset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from anomaly.alerting import alarms, alerts, drift
from anomaly.alerting.alarms import AlarmSettings, AlarmState, Transition
from anomaly.alerting.alerts import Evidence
from anomaly.alerting.drift import DriftSettings, DriftState, Reference
from anomaly.model import Model
from anomaly.preprocess import Array

Shares = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A live reading that has a score; `window` is what made it."""

    at_ms: int
    score: float
    status: str
    values: Array  # (d,) NaN for null
    window: Callable[[], Array]


@dataclass(frozen=True, slots=True)
class Condition:
    """All that the next reading has to know of the earlier ones, but for the window."""

    alarm: AlarmState
    drift: DriftState


class Update(NamedTuple):
    """A transition and, only where it is written, the evidence for it."""

    transition: Transition
    score: float
    evidence: Callable[[], Evidence]


@dataclass(slots=True)
class Pursuit:
    """Follows readings in the order of time, and writes what they do to alert rows.

    Successive updates of one alert are written as two: the highest and the last. So a batch of ten thousand anomalies
    costs what a few do, and the row is the same.
    """

    connection: sa.Connection
    asset: alerts.Asset
    model: Model
    version: int
    reference: Reference
    now_ms: int
    receivers: Sequence[str]
    wrote: bool = False
    _updates: dict[str, list[Update]] = field(default_factory=dict)

    def follow(
        self, alarm: AlarmSettings, drifting: DriftSettings, condition: Condition, readings: Sequence[Judged]
    ) -> Condition:
        """Returns the condition after these readings."""
        state, drifted = condition.alarm, condition.drift
        for reading in readings:
            state, transition = alarms.step(
                alarm, state, reading.at_ms, reading.score, self.model.threshold, reading.status
            )
            if transition:
                self._note(transition, reading.score, partial(self._evidence, reading))
            row = self.model.standardise(reading.values).tolist()
            drifted, found = drift.step(
                drifting, drifted, row, reading.score, self.reference, self.version, reading.at_ms
            )
            for transition in found:
                self._note(transition, 0.0, partial(self._drift_evidence, drifted, transition))
        for kind in list(self._updates):
            self._write_updates(kind)
        return Condition(state, drifted)

    def _note(self, transition: Transition, score: float, evidence: Callable[[], Evidence]) -> None:
        update = Update(transition, score, evidence)
        if transition.event == "updated":
            self._updates.setdefault(transition.kind, []).append(update)
            return
        self._write_updates(transition.kind)
        self._apply(update)

    def _write_updates(self, kind: str) -> None:
        """Writes what has gathered: the highest reading for all but the last, then the last."""
        gathered = self._updates.pop(kind, [])
        before = gathered[:-1]
        if before:
            exceeding = [update.transition for update in before if update.transition.exceedances]
            total = sum(transition.exceedances for transition in exceeding)
            latest = (exceeding or [before[-1].transition])[-1]
            highest = max(before, key=lambda update: update.score)
            self._apply(Update(msgspec.structs.replace(latest, exceedances=total), highest.score, highest.evidence))
        for update in gathered[-1:]:
            self._apply(update)

    def _apply(self, update: Update) -> None:
        self.wrote = True
        alerts.apply(self.connection, self.asset, update.transition, update.evidence(), self.now_ms, self.receivers)

    def _evidence(self, reading: Judged) -> Evidence:
        shares = contributions(self.model, reading.window())
        return Evidence(reading.score, self.model.threshold, self.version, shares)

    def _drift_evidence(self, state: DriftState, transition: Transition) -> Evidence:
        names = [sensor.name for sensor in self.model.sensors]
        shift, limit, shares = drift.evidence(state, names, transition.kind)
        return Evidence(shift, limit, self.version, shares)


def contributions(model: Model, window: Array) -> Shares:
    """Returns each sensor's share of the score of a window (W, d), in the order of the sensors."""
    shares = model.contributions(window).tolist()
    return [{"sensor": s.name, "contribution": share} for s, share in zip(model.sensors, shares, strict=True)]

"""Detection on SKAB's 34 labelled recordings: each trains on its first 400 rows, and the later ones are judged.

Causal and never point-adjusted: a row counts as found only if its own status says so, and no row is judged by later
ones. The rows after the first 400 of all recordings are pooled. `automatic` is what a user gets who sets nothing but
the window; `study` is the fixed percentile and margin of the study from which the method came; `window 1` sets nothing.
SKAB's labels were in view when the method was developed: these figures show how it works, not how it carries over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anomaly.alerting import alarms
from anomaly.learning.training import TrainingOptions, train
from anomaly.model import Sensor

from bench import recordings
from bench.recordings import Mask, Skab
from bench.report import Row

NEEDS_DATA = True
TRAINING_ROWS = 400
LEAST_F1, MOST_FALSE, MOST_MISSED = 0.80, 0.15, 0.25
SETTLED_S = (30, 60)  # seconds after a labelled change point
CONFIGURATIONS: dict[str, dict[str, object]] = {
    "automatic, window 20": {"window": 20},
    "study, window 20": {"window": 20, "kind": "pca", "method": "percentile", "percentile": 99.0, "margin": 1.4},
    "automatic, window 1": {},
}
HEADLINE = "automatic, window 20"


@dataclass(frozen=True, eq=False)
class Judged:
    """A recording's rows after the training ones: statuses (n,) and open alarms (n,) beside the labels."""

    group: str
    statuses: Mask
    open_alarms: Mask
    faults: Mask
    changes: Mask
    kind: str


@dataclass(frozen=True)
class Rates:
    """Row by row: a false alarm is a normal row called anomaly, a missed row a faulty one called normal."""

    f1: float
    false_alarms: float
    missed: float

    @property
    def balanced_accuracy(self) -> float:
        return 1 - (self.false_alarms + self.missed) / 2


def measure(data: str) -> Iterator[Row]:
    found = list(recordings.skab(Path(data)))
    for name, options in CONFIGURATIONS.items():
        judged = [judge(recording, options) for recording in found]
        yield from _pooled(name, judged, goals=name == HEADLINE)
        if name == HEADLINE:
            yield from _details(name, judged)
    always = rates([np.ones(len(j.faults), dtype=np.bool_) for j in judged], [j.faults for j in judged])
    yield Row("always alarm: F1", always.f1, "the same rows, all called anomaly", None)
    yield Row("always alarm: balanced accuracy", always.balanced_accuracy, "", None)


def judge(recording: Skab, options: dict[str, object]) -> Judged:
    sensors = tuple(Sensor(name) for name in recording.sensors)
    chosen = TrainingOptions(sensors=sensors, **options)  # type: ignore[arg-type]  # names and types stand above
    model = train(recording.rows[:TRAINING_ROWS], chosen)
    scores = model.scores(recording.rows)
    later = slice(TRAINING_ROWS, None)
    opened = _open_alarms(scores.tolist(), model.threshold)
    statuses = np.asarray(scores > model.threshold)
    return Judged(
        recording.group, statuses[later], opened[later], recording.faults[later], recording.changes[later], model.kind
    )


def _open_alarms(scores: Sequence[float], threshold: float) -> Mask:
    """Returns where the service's alarm with its default settings stands open (n,), at a row a second."""
    settings, state, opened = alarms.AlarmSettings(), alarms.AlarmState(), []
    for second, score in enumerate(scores):
        status = "unknown" if score != score else "anomaly" if score > threshold else "normal"
        state, _ = alarms.step(settings, state, second * 1000, score, threshold, status)
        opened.append(alarms.is_open(state))
    return np.array(opened)


def rates(statuses: Sequence[Mask], faults: Sequence[Mask]) -> Rates:
    """Pools the rows of all recordings."""
    said, labelled = np.concatenate(statuses), np.concatenate(faults)
    hits = float((said & labelled).sum())
    wrong, missed = float((said & ~labelled).sum()), float((~said & labelled).sum())
    return Rates(
        2 * hits / (2 * hits + wrong + missed), wrong / float((~labelled).sum()), missed / float(labelled.sum())
    )


def _pooled(name: str, judged: Sequence[Judged], *, goals: bool) -> Iterator[Row]:
    made = rates([j.statuses for j in judged], [j.faults for j in judged])
    networks = sum(j.kind == "autoencoder" for j in judged)
    figures = (
        ("F1", made.f1, f"at least {LEAST_F1}", made.f1 >= LEAST_F1),
        ("false-alarm rate", made.false_alarms, f"at most {MOST_FALSE}", made.false_alarms <= MOST_FALSE),
        ("missed rate", made.missed, f"at most {MOST_MISSED}", made.missed <= MOST_MISSED),
    )
    for what, figure, goal, met in figures:
        yield Row(f"{name}: {what}", figure, goal if goals else "", met if goals else None)
    yield Row(f"{name}: balanced accuracy", made.balanced_accuracy, f"{networks} of {len(judged)} took a network", None)


def _details(name: str, judged: Sequence[Judged]) -> Iterator[Row]:
    for group in recordings.SKAB_GROUPS:
        own = [j for j in judged if j.group == group]
        made = rates([j.statuses for j in own], [j.faults for j in own])
        note = f"false {made.false_alarms:.1%}, missed {made.missed:.1%}"
        yield Row(f"{name}: F1 of {group} ({len(own)})", made.f1, note, None)
    alarm = rates([j.open_alarms for j in judged], [j.faults for j in judged])
    note = f"false {alarm.false_alarms:.1%}, missed {alarm.missed:.1%}"
    yield Row(f"{name}: F1 of the alarm, 3 of 5 rows", alarm.f1, note, None)
    for when, share in zip(("before", "after"), _around(judged), strict=True):
        yield Row(f"{name}: false-alarm rate {when} the first fault", share, "", None)
    for seconds in SETTLED_S:
        near, chance = _changed_within(judged, seconds)
        yield Row(f"{name}: change points, status changed in {seconds} s", near, f"by chance {chance:.3f}", None)
    yield from _delays(name, judged)


def _around(judged: Sequence[Judged]) -> tuple[float, float]:
    """Returns the share of normal rows that alarm before the first faulty row, and after it."""
    before, after = [], []
    for j in judged:
        first = int(np.argmax(j.faults)) if j.faults.any() else len(j.faults)
        normal = ~j.faults
        before.append(j.statuses[:first][normal[:first]])
        after.append(j.statuses[first:][normal[first:]])
    return float(np.concatenate(before).mean()), float(np.concatenate(after).mean())


def _changed_within(judged: Sequence[Judged], seconds: int) -> tuple[float, float]:
    """Returns the share of labelled change points, and of all rows, that a change of status follows in `seconds`."""
    near, everywhere = [], []
    for j in judged:
        flips = np.diff(j.statuses, prepend=j.statuses[:1])
        follows = np.array([flips[row : row + seconds + 1].any() for row in range(len(flips))])
        near.append(follows[j.changes])
        everywhere.append(follows)
    return float(np.concatenate(near).mean()), float(np.concatenate(everywhere).mean())


def _delays(name: str, judged: Sequence[Judged]) -> Iterator[Row]:
    """Tells how soon faults that begin after the training rows are found; those that already alarmed prove nothing."""
    delays, began = [], 0
    for j in judged:
        for start in np.flatnonzero(np.diff(j.faults.astype(np.int8)) == 1) + 1:
            if j.statuses[start - 1]:
                continue
            began += 1
            stop = start + int(np.argmin(np.append(j.faults[start:], False)))
            hits = np.flatnonzero(j.statuses[start:stop])
            delays.extend(hits[:1].tolist())
    yield Row(
        f"{name}: share of faults found at all", len(delays) / began, f"{began} began out of a normal status", None
    )
    yield Row(f"{name}: median seconds until found", float(np.median(delays)), "of those found", None)

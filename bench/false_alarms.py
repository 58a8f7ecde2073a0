"""What the automatic threshold promises, and what later rows make of it, on every data set.

Nothing is chosen by hand but the window. Trained on the first rows, as an integrator would; judged on the normal rows
that come later, and on what the data set labels as a fault. A rate that is missed is published like one that is kept;
beside it stands whether the model's own notes warn: of few independent blocks, of sensors that wander, of a change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anomaly.learning.training import TrainingOptions, train
from anomaly.model import Model, Sensor

from bench import recordings
from bench.recordings import SHARP_UM, WORN_UM, Array, Mask, Recording
from bench.report import Row

NEEDS_DATA = True
KEPT = 2.0  # times the nominal rate still counts as kept
FEW_BLOCKS = 20
FREE_ROWS = (400, 1000, 2000, 4700)  # of 9,405; 4,700 is half
TEMPERATURE_ROWS = (1000, 2000, 4000)  # of 22,695; 2,000 is a week
WINDOW, TEMPERATURE_WINDOW, TOOL_WINDOW = 20, 12, 5
TOOL_SHARE, LEAST_TOOL_ROWS = 0.4, 40
# What a note says when it speaks against the promise.
WARNINGS = (
    "is a guess",
    "drift",
    "changed its state",
    "wander",
    "times what training rows score",
    "far beyond the rest",
)


@dataclass(frozen=True, eq=False)
class Outcome:
    """A model, and the statuses of later rows: of normal ones, and of faulty ones."""

    what: str
    model: Model
    normal: Mask
    faulty: Mask


def measure(data: str) -> Iterator[Row]:
    folder = Path(data)
    yield from _many("skab, 34 recordings, 400 rows each, window 20", list(_skab(folder)))
    for outcome in (*_free(folder), *_temperature(folder), *_tools(folder), _milling(folder)):
        yield from told(outcome)


def told(outcome: Outcome) -> Iterator[Row]:
    nominal = outcome.model.calibration.nominal_false_alarm_rate or 0.0
    if len(outcome.normal):
        real = float(outcome.normal.mean())
        yield Row(f"{outcome.what}: false alarms", real, _beside(outcome.model), real <= KEPT * nominal)
    else:
        yield Row(f"{outcome.what}: false alarms", None, "no later normal rows", None)
    if len(outcome.faulty):
        yield Row(f"{outcome.what}: rows of faults found", float(outcome.faulty.mean()), "", None)


def _beside(model: Model) -> str:
    made = model.calibration
    warned = "warned" if warnings(model) else "no warning"
    return f"nominal {made.nominal_false_alarm_rate:.3g}, {made.n_blocks} blocks, {warned}"


def warnings(model: Model) -> list[str]:
    """Returns the notes that speak against the promise."""
    return [note for note in model.calibration.notes if any(word in note for word in WARNINGS)]


def _many(what: str, outcomes: list[Outcome]) -> Iterator[Row]:
    nominal = float(np.mean([o.model.calibration.nominal_false_alarm_rate for o in outcomes]))
    each = np.array([o.normal.mean() for o in outcomes])
    warned = sum(bool(warnings(o.model)) for o in outcomes)
    real = float(np.concatenate([o.normal for o in outcomes]).mean())
    yield Row(f"{what}: false alarms", real, f"nominal {nominal:.3g}, {warned} warned", real <= KEPT * nominal)
    kept = float((each <= KEPT * nominal).mean())
    yield Row(f"{what}: recordings that keep it", kept, f"worst {each.max():.3f}", None)
    yield Row(f"{what}: rows of faults found", float(np.concatenate([o.faulty for o in outcomes]).mean()), "", None)


def _outcome(what: str, found: Recording, n_rows: int, window: int, normal: Mask, faulty: Mask) -> Outcome:
    """Trains on the first rows, whatever they are, and splits the later ones by two masks (n,)."""
    model = _trained(found.rows[:n_rows], found, window)
    statuses = np.asarray(model.scores(found.rows) > model.threshold)
    later = np.arange(len(statuses)) >= n_rows
    return Outcome(what, model, statuses[later & normal], statuses[later & faulty])


def _trained(rows: Array, found: Recording, window: int) -> Model:
    return train(rows, TrainingOptions(window=window, sensors=tuple(Sensor(name) for name in found.sensors)))


def _skab(folder: Path) -> Iterator[Outcome]:
    for found in recordings.skab(folder):
        yield _outcome(found.name, found, 400, WINDOW, ~found.faults, found.faults)


def _free(folder: Path) -> Iterator[Outcome]:
    found = recordings.skab_anomaly_free(folder)
    for n_rows in FREE_ROWS:
        what = f"skab anomaly-free, first {n_rows} rows, window {WINDOW}"
        yield _outcome(what, found, n_rows, WINDOW, ~found.faults, found.faults)


def _temperature(folder: Path) -> Iterator[Outcome]:
    found = recordings.temperature(folder)
    for n_rows in TEMPERATURE_ROWS:
        what = f"machine temperature, first {n_rows} rows, window {TEMPERATURE_WINDOW}"
        yield _outcome(what, found, n_rows, TEMPERATURE_WINDOW, ~found.faults, found.faults)


def _tools(folder: Path) -> Iterator[Outcome]:
    """Each tool by itself: its first 40 % are taken as good."""
    for found in recordings.tools(folder):
        n_rows = max(LEAST_TOOL_ROWS, int(TOOL_SHARE * len(found.rows)))
        what = f"cnc {found.name}, first {n_rows} rows, window {TOOL_WINDOW}"
        yield _outcome(what, found, n_rows, TOOL_WINDOW, found.wear_um < SHARP_UM, found.wear_um > WORN_UM)


def _milling(folder: Path) -> Outcome:
    """Rows that do not follow each other: normal ones of the first half train."""
    found = recordings.milling(folder)
    half = len(found.rows) // 2
    model = _trained(found.rows[:half][~found.faults[:half]], found, 1)
    statuses, faults = np.asarray(model.scores(found.rows[half:]) > model.threshold), found.faults[half:]
    return Outcome(f"ai4i, normal rows of the first {half}, window 1", model, statuses[~faults], statuses[faults])

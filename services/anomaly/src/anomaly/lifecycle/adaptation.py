"""Online adaptation: a model's means and threshold follow a machine that ages slowly, within bounds, if asked to.

What it guards against is slow poisoning: a fault that grows so slowly that each day looks like the day before, until
the model calls it normal. Therefore
- the total distance from the last trained version is bounded by `max_shift`, in training standard deviations for each
  sensor and in standard deviations of the held-back scores for the threshold, however many steps are made;
- a step uses readings that were `normal`, of good quality and live, and none at all while an alarm or a drift is open,
  since the last one was open, or where too many readings between them alarmed;
- a step goes a quarter of the way, so that one unusual stretch of production does not move a model much;
- each step is a version of origin `adapted` with its parent: rolled back like any other, and what an activation or a
  roll back has changed is not adapted from readings older than it.
The scale of a sensor is never touched: rows chosen for being normal spread less than all rows do, so that a scale
learnt from them would shrink step by step. Drift is measured against the adapted means: at most `max_shift` later.
"""

from dataclasses import replace
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from anomaly.lifecycle.recent import Mask, Recent
from anomaly.model import Model

Array = NDArray[np.float64]

STEP_SHARE = 0.25  # of the way to what the newest readings say
MIN_SHIFT = 0.02  # standard deviations; less is not worth a version
MAX_ALARMING_SHARE = 0.05  # of the readings of a step: more, and they are not a normal stretch
NOTE = "Adapted online: "


class AdaptationSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether an asset's model follows its readings, how far at most, and after how many normal readings."""

    enabled: bool = False
    max_shift: Annotated[float, Meta(gt=0, le=3)] = 0.5
    interval_rows: Annotated[int, Meta(ge=100, le=10_000)] = 2000  # drift needs 1,024 rows of one version


class Anchor(msgspec.Struct, frozen=True):
    """Where a model stood before any adaptation; it travels in the report, so that no step can forget it."""

    threshold: float
    shift: list[float]  # of each sensor's mean from the trained one, in training standard deviations


def anchor(model: Model) -> Anchor:
    """Returns the model's anchor: the model itself where it was never adapted."""
    try:
        found = msgspec.convert(model.report.get("adaptation"), Anchor)
    except msgspec.ValidationError:
        return Anchor(model.threshold, [0.0] * model.n_sensors)
    return found if len(found.shift) == model.n_sensors else Anchor(model.threshold, [0.0] * model.n_sensors)


def anchored_here(model: Model) -> Model:
    """Returns the model with its own threshold as the anchor's: somebody chose it, so that bounds count from it."""
    if "adaptation" not in model.report:
        return model
    return _with_anchor(model, Anchor(model.threshold, anchor(model).shift))


def usable(recent: Recent) -> Mask:
    return recent.normal & recent.sound


def step(model: Model, recent: Recent, settings: AdaptationSettings) -> Model | None:
    """Returns the model one bounded step nearer to its newest readings, or None where it stands well already.

    `recent` holds readings that no open alarm or drift touches.
    """
    mask = usable(recent)
    if mask.sum() < settings.interval_rows or recent.alarming.sum() > MAX_ALARMING_SHARE * len(mask):
        return None
    origin = anchor(model)
    moved, shift = _move_means(model, recent.rows[mask], np.array(origin.shift), settings.max_shift)
    scores = recent.rescored(moved, mask)
    threshold = _move_threshold(model, scores, origin.threshold, settings.max_shift)
    far = np.abs(shift - origin.shift).max() >= MIN_SHIFT
    if not far and abs(threshold - model.threshold) < MIN_SHIFT * model.calibration.std:
        return None
    note = f"{NOTE}means moved by at most {np.abs(shift).max():.2f} training standard deviations in all."
    notes = (*(text for text in model.calibration.notes if not text.startswith(NOTE)), note)
    calibration = replace(model.calibration, threshold=threshold, notes=notes)
    return _with_anchor(moved.with_calibration(calibration), Anchor(origin.threshold, shift.tolist()))


def _move_means(model: Model, rows: Array, shift: Array, max_shift: float) -> tuple[Model, Array]:
    """Returns the model with means nearer to those of rows (n, d), and the shift (d,) in all from the trained means."""
    scaler = model.preparation.scaler
    wanted = shift + STEP_SHARE * (rows.mean(axis=0) - scaler.center) / scaler.scale
    bounded = np.clip(wanted, -max_shift, max_shift)
    return model.with_scaler(scaler.center + (bounded - shift) * scaler.scale, scaler.scale), bounded


def _move_threshold(model: Model, scores: Array, origin: float, max_shift: float) -> float:
    """Returns a threshold that follows the median score, which leaving out alarming rows hardly changes."""
    held_back = model.calibration.scores
    if len(held_back) == 0 or len(scores) == 0:
        return model.threshold
    ratio = float(np.median(scores)) / max(float(np.median(held_back)), 1e-9)
    wanted = model.threshold + STEP_SHARE * (origin * ratio - model.threshold)
    reach = max_shift * model.calibration.std
    return float(np.clip(wanted, max(origin - reach, origin / 2), origin + reach))


def _with_anchor(model: Model, origin: Anchor) -> Model:
    report: dict[str, Any] = {**model.report, "adaptation": msgspec.to_builtins(origin)}
    return replace(model, report=report)

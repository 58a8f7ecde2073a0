"""New thresholds for a trained model: from its own held-back scores, or from an asset's recent normal readings.

What people said about alerts decides which readings count as normal: those of a true alarm do not, those of a false
alarm do, however they scored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import sqlalchemy as sa

from anomaly.alerting.alarms import iso
from anomaly.detector import calibration
from anomaly.detector.calibration import CalibrationError, Method
from anomaly.lifecycle import recent
from anomaly.lifecycle.adaptation import anchored_here
from anomaly.lifecycle.recent import Mask, Recent
from anomaly.lifecycle.registry import Active, Registry
from anomaly.lifecycle.versions import activate, add_version, find_asset
from anomaly.model import Model, ModelFileError
from anomaly.problems import ThresholdUnsupported, TooFewRows, VersionChanged
from anomaly.storage import schema

MIN_ROWS = 30


@dataclass(frozen=True)
class Choice:
    """A method with its parameters; `manual` takes the `threshold` itself."""

    method: Method
    parameters: Mapping[str, float]
    threshold: float = 0.0


@dataclass(frozen=True)
class Episode:
    """The readings that an alert was about, and what somebody said of it."""

    first_ms: int
    last_ms: int
    verdict: str | None


@dataclass(frozen=True)
class Material:
    """What a recalibration starts from."""

    active: Active
    recent: Recent
    episodes: tuple[Episode, ...]


def rethreshold(model: Model, choice: Choice) -> Model:
    """Returns the model with another threshold from its own held-back scores; raises ThresholdUnsupported."""
    try:
        return anchored_here(model.with_threshold(choice.threshold, choice.method, choice.parameters))
    except CalibrationError as error:
        raise ThresholdUnsupported(str(error)) from None


def gather(registry: Registry, connection: sa.Connection, name: str, rows: int) -> Material:
    """Reads the newest readings and the alerts about them; raises UnknownAsset, NoModel or ModelDamaged."""
    asset = find_asset(connection, name)
    active = registry.active(connection, name)
    readings = recent.read(connection, asset, active.model, rows)
    first_ms = int(readings.at_ms[0]) if len(readings.at_ms) else 0
    table = schema.alerts
    first = sa.func.coalesce(table.c.first_reading_ms, table.c.last_reading_ms)
    query = sa.select(first, table.c.last_reading_ms, table.c.feedback).where(
        table.c.asset_id == asset.id, table.c.kind == "anomaly", table.c.last_reading_ms >= first_ms
    )
    episodes = (Episode(row[0], row[1], (row[2] or {}).get("verdict")) for row in connection.execute(query))
    return Material(active, readings, tuple(episodes))


def recalibrate(material: Material, choice: Choice) -> Model:
    """Returns the model with scores and threshold of its asset's recent normal readings.

    Raises TooFewRows where fewer than 30 windows of normal readings are left, or ThresholdUnsupported.
    """
    model = material.active.model
    usable, notes = select(material, model.calibration.nominal_false_alarm_rate or calibration.DEFAULT_RATE)
    scores = material.recent.rescored(model, usable)
    if len(scores) < MIN_ROWS:
        raise TooFewRows(f"{len(scores)} recent normal readings can be used, at least {MIN_ROWS} are needed")
    try:
        found = calibration.calibrate(scores, choice.method, choice.parameters, window=model.window, notes=notes)
    except CalibrationError as error:
        raise ThresholdUnsupported(str(error)) from None
    at_ms = material.recent.at_ms[usable]
    told = {"rows": len(scores), "from": iso(int(at_ms[0])), "to": iso(int(at_ms[-1])), "notes": list(notes)}
    return anchored_here(replace(model, calibration=found, report={**model.report, "recalibration": told}))


def file_of(model: Model) -> bytes:
    """Returns the model's file; raises ThresholdUnsupported where new scores make it too large for one."""
    try:
        return model.dump()
    except ModelFileError as error:
        raise ThresholdUnsupported(str(error)) from None


def select(material: Material, nominal_rate: float) -> tuple[Mask, tuple[str, ...]]:
    """Returns which readings count as normal, and what has to be said about the rest."""
    readings = material.recent
    usable = readings.normal.copy()
    judged_true = _of(material, "true_alarm")
    judged_false = _of(material, "false_alarm") & readings.alarming
    usable |= judged_false
    isolated = _isolated(readings, _of(material, None, "true_alarm", "false_alarm"), nominal_rate)
    usable |= isolated
    left_out = readings.alarming & ~usable & ~judged_true
    counts = {
        "readings of alerts judged false alarms were taken as normal.": judged_false,
        "readings of alerts judged true alarms were left out.": judged_true,
        "readings over the threshold outside any alert were taken as normal, as many as it promised.": isolated,
        "readings over the threshold were left out because nobody judged them.": left_out,
    }
    usable &= ~judged_true & readings.sound
    return usable, tuple(f"{int(mask.sum())} {text}" for text, mask in counts.items() if mask.any())


def _of(material: Material, *verdicts: str | None) -> Mask:
    mask = np.zeros(len(material.recent.at_ms), dtype=bool)
    for episode in material.episodes:
        if episode.verdict in verdicts:
            mask |= material.recent.within(episode.first_ms, episode.last_ms)
    return mask


def _isolated(readings: Recent, in_alerts: Mask, nominal_rate: float) -> Mask:
    """Returns the lowest scores over the threshold outside alerts, as many as the promised rate explains.

    Leaving them all out would cut the tail of the scores, and each recalibration would set a lower threshold.
    """
    over = np.nonzero(readings.alarming & readings.sound & ~in_alerts)[0]
    allowed = int(nominal_rate * readings.normal.sum() + 0.5)
    mask = np.zeros(len(readings.at_ms), dtype=bool)
    mask[over[np.argsort(readings.scores[over], kind="stable")][:allowed]] = True
    return mask


def store_version(
    registry: Registry,
    connection: sa.Connection,
    name: str,
    file: bytes,
    origin: str,
    parent: int,
    now_ms: int,
    by: str | None,
    *,
    must_activate: bool = True,
) -> int:
    """Adds what was made of version `parent`; raises VersionChanged where another one is active by now."""
    if find_asset(connection, name).active_version != parent:
        raise VersionChanged(f"version {parent} of the asset {name} is no longer the active one: try again")
    number = add_version(connection, name, file, origin, parent, now_ms, registry.max_versions)
    if must_activate:
        activate(connection, name, number, by, now_ms)
    return number

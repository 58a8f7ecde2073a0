"""Which rows of an asset a model sees together: the last W - 1 usable ones before a new one, and their scores."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import sqlalchemy as sa

from anomaly.model import Model
from anomaly.preprocess import Array
from anomaly.storage.schema import readings, versions

# A row of bad quality, out of range or with too many nulls is stored and never part of a window.
USABLE = readings.c.reason.is_(None) | (readings.c.reason == "warming_up")


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The newest usable rows (k, d), k < W, nulls filled; `newest_ms` is the last one's time, None where k is 0."""

    rows: Array
    newest_ms: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Scores (n,), NaN where the window was not full; `rows` (k + n, d) is what they were made from."""

    scores: Array
    rows: Array
    tail: Tail

    def window(self, i: int, length: int) -> Array:
        """Returns the window (W, d) that score i was made from."""
        end = len(self.rows) - len(self.scores) + i + 1
        return self.rows[end - length : end]


def empty(model: Model) -> Tail:
    return Tail(np.empty((0, model.n_sensors)))


def fill(model: Model, rows: Array) -> Array:
    """Returns rows with a sensor's mean in training in place of NaN, where it speaks neither for nor against."""
    return np.where(np.isnan(rows), model.preparation.scaler.center, rows)


def score(model: Model, tail: Tail, rows: Array, times_ms: list[int], max_gap_ms: float | None) -> Scored:
    """Scores filled rows (n, d) in the order of time, n >= 1; a gap longer than `max_gap_ms` begins a new window."""
    context = model.window - 1
    if not context:
        return Scored(_scores(model, rows), rows, tail)
    pieces, begun = [], tail
    starts = [0, *_gaps(tail.newest_ms, times_ms, max_gap_ms), len(rows)]
    for number, (start, end) in enumerate(pairwise(starts)):
        if number:
            begun = empty(model)
        if start == end:
            continue
        together = np.concatenate([begun.rows, rows[start:end]])
        pieces.append(_scores(model, together)[len(begun.rows) :])
        begun = Tail(together[-context:].copy(), times_ms[end - 1])
    return Scored(np.concatenate(pieces), np.concatenate([tail.rows, rows]), begun)


def _scores(model: Model, rows: Array) -> Array:
    if len(rows) == 1 and model.window == 1:
        return np.array([model.score(rows[0].tolist())])
    if len(rows) == model.window:  # one new row, the usual case
        found = np.full(len(rows), np.nan)
        found[-1] = model.score_window(rows)
        return found
    return model.scores(rows)


def _gaps(newest_ms: int | None, times_ms: list[int], max_gap_ms: float | None) -> list[int]:
    """Returns the rows before which the window begins anew."""
    if max_gap_ms is None:
        return []
    before = [times_ms[0] if newest_ms is None else newest_ms, *times_ms]
    return [i for i, at_ms in enumerate(times_ms) if at_ms - before[i] > max_gap_ms]


def load(
    connection: sa.Connection,
    asset_id: int,
    model: Model,
    max_gap_ms: float | None,
    before_ms: int | None = None,
    *,
    live_only: bool = False,
) -> Tail:
    """Reads the tail from the database: of the live rows, or of all rows, or all live ones, before a time."""
    if model.window == 1:
        return empty(model)
    query = sa.select(readings.c.at_ms, readings.c["values"], readings.c.version).where(
        readings.c.asset_id == asset_id, USABLE
    )
    if before_ms is None or live_only:
        query = query.where(readings.c.fate == "live")
    if before_ms is not None:
        query = query.where(readings.c.at_ms < before_ms)
    found = connection.execute(query.order_by(readings.c.at_ms.desc()).limit(model.window - 1)).all()
    names = _sensor_names(connection, asset_id, {row.version for row in found})
    mine = [sensor.name for sensor in model.sensors]
    rows: list[Array] = []
    later_ms = before_ms
    for row in found:
        gap = max_gap_ms is not None and later_ms is not None and later_ms - row.at_ms > max_gap_ms
        # A version that was deleted is believed to have had the sensors that its values have room for.
        if gap or names.get(row.version, mine) != mine or len(row._mapping["values"]) != 8 * len(mine):
            break
        rows.append(np.frombuffer(row._mapping["values"], "<f8"))
        later_ms = row.at_ms
    if not rows:
        return empty(model)
    return Tail(fill(model, np.array(rows[::-1])), found[0].at_ms)


def _sensor_names(connection: sa.Connection, asset_id: int, numbers: set[int]) -> dict[int, list[str]]:
    """Returns the sensors of these versions: rows of other sensors are of no use to a model."""
    query = sa.select(versions.c.number, versions.c.summary).where(
        versions.c.asset_id == asset_id, versions.c.number.in_(numbers)
    )
    return {row.number: [sensor["name"] for sensor in row.summary["sensors"]] for row in connection.execute(query)}

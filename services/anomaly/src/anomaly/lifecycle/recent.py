"""An asset's newest readings as arrays: what may be learnt from them, and how the model scores it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from anomaly.lifecycle.versions import Row
from anomaly.model import Model
from anomaly.storage import schema

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

table = schema.readings
# What windows are made of; the rest was refused, and a window goes on over it.
IN_WINDOWS = (table.c.fate == "live") & (table.c.reason.is_(None) | (table.c.reason == "warming_up"))


@dataclass(frozen=True, eq=False)
class Recent:
    """Readings in the order of time, n of them with d values.

    `sound` rows have no nulls and good quality, whatever their score; `whole` says of row i that rows i - W + 1 .. i
    followed each other without a gap.
    """

    at_ms: NDArray[np.int64]  # (n,)
    rows: Array  # (n, d), 0 for null
    scores: Array  # (n,) when they came, NaN where there was none
    normal: Mask  # (n,)
    alarming: Mask  # (n,)
    sound: Mask  # (n,)
    whole: Mask  # (n,)

    def within(self, first_ms: int, last_ms: int) -> Mask:
        return (self.at_ms >= first_ms) & (self.at_ms <= last_ms)

    def rescored(self, model: Model, usable: Mask) -> Array:
        """Returns the model's scores (m,) of the windows that hold usable rows alone, in the order of time."""
        if not len(self.rows):
            return np.empty(0)
        scores = model.scores(self.rows)
        return scores[_runs(usable, model.window) & self.whole & np.isfinite(scores)]


def read(connection: sa.Connection, asset: Row, model: Model, limit: int, after_received_ms: int = 0) -> Recent:
    """Reads the newest `limit` readings that windows are made of, and the rows that the first window needs."""
    columns = (
        table.c.at_ms,
        table.c["values"].label("content"),
        table.c.score,
        table.c.status,
        table.c.quality,
        table.c.version,
    )
    mine = (table.c.asset_id == asset.id) & (table.c.received_ms > after_received_ms)
    newest = sa.select(*columns).where(mine, IN_WINDOWS).order_by(table.c.at_ms.desc()).limit(limit + model.window - 1)
    found = connection.execute(newest).all()
    others = _versions_of_other_sensors(connection, asset, model)
    fitting = [row for row in reversed(found) if row.version not in others and len(row.content) == 8 * model.n_sensors]
    return _arrays(fitting, model, asset.settings)


def _versions_of_other_sensors(connection: sa.Connection, asset: Row, model: Model) -> set[int]:
    """Returns versions whose readings this model cannot judge; a version that was deleted is believed to be like it."""
    mine = [sensor.name for sensor in model.sensors]
    columns = (schema.versions.c.number, schema.versions.c.summary)
    rows = connection.execute(sa.select(*columns).where(schema.versions.c.asset_id == asset.id))
    return {row.number for row in rows if [sensor["name"] for sensor in row.summary["sensors"]] != mine}


def _arrays(readings: list[Row], model: Model, settings: dict[str, Any]) -> Recent:
    at_ms = np.array([row.at_ms for row in readings], dtype=np.int64)
    values = np.frombuffer(b"".join(row.content for row in readings), dtype="<f8").reshape(-1, model.n_sensors)
    status = np.array([row.status for row in readings], dtype=object)
    good = np.array([row.quality == "good" for row in readings], dtype=bool)
    return Recent(
        at_ms=at_ms,
        rows=np.nan_to_num(values, nan=0.0),
        scores=np.array([np.nan if row.score is None else row.score for row in readings], dtype=np.float64),
        normal=status == "normal",
        alarming=status == "anomaly",
        sound=good & np.isfinite(values).all(axis=1),
        whole=_whole(at_ms, model.window, (settings.get("quality") or {}).get("max_gap_s")),
    )


def _whole(at_ms: NDArray[np.int64], window: int, max_gap_s: float | None) -> Mask:
    if max_gap_s is None or not len(at_ms):
        return np.ones(len(at_ms), dtype=bool)
    follows = np.append(True, np.diff(at_ms) <= max_gap_s * 1000)
    return _runs(follows, window - 1) if window > 1 else np.ones(len(at_ms), dtype=bool)


def _runs(mask: Mask, length: int) -> Mask:
    """Returns where the last `length` entries, this one included, are all true."""
    counts = np.cumsum(np.append(0, mask))
    result = np.zeros(len(mask), dtype=bool)
    if length <= len(mask):
        result[length - 1 :] = counts[length:] - counts[:-length] == length
    return result

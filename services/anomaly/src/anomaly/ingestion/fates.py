"""What becomes of a reading by its time: live, late, a duplicate, or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa

from anomaly.alerting.alarms import iso
from anomaly.ingestion.readings import Incoming
from anomaly.preprocess import Array
from anomaly.problems import ConflictingReading, TimestampOutOfRange
from anomaly.storage.schema import readings

Fate = Literal["live", "late", "duplicate"]
Stored = sa.Row[Any]

LOOKED_UP_AT_ONCE = 500  # SQLite takes 32,766 parameters, but a plan for each length costs memory


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a timestamp may lie behind the asset's newest reading, and ahead of this machine's clock."""

    late_ms: float
    future_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """The readings by fate, as indices into the client's order; live and late ones in the order of time."""

    times_ms: Sequence[int]
    live: list[int]
    late: list[int]
    duplicates: dict[int, Stored | int]  # of a stored reading, or of another one of the same batch


def assign(incoming: Incoming, newest_ms: int | None, now_ms: int) -> Sequence[int]:
    """Returns each reading's time: the client's, or the server's, bumped so that it increases."""
    if incoming.timestamps_ms is not None:
        return incoming.timestamps_ms
    first = now_ms if newest_ms is None else max(now_ms, newest_ms + 1)
    return range(first, first + len(incoming.rows))


def sort(
    incoming: Incoming,
    values: Array,
    times_ms: Sequence[int],
    newest_ms: int | None,
    now_ms: int,
    tolerance: Tolerance,
    known: Mapping[int, Stored],
) -> Sorted:
    """Sorts readings by fate; raises ConflictingReading or TimestampOutOfRange for the first that has none."""
    live: list[int] = []
    late: list[int] = []
    duplicates: dict[int, Stored | int] = {}
    seen: dict[int, int] = {}
    for i in sorted(range(len(times_ms)), key=times_ms.__getitem__):
        at_ms = times_ms[i]
        if at_ms in known:
            _check_same(incoming, i, at_ms, values[i], values_of(known[at_ms]), known[at_ms].quality)
            duplicates[i] = known[at_ms]
        elif at_ms in seen:
            _check_same(incoming, i, at_ms, values[i], values[seen[at_ms]], incoming.quality(seen[at_ms]))
            duplicates[i] = seen[at_ms]
        else:
            seen[at_ms] = i
            _check_range(incoming, i, at_ms, newest_ms, now_ms, tolerance)
            (live if newest_ms is None or at_ms > newest_ms else late).append(i)
    return Sorted(times_ms, live, late, duplicates)


def stored(connection: sa.Connection, asset_id: int, times_ms: Sequence[int]) -> dict[int, Stored]:
    """Returns the stored readings at these times."""
    found: dict[int, Stored] = {}
    for start in range(0, len(times_ms), LOOKED_UP_AT_ONCE):
        some = times_ms[start : start + LOOKED_UP_AT_ONCE]
        query = sa.select(readings).where(readings.c.asset_id == asset_id, readings.c.at_ms.in_(some))
        found |= {row.at_ms: row for row in connection.execute(query)}
    return found


def values_of(row: Stored) -> Array:
    """Returns a stored reading's values (d,), NaN for null."""
    return np.frombuffer(row._mapping["values"], "<f8")


def _check_same(incoming: Incoming, i: int, at_ms: int, values: Array, first: Array, quality: str) -> None:
    if incoming.quality(i) != quality or not np.array_equal(values, first, equal_nan=True):
        raise ConflictingReading(
            f"{incoming.place(i)}another reading with other values or quality has the timestamp {iso(at_ms)}"
        )


def _check_range(
    incoming: Incoming, i: int, at_ms: int, newest_ms: int | None, now_ms: int, tolerance: Tolerance
) -> None:
    if incoming.timestamps_ms is None:
        return
    if at_ms > now_ms + tolerance.future_ms:
        raise TimestampOutOfRange(
            f"{incoming.place(i)}the timestamp {iso(at_ms)} is more than {tolerance.future_ms / 1000:g} s ahead of "
            f"this machine's clock, {iso(now_ms)}"
        )
    if newest_ms is not None and at_ms < newest_ms - tolerance.late_ms:
        raise TimestampOutOfRange(
            f"{incoming.place(i)}the timestamp {iso(at_ms)} is more than {tolerance.late_ms / 1000:g} s older than "
            f"the asset's newest reading, {iso(newest_ms)}"
        )

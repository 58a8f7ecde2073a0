"""What an asset's readings were: pages for people, CSV for tables, and everything after an id for streams."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa
from servicekit import sheets
from servicekit.database.store import Store

from anomaly.alerting.alarms import iso
from anomaly.ingestion.fates import values_of
from anomaly.ingestion.hub import Hub
from anomaly.ingestion.judgement import Reason, Status
from anomaly.ingestion.readings import Quality
from anomaly.ingestion.retention import Retention
from anomaly.storage.schema import alerts, readings, versions

__all__ = ["Hub", "Retention"]

Row = sa.Row[Any]

CSV_CHUNK_ROWS = 1000
STREAM_CHUNK_ROWS = 200
FIRST_COLUMNS = ("timestamp", "received_at")
LAST_COLUMNS = ("score", "threshold", "status", "reason", "quality", "fate", "model_version")


class StoredReading(msgspec.Struct):
    """A reading as it was judged when it came."""

    timestamp: str
    received_at: str
    values: list[float | None]
    score: float | None
    threshold: float | None
    status: Status
    reason: Reason | None
    quality: Quality
    fate: str
    model_version: int


class History(msgspec.Struct):
    """Readings, newest first."""

    items: list[StoredReading]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which readings of an asset: from and to (inclusive) in epoch milliseconds, one status or all."""

    asset_id: int
    from_ms: int | None = None
    to_ms: int | None = None
    status: Status | None = None

    def query(self) -> sa.Select[Any]:
        query = sa.select(readings).where(readings.c.asset_id == self.asset_id)
        if self.from_ms is not None:
            query = query.where(readings.c.at_ms >= self.from_ms)
        if self.to_ms is not None:
            query = query.where(readings.c.at_ms <= self.to_ms)
        return query if self.status is None else query.where(readings.c.status == self.status)


def page(connection: sa.Connection, selection: Selection, before_ms: int | None, limit: int) -> Sequence[Row]:
    """Returns at most `limit` readings, newest first, older than `before_ms`."""
    query = selection.query().order_by(readings.c.at_ms.desc()).limit(limit)
    return connection.execute(query if before_ms is None else query.where(readings.c.at_ms < before_ms)).all()


def shown(row: Row) -> StoredReading:
    """Returns a row as the API shows it."""
    return StoredReading(
        timestamp=iso(row.at_ms),
        received_at=iso(row.received_ms),
        values=[None if value != value else value for value in values_of(row).tolist()],
        score=row.score,
        threshold=row.threshold,
        status=row.status,
        reason=row.reason,
        quality=row.quality,
        fate=row.fate,
        model_version=row.version,
    )


def newest_id(connection: sa.Connection, asset_id: int) -> int:
    """Returns the id of the reading stored last, 0 where there is none."""
    query = sa.select(sa.func.max(readings.c.id)).where(readings.c.asset_id == asset_id)
    return connection.scalar(query) or 0


def since(connection: sa.Connection, asset_id: int, after_id: int) -> Sequence[Row]:
    """Returns the next readings in the order they were stored, at most STREAM_CHUNK_ROWS."""
    return connection.execute(since_query(asset_id, after_id)).all()


def since_query(asset_id: int, after_id: int) -> sa.Select[Any]:
    query = sa.select(readings).where(readings.c.asset_id == asset_id, readings.c.id > after_id)
    return query.order_by(readings.c.id).limit(STREAM_CHUNK_ROWS)


def received_ms(connection: sa.Connection, asset_id: int, reading_id: int) -> int | None:
    query = sa.select(readings.c.received_ms).where(readings.c.asset_id == asset_id, readings.c.id == reading_id)
    found: int | None = connection.scalar(query)
    return found


def alerts_since(connection: sa.Connection, asset_id: int, since_ms: int) -> Sequence[int]:
    """Returns the ids of the alerts that changed at this time or later, in the order of their changes."""
    query = sa.select(alerts.c.id).where(alerts.c.asset_id == asset_id, alerts.c.updated_ms >= since_ms)
    return connection.scalars(query.order_by(alerts.c.updated_ms, alerts.c.id).limit(STREAM_CHUNK_ROWS)).all()


async def csv_lines(store: Store, selection: Selection, limit: int | None) -> AsyncIterator[bytes]:
    """Yields the readings as CSV, oldest first, in chunks that are each read by themselves."""
    columns = await store.read(lambda connection: _Columns(connection, selection.asset_id))
    yield _csv([columns.header()])
    after_ms = -1
    while limit is None or limit > 0:
        size = CSV_CHUNK_ROWS if limit is None else min(limit, CSV_CHUNK_ROWS)
        query = selection.query().where(readings.c.at_ms > after_ms).order_by(readings.c.at_ms).limit(size)
        rows = await store.read(partial(_all, query))
        if rows:
            yield _csv([columns.cells(row) for row in rows])
            after_ms = rows[-1].at_ms
        if len(rows) < size:
            return
        limit = None if limit is None else limit - size


def _all(query: sa.Select[Any], connection: sa.Connection) -> Sequence[Row]:
    return connection.execute(query).all()


class _Columns:
    """The sensors of all versions of an asset, so that a row of an older model keeps its columns."""

    def __init__(self, connection: sa.Connection, asset_id: int) -> None:
        query = sa.select(versions.c.number, versions.c.summary).where(versions.c.asset_id == asset_id)
        newest_first = connection.execute(query.order_by(versions.c.number.desc())).all()
        self.sensors = {row.number: [sensor["name"] for sensor in row.summary["sensors"]] for row in newest_first}
        self.names = list(dict.fromkeys(name for names in self.sensors.values() for name in names))

    def header(self) -> list[str]:
        return [*FIRST_COLUMNS, *map(sheets.harmless, self.names), *LAST_COLUMNS]

    def cells(self, row: Row) -> list[object]:
        values = values_of(row).tolist()
        # A version that was deleted is believed to have had the newest one's sensors, if their number fits.
        names = self.sensors.get(row.version, self.names[: len(values)])
        known = dict(zip(names, values, strict=False))
        found = [known.get(name) for name in self.names]
        times = (iso(row.at_ms), iso(row.received_ms))
        cells = ["" if value is None or value != value else value for value in found]
        return [*times, *cells, row.score, row.threshold, row.status, row.reason, row.quality, row.fate, row.version]


def _csv(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()

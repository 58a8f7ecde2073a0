"""Keeps the database bounded: readings by rows and age, what deleted assets left behind, old idempotency keys."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

import sqlalchemy as sa
from servicekit.database.store import Store
from servicekit.problems import Problem

from anomaly.ingestion.assets import DELETED_PREFIX, change
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from anomaly.storage.schema import assets, idempotency, readings

logger = logging.getLogger(__name__)

INTERVAL_S = 30.0
CHUNK_ROWS = 1000  # deleted in one operation: a few milliseconds between the writes of others
Row = sa.Row[Any]


class Settings(Protocol):
    """The part of the service's settings that says how much is kept."""

    history_max_rows: int
    history_max_age_days: float
    idempotency_hours: float


class Retention:
    """Sweeps now and then; everything it deletes goes through the ledger, a little at a time."""

    def __init__(self, store: Store, ledger: Ledger, settings: Settings) -> None:
        self._store = store
        self._ledger = ledger
        self._max_rows = settings.history_max_rows
        self._max_age_ms = round(settings.history_max_age_days * 86_400_000)
        self._keys_kept_ms = round(settings.idempotency_hours * 3_600_000)
        self._counted: dict[int, int] = {}  # asset id to the revision at which its rows were counted

    async def run(self) -> None:
        """Sweeps until cancelled; a database that is away costs a round."""
        while True:
            try:
                await self.sweep()
            except (Problem, sa.exc.SQLAlchemyError) as error:
                logger.warning("old rows could not be deleted", extra={"fields": {"error": type(error).__name__}})
            await asyncio.sleep(INTERVAL_S)

    async def sweep(self) -> None:
        """Deletes everything that is over a limit now."""
        await self._repeat(self._delete_keys(self._ledger.clock() - self._keys_kept_ms))
        for row in await self._store.read(_oldest):
            if row.name.startswith(DELETED_PREFIX):
                await self._repeat(_delete_readings(row.id, None))
                await self._ledger.write(_forget_asset(row.id))
            else:
                await self._shorten(row)

    async def _shorten(self, row: Row) -> None:
        last_ms = self._ledger.clock() - self._max_age_ms
        too_old = row.oldest_ms is not None and row.oldest_ms <= last_ms
        if self._counted.get(row.id) != row.revision:
            surplus_ms = await self._store.read(lambda connection: _newest_surplus(connection, row.id, self._max_rows))
            self._counted[row.id] = row.revision
            if surplus_ms is not None:
                too_old, last_ms = True, max(last_ms, surplus_ms)
        if too_old:
            await self._repeat(_delete_readings(row.id, last_ms), row.name)

    def _delete_keys(self, before_ms: int) -> Callable[[sa.Connection], int]:
        table = idempotency.c
        old = sa.select(table.client, table.key).where(table.created_ms < before_ms).limit(CHUNK_ROWS)

        def delete(connection: sa.Connection) -> int:
            place = sa.tuple_(table.client, table.key)
            return connection.execute(sa.delete(idempotency).where(place.in_(old))).rowcount

        return delete

    async def _repeat(self, delete: Callable[[sa.Connection], int], *names: str) -> None:
        """Runs `delete` in operations of its own until it finds less than a chunk."""
        deleted = CHUNK_ROWS

        def operation(connection: sa.Connection) -> Reply:
            nonlocal deleted
            deleted = delete(connection)
            return Reply(204)

        while deleted >= CHUNK_ROWS:
            await self._ledger.write(operation, assets=names)


def _oldest(connection: sa.Connection) -> list[Row]:
    """Returns each asset with the time of its oldest reading: one look into the index for each."""
    oldest = sa.select(sa.func.min(readings.c.at_ms)).where(readings.c.asset_id == assets.c.id).scalar_subquery()
    query = sa.select(assets.c.id, assets.c.name, assets.c.revision, oldest.label("oldest_ms"))
    return list(connection.execute(query))


def _newest_surplus(connection: sa.Connection, asset_id: int, max_rows: int) -> int | None:
    """Returns the time of the newest reading that is one too many."""
    query = sa.select(readings.c.at_ms).where(readings.c.asset_id == asset_id).order_by(readings.c.at_ms.desc())
    found: int | None = connection.scalar(query.offset(max_rows).limit(1))
    return found


def _delete_readings(asset_id: int, last_ms: int | None) -> Callable[[sa.Connection], int]:
    old = sa.select(readings.c.id).where(readings.c.asset_id == asset_id).order_by(readings.c.at_ms).limit(CHUNK_ROWS)
    if last_ms is not None:
        old = old.where(readings.c.at_ms <= last_ms)

    def delete(connection: sa.Connection) -> int:
        deleted = connection.execute(sa.delete(readings).where(readings.c.id.in_(old))).rowcount
        if deleted:
            change(connection, asset_id)  # a window may have ended in what is gone
        return deleted

    return delete


def _forget_asset(asset_id: int) -> Callable[[sa.Connection], Reply]:
    def forget(connection: sa.Connection) -> Reply:
        connection.execute(sa.delete(assets).where(assets.c.id == asset_id))
        return Reply(204)

    return forget

"""Which pictures have to go: those over an age, and the oldest of those that are too many bytes."""

from collections.abc import Sequence

import sqlalchemy as sa

from cars.archive import changes, counters
from cars.archive.schema import files
from cars.archive.schema import removals as table

DAY_MS = 86_400_000


def expire(connection: sa.Connection, now_ms: int, days: float, most_bytes: int, limit: int) -> Sequence[str]:
    """Deletes the rows of at most `limit` pictures, oldest first, and returns the keys; 0 days or bytes: no limit."""
    keys: Sequence[str] = []
    if days:
        keys = changes.delete(connection, files.c.uploaded_ms < now_ms - round(days * DAY_MS), now_ms, limit)
    if most_bytes and len(keys) < limit:
        surplus = counters.stored_bytes(connection) - most_bytes
        if surplus > 0:
            last_id = _oldest(connection, surplus, limit - len(keys))
            keys = [*keys, *changes.delete(connection, files.c.id <= last_id, now_ms, limit - len(keys))]
    return keys


def removals(connection: sa.Connection, limit: int) -> Sequence[str]:
    """Returns the keys of pictures that have still to leave the storage, oldest first."""
    query = sa.select(table.c.key).order_by(table.c.since_ms, table.c.key).limit(limit)
    return connection.scalars(query).all()


def _oldest(connection: sa.Connection, surplus: int, limit: int) -> int:
    """Returns the id up to which files have to go, so that at least `surplus` bytes of them, or `limit` files, do."""
    last_id = 0
    for row in connection.execute(sa.select(files.c.id, files.c.size_bytes).order_by(files.c.id).limit(limit)):
        if surplus <= 0:
            break
        last_id, surplus = row.id, surplus - row.size_bytes
    return last_id

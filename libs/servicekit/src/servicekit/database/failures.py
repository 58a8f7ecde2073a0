"""Which errors of the database are nobody's fault here: a full disk, a server that is away."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from servicekit.database.problems import RETRY_AFTER, StorageFull, StorageUnavailable
from servicekit.problems import Problem

SQLITE_FULL = 13
SQLITE_AWAY = frozenset({3, 5, 6, 7, 8, 10, 11, 14, 15, 23, 26})  # PERM BUSY LOCKED NOMEM READONLY IOERR CORRUPT …
POSTGRESQL_FULL = "53100"
POSTGRESQL_AWAY = ("08", "25006", "40", "53", "55P03", "57", "58")  # connection, failover, deadlock, resources, locks


@contextmanager
def storage_problems() -> Iterator[None]:
    """Turns errors of the database that are not ours into the problem a client sees."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        problem = storage_problem(error)
        if problem is None:
            raise
        raise problem from error


def storage_problem(error: sa.exc.SQLAlchemyError) -> Problem | None:
    """Returns StorageFull or StorageUnavailable, or None where the statement itself is at fault."""
    if isinstance(error, sa.exc.TimeoutError):
        return _unavailable("all connections are in use")
    if not isinstance(error, sa.exc.DBAPIError):
        return None
    code = getattr(error.orig, "sqlite_errorcode", None)
    state = getattr(error.orig, "sqlstate", None)
    if state == POSTGRESQL_FULL or (code is not None and code & 0xFF == SQLITE_FULL):
        return StorageFull("the database has no space left, nothing was stored", headers=RETRY_AFTER)
    if code is not None:
        return _unavailable("it cannot be read or written") if code & 0xFF in SQLITE_AWAY else None
    if error.connection_invalidated or (state or "").startswith(POSTGRESQL_AWAY):
        return _unavailable("the connection failed")
    lost = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) and state is None
    return _unavailable("it cannot be reached") if lost else None


def _unavailable(why: str) -> StorageUnavailable:
    return StorageUnavailable(f"the database does not answer ({why}), try again", headers=RETRY_AFTER)

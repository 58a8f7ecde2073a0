"""The database behind a URL: SQLite in a file, or PostgreSQL; SQLAlchemy Core, no ORM."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from servicekit.problems import Problem

from anomaly.problems import StorageFull, StorageUnavailable

T = TypeVar("T")

RETRY_AFTER = {"Retry-After": "2"}
BUSY_TIMEOUT_S = 5
READER_THREADS = 2  # each costs a connection with its page cache
POOL_SIZE = READER_THREADS + 1  # the readers and the ledger

SQLITE_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # in WAL mode NORMAL loses the last commits with the power
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -1024",  # KiB per connection
    "PRAGMA journal_size_limit = 16777216",  # what a long reader made the WAL grow to is given back
)
POSTGRESQL_OPTIONS: dict[str, str | int] = {
    "connect_timeout": 3,
    "application_name": "lineside-anomaly",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # ms; a server that vanished is noticed though nothing closed the connection
    "options": f"-c lock_timeout={BUSY_TIMEOUT_S}s -c idle_in_transaction_session_timeout=60s -c timezone=UTC",
}
# A server set to answer before its disk did would break our promise; the stronger settings stay.
POSTGRESQL_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)

SQLITE_FULL = 13
SQLITE_AWAY = frozenset({3, 5, 6, 7, 8, 10, 11, 14, 15, 23, 26})  # PERM BUSY LOCKED NOMEM READONLY IOERR CORRUPT …
POSTGRESQL_FULL = "53100"
POSTGRESQL_AWAY = ("08", "25006", "40", "53", "55P03", "57", "58")  # connection, failover, deadlock, resources, locks


def parse_url(url: str) -> sa.URL:
    """Returns the URL with its driver; raises ValueError for anything but a SQLite file or PostgreSQL."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ValueError("expected sqlite:///path/to/file or postgresql://user:password@host/database") from None
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise ValueError(f"{parsed.drivername} is not supported, expected sqlite or postgresql")
    if parsed.database in (None, "", ":memory:"):
        raise ValueError("a database in memory keeps nothing, expected sqlite:///path/to/file")
    return parsed


def make_engine(url: str, pool_size: int = POOL_SIZE) -> sa.Engine:
    """Makes the engine without connecting; raises ValueError for a bad URL or where PostgreSQL's driver is missing."""
    parsed = parse_url(url)
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": BUSY_TIMEOUT_S,
        "query_cache_size": 200,
        "json_serializer": _to_json,
        "json_deserializer": msgspec.json.decode,
    }
    if parsed.get_backend_name() == "sqlite":
        _make_directory(parsed)
        engine = sa.create_engine(parsed, **options)
        sa.event.listen(engine, "connect", _open_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    chosen = {name: value for name, value in POSTGRESQL_OPTIONS.items() if name not in parsed.query}
    try:
        engine = sa.create_engine(parsed, pool_pre_ping=True, connect_args=chosen, **options)
    except ModuleNotFoundError as error:
        raise ValueError(f"PostgreSQL needs the package psycopg: {error}") from error
    sa.event.listen(engine, "connect", _open_postgresql)
    return engine


class Store:
    """One engine and a few threads that read; everything that writes goes through the ledger."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._readers = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="store-reader")

    async def read(self, fn: Callable[[sa.Connection], T]) -> T:
        """Runs `fn` in a reader thread on one snapshot; raises StorageUnavailable while the database is away."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_blocking, fn)

    def read_blocking(self, fn: Callable[[sa.Connection], T]) -> T:
        with storage_problems(), self.engine.connect() as connection:
            return fn(connection)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """Gives a connection that has begun to write: on SQLite it holds the only write lock there is."""
        with self.engine.connect().execution_options(writes=True) as connection:
            try:
                connection.begin()
                yield connection
            except sa.exc.SQLAlchemyError:
                connection.invalidate()  # a COMMIT that failed may have left the connection in its transaction
                raise

    def close(self) -> None:
        self._readers.shutdown(wait=True, cancel_futures=True)
        self.engine.dispose()


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


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _make_directory(url: sa.URL) -> None:
    try:
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the folder of the database cannot be made: {error}") from error


def _open_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver would begin by itself, too late for savepoints and for reads
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    # A deferred transaction that turns into a writer fails at once when another one wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _open_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(POSTGRESQL_DURABLE)
    connection.commit()

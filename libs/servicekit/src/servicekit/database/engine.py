"""The engine of a URL: SQLite in a file, or PostgreSQL; both set to keep what they were given."""

from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

APPLICATION = "lineside"
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


def with_password(url: str, file: Path | None) -> str:
    """Returns the URL with the password that stands in `file`; raises ValueError where it cannot be read."""
    if file is None:
        return url
    try:
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read: {error}") from error
    if not password:
        raise ValueError(f"{file} holds no password")
    return parse_url(url).set(password=password).render_as_string(hide_password=False)


def make_engine(url: str, pool_size: int = POOL_SIZE, application: str = APPLICATION) -> sa.Engine:
    """Makes the engine without connecting; raises ValueError for a bad URL or where PostgreSQL's driver is missing.

    PostgreSQL shows `application` in its list of connections.
    """
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
    defaults = {**POSTGRESQL_OPTIONS, "application_name": application}
    chosen = {name: value for name, value in defaults.items() if name not in parsed.query}
    try:
        engine = sa.create_engine(parsed, pool_pre_ping=True, connect_args=chosen, **options)
    except ModuleNotFoundError as error:
        raise ValueError(f"PostgreSQL needs the package psycopg: {error}") from error
    sa.event.listen(engine, "connect", _open_postgresql)
    return engine


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

"""Fixtures of the services that keep their state in a database: each test gets one of its own, of both kinds.

A `conftest.py` imports them and says by a fixture `migrate_database` how its service makes the tables.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgresql import PostgresqlServer, running

NOW_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SQLITE = "service.db"
Migrate = Callable[[str], None]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: PostgresqlServer, migrate_database: Migrate) -> str:
    """The name of a database with the tables, which others are copied from."""
    url = postgresql.new_database()
    migrate_database(url)
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory, migrate_database: Migrate) -> Path:
    path = tmp_path_factory.mktemp("migrated") / SQLITE
    migrate_database(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/{SQLITE}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    url = server.new_database()
    yield url
    server.drop(url)


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    shutil.copy(migrated_sqlite, tmp_path / SQLITE)
    return f"sqlite:///{tmp_path}/{SQLITE}"


@pytest.fixture
def postgresql_url(postgresql: PostgresqlServer, migrated_postgresql: str) -> Iterator[str]:
    url = postgresql.new_database(migrated_postgresql)
    yield url
    postgresql.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with all tables: each test that asks for it runs on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


class Clock:
    """Epoch milliseconds that stand still until a test moves them."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()

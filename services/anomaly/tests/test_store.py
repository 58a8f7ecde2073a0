import asyncio
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from anomaly.storage import schema
from servicekit.database.engine import make_engine, parse_url
from servicekit.database.failures import storage_problem, storage_problems
from servicekit.database.problems import StorageFull, StorageUnavailable
from servicekit.database.store import Store
from servicekit.problems import Problem


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///var/anomaly.db", "sqlite"),
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg"),
    ],
)
def test_knows_two_databases(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://u@h/d", "file:///x"])
def test_refuses_any_other_url(url: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_url(url)


def test_refuses_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="folder"):
        make_engine(f"sqlite:///{tmp_path}/file/x/anomaly.db")


def test_sqlite_is_set_to_keep_what_it_was_given(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    with engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_postgresql_answers_after_its_disk_even_if_the_server_was_told_not_to_wait(postgresql_url: str) -> None:
    engine = make_engine(f"{postgresql_url}?options=-c%20synchronous_commit%3Doff")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    engine.dispose()


def test_reads_in_a_worker_thread(store: Store) -> None:
    name = asyncio.run(
        store.read(lambda connection: (connection.scalar(sa.text("SELECT 1")), threading.current_thread().name))
    )
    assert name[0] == 1
    assert name[1].startswith("store-reader")


def test_a_reader_sees_one_snapshot_while_another_writes(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    count = sa.select(sa.func.count()).select_from(schema.assets)
    with store.engine.connect() as reader:
        assert reader.scalar(count) == 0
        with store.begin() as writer:
            writer.execute(sa.insert(schema.assets).values(name="press", created_ms=1))
            writer.commit()
        assert reader.scalar(count) == 0
    assert store.read_blocking(lambda connection: connection.scalar(count)) == 1
    store.close()


def test_a_second_writer_waits_its_turn_and_is_then_refused(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 10")
        with pytest.raises(sa.exc.OperationalError) as caught, store.begin():
            pass
        other.execute("ROLLBACK")
    other.close()
    assert isinstance(storage_problem(caught.value), StorageUnavailable)
    store.close()


def test_a_database_that_is_away_is_a_problem_with_a_time_to_come_back() -> None:
    store = Store("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StorageUnavailable) as caught:
        store.read_blocking(lambda connection: connection.scalar(sa.text("SELECT 1")))
    assert (caught.value.headers or {})["Retry-After"]
    store.close()


def test_a_full_disk_is_its_own_problem(sqlite_url: str) -> None:
    assert isinstance(fill(sqlite_url), StorageFull)


def fill(url: str) -> Problem | None:
    store = Store(url)
    with store.begin() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 40")
        rows = [{"name": f"a{number}", "created_ms": 1} for number in range(10_000)]
        with pytest.raises(sa.exc.OperationalError) as caught:
            connection.execute(sa.insert(schema.assets), rows)
    store.close()
    return storage_problem(caught.value)


def test_a_wrong_statement_is_nobodys_problem_but_ours(store: Store) -> None:
    with pytest.raises(sa.exc.SQLAlchemyError), storage_problems(), store.engine.connect() as connection:
        connection.execute(sa.text("SELECT nothing FROM nowhere"))


def test_sqlite_loads_neither_the_orm_nor_the_driver_of_postgresql(tmp_path: Path) -> None:
    program = (
        "import sys; from servicekit.database.engine import make_engine; "
        "e = make_engine(sys.argv[1]); e.connect().close(); "
        "print([m for m in ('sqlalchemy.orm', 'alembic', 'psycopg') if m in sys.modules])"
    )
    command = [sys.executable, "-c", program, f"sqlite:///{tmp_path}/none.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""Migrations: the tables are those of the schema, old files go up and down, and nothing of theirs is lost."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from cars.archive import migrate, schema
from servicekit.database.engine import make_engine
from servicekit.database.migrate import downgrade, upgrade

OLD = Path(__file__).parent / "old-0001.sql"  # a database of the first revision, with three files in it


def differences(url: str) -> list[Any]:
    engine = make_engine(url)
    with engine.connect() as connection:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection), schema.metadata)
    engine.dispose()
    return found


def tables(url: str) -> set[str]:
    engine = make_engine(url)
    found = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_a_new_database_gets_all_tables(empty_url: str) -> None:
    assert migrate.current(empty_url) is None
    migrate.ensure(empty_url)
    assert migrate.current(empty_url) == migrate.REVISIONS[-1]
    assert differences(empty_url) == []


def test_goes_down_step_by_step_and_up_again(empty_url: str) -> None:
    migrate.ensure(empty_url)
    for revision in reversed(migrate.REVISIONS[:-1]):
        downgrade(migrate.FOLDER, empty_url, revision)
        assert migrate.current(empty_url) == revision
    downgrade(migrate.FOLDER, empty_url, "base")
    assert tables(empty_url) <= {"alembic_version", "sqlite_sequence"}
    migrate.ensure(empty_url)
    assert differences(empty_url) == []


def test_an_old_file_is_brought_up_with_what_it_holds(tmp_path: Path, depot_of: Callable[[str], Any]) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.executescript(OLD.read_text())
    connection.close()
    migrate.ensure(url)
    old = depot_of(url)
    assert old.ids() == [7, 5, 2]
    stats = old.stats()
    assert (stats.files, stats.size_bytes, stats.predictions, stats.corrections) == (3, 3000, 2, 1)
    assert stats.by_status == {"pending": 1, "processing": 0, "recognized": 1, "unrecognized": 1, "failed": 0}
    assert stats.by_make == {"BMW": 1, "Tesla": 1}
    assert stats.by_confidence == (0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
    assert stats.by_day == {"2026-01-01": 2, "2026-01-02": 1}
    assert old.put(100).id == 8  # the numbers go on


def test_an_old_file_survives_the_way_up_and_down(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.executescript(OLD.read_text())
        before = list(connection.iterdump())
        upgrade(migrate.FOLDER, url)
        downgrade(migrate.FOLDER, url, "0001")
        assert list(connection.iterdump()) == before
    connection.close()


def test_two_processes_that_start_at_once_agree(empty_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrate.ensure, [empty_url] * 2))
    assert migrate.current(empty_url) == migrate.REVISIONS[-1]


def test_refuses_a_database_of_a_newer_version(database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(migrate.MigrationError, match="9999"):
        migrate.ensure(database_url)


def test_the_known_revisions_are_those_of_the_files() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    script = ScriptDirectory.from_config(config)
    assert tuple(s.revision for s in reversed(list(script.walk_revisions()))) == migrate.REVISIONS


def test_the_archive_itself_never_imports_alembic(sqlite_url: str) -> None:
    program = (
        "import sys; from cars.archive import Archive, migrate; migrate.ensure(sys.argv[1]); "
        "print([m for m in ('sqlalchemy.orm', 'alembic', 'psycopg') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, sqlite_url], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from anomaly.storage import migrate, schema
from servicekit.database.engine import make_engine
from servicekit.database.problems import StorageUnavailable
from servicekit.database.store import Store


def test_a_new_database_gets_all_tables(empty_url: str) -> None:
    assert migrate.current(empty_url) is None
    migrate.ensure(empty_url)
    assert migrate.current(empty_url) == migrate.REVISIONS[-1]
    engine = make_engine(empty_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)
    engine.dispose()
    # The partial index of open alerts stands in the migration alone: schema.py tells why.
    assert [(what, index.name) for what, index in differences] == [("remove_index", "uq_alerts_open")]


def test_an_asset_has_one_open_alert_of_a_kind_whoever_writes(store: Store) -> None:
    alert = {"asset_id": 1, "kind": "anomaly", "state": "active", "severity": "minor", "opened_ms": 1, "updated_ms": 1}
    with store.begin() as connection:
        connection.execute(sa.insert(schema.assets).values(id=1, name="press", created_ms=1))
        for cleared_ms in (1, 2, None):
            connection.execute(sa.insert(schema.alerts).values(**alert, count=1, cleared_ms=cleared_ms))
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(sa.insert(schema.alerts).values(**alert, count=1))


def test_two_processes_that_start_at_once_agree(empty_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrate.ensure, [empty_url] * 2))
    assert migrate.current(empty_url) == migrate.REVISIONS[-1]


def test_a_database_at_the_head_starts_no_child(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    migrate.ensure(database_url)


def test_refuses_a_database_of_a_newer_version(database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(migrate.MigrationError, match="9999"):
        migrate.ensure(database_url)


def test_says_why_a_migration_failed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/anomaly.db"
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE assets (id INTEGER)"))
    engine.dispose()
    with pytest.raises(migrate.MigrationError, match="assets already exists"):
        migrate.ensure(url)
    assert migrate.current(url) is None  # nothing half done


def test_a_database_that_is_away_is_said_to_be_so() -> None:
    with pytest.raises(StorageUnavailable):
        migrate.ensure("postgresql://nobody@127.0.0.1:1/none")


def test_the_known_revisions_are_those_of_the_files() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    assert tuple(s.revision for s in reversed(list(script.walk_revisions()))) == migrate.REVISIONS


def test_the_service_itself_never_imports_alembic(sqlite_url: str) -> None:
    program = (
        "import sys; from anomaly.storage import migrate; migrate.ensure(sys.argv[1]); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, sqlite_url], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

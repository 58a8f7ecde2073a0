"""Brings a database to a service's own tables; Alembic is imported only by the child process that does it."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from servicekit.database.engine import make_engine
from servicekit.database.failures import storage_problems
from servicekit.database.problems import StorageUnavailable

TIMEOUT_S = 600
# The URL may hold a password: it goes through a pipe, never through the arguments that `ps` shows.
CHILD = (
    "import json, sys; job = json.load(sys.stdin); sys.path[:] = job['path']; "
    "from servicekit.database.migrate import upgrade; upgrade(job['folder'], job['url'])"
)


class MigrationError(RuntimeError):
    """The database cannot be brought to this version's tables."""


@dataclass(frozen=True)
class Migrations:
    """A service's folder of Alembic scripts, and the names of its revisions, oldest first."""

    folder: Path
    revisions: tuple[str, ...]

    def ensure(self, url: str) -> None:
        """Upgrades the database where it is behind; raises MigrationError, ValueError or StorageUnavailable."""
        revision = current(url)
        if revision == self.revisions[-1]:
            return
        if revision is not None and revision not in self.revisions:
            raise MigrationError(
                f"the database is at revision {revision}, which this version does not know (it knows up to "
                f"{self.revisions[-1]}): a newer version has written it"
            )
        _upgrade_in_child(self.folder, url)


def current(url: str) -> str | None:
    """Returns the database's revision without Alembic; None for a database without tables."""
    engine = make_engine(url, pool_size=1)
    try:
        with storage_problems(), engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
            return revision
    finally:
        engine.dispose()


def upgrade(folder: Path | str, url: str, revision: str = "head") -> None:
    """Runs the missing migrations in this process; harmless where there are none."""
    _run("upgrade", folder, url, revision)


def downgrade(folder: Path | str, url: str, revision: str) -> None:
    """Takes the tables back to an older revision, or to "base", and what only newer ones can hold with them."""
    _run("downgrade", folder, url, revision)


def _run(direction: str, folder: Path | str, url: str, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    engine = make_engine(url, pool_size=1)
    config = Config(attributes={"engine": engine})
    config.set_main_option("script_location", Path(folder).as_posix().replace("%", "%%"))
    try:
        with storage_problems():
            getattr(command, direction)(config, revision)
    finally:
        engine.dispose()


def _upgrade_in_child(folder: Path, url: str) -> None:
    job = json.dumps({"path": sys.path, "folder": str(folder), "url": url})
    try:
        done = subprocess.run(
            [sys.executable, "-c", CHILD], input=job, text=True, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise StorageUnavailable(f"the migration did not end within {TIMEOUT_S} s") from None
    if done.returncode:
        raise MigrationError(f"the migration failed: {_reason(done.stderr) or f'exit status {done.returncode}'}")


def _reason(stderr: str) -> str:
    """Returns the exception's own line of a traceback; SQLAlchemy adds others behind it."""
    lines = [line for line in stderr.splitlines() if re.match(r"[\w.]+(Error|Unavailable|Full): ", line)]
    return lines[-1] if lines else ""

"""A real PostgreSQL server for the tests of those services that can keep their state in one."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class PostgresqlServer:
    """Debian's PostgreSQL on a free loopback port; root may not run it, so that another user does."""

    bin: Path
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    databases: int = 0

    @property
    def user(self) -> str | None:
        return "postgres" if os.geteuid() == 0 else None

    def create(self) -> None:
        if self.user:
            shutil.chown(self.folder, self.user)
        arguments = ["-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        command = [str(self.bin / "initdb"), *arguments]
        subprocess.run(command, user=self.user, check=True, capture_output=True, cwd=self.folder, timeout=120)

    def start(self) -> None:
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-k", "", "-c", "max_connections=60"]
        options += ["-c", "fsync=off"]  # tests end the service, never the machine
        command = [str(self.bin / "postgres"), "-D", str(self.folder / "data"), *options]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, user=self.user, cwd=self.folder, stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + 30
        while subprocess.run([self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode:
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGQUIT)  # at once: the next start recovers, as after a crash
            self.process.wait(30)
            self.process = None

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template0") -> str:
        self.databases += 1
        name = f"test_{self.databases}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        self.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        engine = sa.create_engine(self.url("postgres").replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()


@contextmanager
def running() -> Iterator[PostgresqlServer]:
    """Starts a server and stops it; skips where there is none."""
    if not BINARIES:
        pytest.skip("no PostgreSQL server under /usr/lib/postgresql: install Debian's package postgresql")
    with tempfile.TemporaryDirectory(prefix="lineside-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresqlServer(BINARIES[-1].parent, Path(folder))
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()

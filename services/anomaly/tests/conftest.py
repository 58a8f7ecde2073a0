"""Real databases: a SQLite file, and a PostgreSQL server started here; one database for each test."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly import migrate
from anomaly.app import create_app
from anomaly.autoencoder import Autoencoder
from anomaly.calibration import Calibration
from anomaly.ledger import Ledger
from anomaly.model import Model, Sensor
from anomaly.preprocess import Preparation
from anomaly.settings import Settings
from anomaly.store import Store
from starlette.testclient import TestClient

POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
NOW_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z


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
        arguments = ["-D", self.folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        command = [self.bin / "initdb", *arguments]
        subprocess.run(command, user=self.user, check=True, capture_output=True, cwd=self.folder, timeout=120)

    def start(self) -> None:
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-k", "", "-c", "max_connections=60"]
        command = [self.bin / "postgres", "-D", self.folder / "data", *options]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, user=self.user, cwd=self.folder, **quiet)
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

    def execute(self, statement: str) -> None:
        engine = sa.create_engine(self.url("postgres").replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    if not POSTGRESQL:
        pytest.skip("no PostgreSQL server under /usr/lib/postgresql: install Debian's package postgresql")
    with tempfile.TemporaryDirectory(prefix="lineside-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresqlServer(POSTGRESQL[-1].parent, Path(folder))
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: PostgresqlServer) -> str:
    """The name of a database with the tables, which others are copied from."""
    url = postgresql.new_database()
    migrate.ensure(url)
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "anomaly.db"
    migrate.ensure(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/anomaly.db"
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    shutil.copy(migrated_sqlite, tmp_path / "anomaly.db")
    return f"sqlite:///{tmp_path}/anomaly.db"


@pytest.fixture
def postgresql_url(postgresql: PostgresqlServer, migrated_postgresql: str) -> str:
    return postgresql.new_database(migrated_postgresql)


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


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    yield store
    store.close()


@pytest.fixture
def ledger(store: Store, clock: Callable[[], int]) -> Iterator[Ledger]:
    ledger = Ledger(store, clock)
    ledger.start()
    yield ledger
    ledger.stop()


def plain_model(window: int = 1, threshold: float = 3.0, sensors: tuple[Sensor, ...] = ()) -> Model:
    """A network that reconstructs zero: the score is the norm of the window's mean, so that a test can foresee it."""
    sensors = sensors or (Sensor("a", "mm", None, None), Sensor("b", "", None, None))
    width = len(sensors)
    preparation = Preparation.identity(width, window, "last" if window == 1 else "mean")
    core = Autoencoder((np.zeros((width, width)),), (np.zeros(width),), (False,), np.zeros(width), np.ones(width))
    scores = np.linspace(0.1, 3.0, 60)
    return Model(sensors, preparation, core, Calibration(scores, 60, 1, threshold, "manual", {}, None, ()), {})


@pytest.fixture
def make_model() -> Callable[..., Model]:
    return plain_model


@pytest.fixture
def client(sqlite_url: str, make_model: Callable[..., Model]) -> Iterator[TestClient]:
    """The whole service on SQLite, with an asset `press` whose model is `make_model()`."""
    with TestClient(create_app(Settings(database_url=sqlite_url, access_log=False))) as client:
        client.put("/assets/default")
        assert client.put("/assets/press").status_code == 201
        answer = client.put("/models/press?activate=true", content=make_model().dump())
        assert answer.status_code == 201, answer.text
        yield client

"""Real databases: a SQLite file, and a PostgreSQL server started here; one database for each test."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.app import create_app
from anomaly.detector.autoencoder import Autoencoder
from anomaly.detector.calibration import Calibration
from anomaly.ingestion import assets
from anomaly.ingestion.assets import AssetSettings
from anomaly.ingestion.ingest import Ingest, Taken
from anomaly.ingestion.judgement import Judgement
from anomaly.ingestion.readings import Incoming
from anomaly.lifecycle import versions
from anomaly.lifecycle.registry import Registry
from anomaly.model import Model, Sensor
from anomaly.preprocess import Preparation
from anomaly.settings import Settings
from anomaly.storage import migrate, schema
from anomaly.storage.ledger import Ledger, Reply
from databases import (  # noqa: F401 - fixtures
    NOW_MS,
    Clock,
    clock,
    database_url,
    empty_url,
    migrated_postgresql,
    migrated_sqlite,
    postgresql,
    postgresql_url,
    sqlite_url,
)
from servicekit.database.store import Store
from starlette.testclient import TestClient

LIMITS = SimpleNamespace(late_tolerance_s=3600.0, future_tolerance_s=300.0)


@pytest.fixture(scope="session")
def migrate_database() -> Callable[[str], None]:
    return migrate.ensure


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


class Plant:
    """An ingest with its ledger and one asset, `press`; remembers what it was told."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self.store = store
        self.ledger = ledger
        self.registry = Registry(store, ledger)
        self.stored: list[str] = []
        self.alerts = 0
        self.shares: list[Any] = []
        self.ingest = self.new_ingest()

    def new_ingest(self) -> Ingest:
        return Ingest(self.ledger, self.registry, LIMITS, ("mail:ops",), self.stored.append, self._count)

    def _count(self) -> None:
        self.alerts += 1

    def install(self, model: Model, name: str = "press", **settings: Any) -> None:
        def operation(connection: sa.Connection) -> Reply:
            assets.create(connection, name, None, 1, 100)
            number = versions.add_version(connection, name, model.dump(), "uploaded", None, 1)
            versions.activate(connection, name, number, None, 1)
            return Reply(204)

        self.ledger.write_blocking(operation)
        self.set(name, **settings)

    def set(self, name: str = "press", **settings: Any) -> None:
        made = msgspec.convert(settings, AssetSettings)
        self.change(lambda connection: assets.replace_settings(connection, name, made))

    def change(self, fn: Callable[[sa.Connection], object]) -> None:
        def operation(connection: sa.Connection) -> Reply:
            fn(connection)
            return Reply(204)

        self.ledger.write_blocking(operation)

    def post(self, incoming: Incoming, name: str = "press") -> list[Judgement]:
        taken: list[Taken] = []

        def answer(result: Taken) -> None:
            self.shares = [judgement.explain().shares for judgement in result.judgements]
            taken.append(result)

        self.ledger.write_blocking(self.ingest.operation(name, incoming, answer), assets=(name,))
        return list(taken[0].judgements)

    def one(self, *values: float, at: int | None = None, quality: str = "good") -> Judgement:
        times = None if at is None else [at]
        return self.post(Incoming(np.array([values]), None, times, [quality]))[0]  # type: ignore[list-item]

    def rows(self) -> list[Any]:
        query = sa.select(schema.readings).order_by(schema.readings.c.at_ms)
        return self.store.read_blocking(lambda connection: list(connection.execute(query)))

    def asset(self) -> Any:
        return self.store.read_blocking(lambda connection: assets.asset_row(connection, "press"))


@pytest.fixture
def plant(store: Store, ledger: Ledger) -> Plant:
    return Plant(store, ledger)


@pytest.fixture
def replicas(postgresql_url: str, clock: Callable[[], int]) -> Iterator[tuple[Plant, Plant]]:
    """Two services' worth of ledgers on one database."""
    stores = [Store(postgresql_url) for _ in range(2)]
    ledgers = [Ledger(store, clock) for store in stores]
    for ledger in ledgers:
        ledger.start()
    first, second = map(Plant, stores, ledgers)
    yield first, second
    for ledger, store in zip(ledgers, stores, strict=True):
        ledger.stop()
        store.close()


@pytest.fixture
def client(sqlite_url: str, make_model: Callable[..., Model]) -> Iterator[TestClient]:
    """The whole service on SQLite, with an asset `press` whose model is `make_model()`."""
    options: dict[str, Any] = {"database_url": sqlite_url, "access_log": False}
    with TestClient(create_app(Settings(**options))) as client:
        client.put("/assets/default")
        assert client.put("/assets/press").status_code == 201
        answer = client.put("/models/press?activate=true", content=make_model().dump())
        assert answer.status_code == 201, answer.text
        yield client

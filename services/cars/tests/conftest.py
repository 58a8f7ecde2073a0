"""Real databases: a SQLite file, and a PostgreSQL server started here; one database for each test."""

import asyncio
import hashlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cars import choice
from cars.app import create_app
from cars.archive import Archive, FileRecord, Filters, Ledger, NewFile, migrate
from cars.recognition import Box, Candidate, Recognition, Share
from cars.settings import Settings
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
from painted import Painted, Running
from servicekit.database.store import Store
from starlette.testclient import TestClient

TOKENS = itertools.count()


@pytest.fixture(scope="session")
def migrate_database() -> Callable[[str], None]:
    return migrate.ensure


def a_candidate(label: str = "Tesla Model S Sedan 2012", confidence: float = 0.9) -> Candidate:
    make, _, model = label.removesuffix(" Sedan 2012").partition(" ")
    return Candidate(label, make, model, "Sedan", 2012, confidence)


def a_recognition(*candidates: Candidate, recognized: bool = True, **changed: Any) -> Recognition:
    first = candidates[0] if candidates else None
    values: dict[str, Any] = {
        "predictions": candidates,
        "recognized": recognized,
        "reason": None if recognized else "unknown_model",
        "make": Share(first.make, 0.95) if first and first.make else None,
        "model": Share(first.model, 0.92) if first and first.model else None,
        "body": None,
        "year": Share(2012, 0.91) if first else None,
        "region": Box(1, 2, 300, 200),
        "backend": "local",
        "model_name": "efficientnet-lite2",
        "model_version": "1",
    }
    return Recognition(**{**values, **changed})


def a_picture(number: int = 1, **changed: Any) -> NewFile:
    """A picture whose bytes, and name, are those of the number; its key is its own, as that of each upload."""
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    key = f"originals/{sha256[:2]}/{sha256}-{next(TOKENS):08x}.jpg"
    values: dict[str, Any] = {
        "filename": f"car-{number}.jpg",
        "sha256": sha256,
        "size_bytes": 1000,
        "width": 640,
        "height": 480,
        "content_type": "image/jpeg",
        "key": key,
    }
    return NewFile(**{**values, **changed})


class Depot:
    """An archive with its own store and ledger, as a replica has them; calls wait for their answers."""

    picture = staticmethod(a_picture)
    candidate = staticmethod(a_candidate)
    recognition = staticmethod(a_recognition)

    def __init__(self, url: str, clock: Callable[[], int]) -> None:
        self.store = Store(url)
        self.ledger = Ledger(self.store, clock)
        self.ledger.start()
        self.archive = Archive(self.store, self.ledger)

    def close(self) -> None:
        self.ledger.stop()
        self.store.close()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self.archive, name)
        return lambda *arguments, **options: asyncio.run(call(*arguments, **options))

    def put(self, number: int = 1, **changed: Any) -> FileRecord:
        record: FileRecord = self.add(a_picture(number, **changed))[0]
        return record

    def recognise(self, file_id: int, recognition: Recognition) -> FileRecord:
        record: FileRecord = self.finish(self.claim(file_id, force=True), recognition)
        return record

    def ids(self, **filters: Any) -> list[int]:
        return [record.id for record in self.list(Filters(**filters))[0]]


@pytest.fixture
def depot_of(clock: Clock) -> Iterator[Callable[[str], Depot]]:
    """Makes the depot of a URL; all are closed at the end."""
    with ExitStack() as stack:

        def depot_of(url: str) -> Depot:
            depot = Depot(url, clock)
            stack.callback(depot.close)
            return depot

        yield depot_of


@pytest.fixture
def depot(database_url: str, depot_of: Callable[[str], Depot]) -> Depot:
    return depot_of(database_url)


@pytest.fixture
def replicas(postgresql_url: str, depot_of: Callable[[str], Depot]) -> tuple[Depot, Depot]:
    """Two services' worth of archives on one database."""
    return depot_of(postgresql_url), depot_of(postgresql_url)


@pytest.fixture
def run_service(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AbstractContextManager[Running]]:
    """Runs the service with these settings: `with run_service(max_files=2) as service:`."""

    @contextmanager
    def run(**settings: Any) -> Iterator[Running]:
        backend = Painted()
        monkeypatch.setattr(choice, "backend", lambda _settings, _pool: backend)
        where = {"database_url": sqlite_url, "storage_url": str(tmp_path / "pictures")}
        chosen = Settings(**{"access_log": False, **where, **settings})
        with TestClient(create_app(chosen)) as client:
            yield Running(client, backend, chosen)

    return run


@pytest.fixture
def service(run_service: Callable[..., AbstractContextManager[Running]]) -> Iterator[Running]:
    with run_service() as running:
        yield running


def refused(answer: Any) -> tuple[int, str, str]:
    """Returns status, slug and detail of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["error"] == problem["detail"]
    assert (problem["status"], problem["request_id"]) == (answer.status_code, answer.headers["x-request-id"])
    return answer.status_code, problem["type"].removeprefix("urn:lineside:problem:"), problem["detail"]


@pytest.fixture(scope="session")
def refusal() -> Callable[[Any], tuple[int, str, str]]:
    """Takes a problem apart: `status, slug, detail = refusal(answer)`."""
    return refused


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    """The address of the whole service in a process of its own, with `painted_serve`'s backend."""
    return serve("painted_serve", "serve", PYTHONPATH=str(Path(__file__).parent)) + "/cars"

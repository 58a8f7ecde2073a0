import asyncio
import socket
import time
from pathlib import Path

import pytest
from anomaly.app import create_app
from anomaly.services import Services
from anomaly.settings import Settings
from servicekit.database.problems import StorageUnavailable
from starlette.testclient import TestClient


def settings(folder: Path, **values: object) -> Settings:
    return Settings(**{"database_url": f"sqlite:///{folder}/anomaly.db", **values})


def test_health_tells_model_version_and_limits(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path))) as client:
        health = client.get("/health").json()
    assert (health["status"], health["model"], health["model_version"]) == ("healthy", "autoencoder", 1)
    assert len(health["sha256"]) == 64
    assert health["version"]
    assert health["limits"]["max_rows"] == 10_000


def test_a_worker_that_died_makes_the_service_degraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die() -> None:
        raise RuntimeError("no more")

    app = create_app(settings(tmp_path))
    monkeypatch.setattr(app.state.services.watch, "run", die)
    with TestClient(app) as client:
        time.sleep(0.1)
        answer = client.get("/health")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert "Watch" in answer.json()["reasons"][0]
        assert client.post("/", json={"values": [1.2, 0.9, 1.1]}).status_code == 200


def test_starts_without_its_database_and_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anomaly.services.FIRST_TRY_S", 0.5)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql://a@127.0.0.1:{nobody.getsockname()[1]}/a"
        with TestClient(create_app(Settings(database_url=url))) as client:
            assert client.get("/health/live").status_code == 200
            assert client.get("/health/ready").status_code == 503
            answer = client.post("/", json={"values": [1.2, 0.9, 1.1]})
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0


def test_goes_on_by_itself_when_the_database_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from anomaly.storage import migrate

    monkeypatch.setattr("anomaly.services.RETRY_S", 0.05)
    real, tries = migrate.ensure, []

    def away_at_first(url: str) -> None:
        tries.append(url)
        if len(tries) < 3:
            raise StorageUnavailable("the database does not answer")
        real(url)

    monkeypatch.setattr(migrate, "ensure", away_at_first)
    with TestClient(create_app(settings(tmp_path))) as client:
        assert client.get("/health/ready").status_code == 200
    assert len(tries) == 3


def test_a_database_of_a_newer_version_stops_the_start(tmp_path: Path) -> None:
    import sqlalchemy as sa
    from anomaly.storage import migrate
    from servicekit.database.engine import make_engine

    url = f"sqlite:///{tmp_path}/anomaly.db"
    migrate.ensure(url)
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    async def start() -> None:
        async with Services(settings(tmp_path)).opened():
            raise AssertionError("it started")

    with pytest.raises(migrate.MigrationError, match="9999"):
        asyncio.run(start())

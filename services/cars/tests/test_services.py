import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from cars import services as module
from cars.app import create_app
from cars.problems import PicturesUnavailable
from cars.services import Services
from cars.settings import Settings
from painted import BLUE, RED, Running, picture
from servicekit.database.problems import StorageUnavailable
from servicekit.problems import NotReady

Refusal = Callable[[Any], tuple[int, str, str]]
Run = Callable[..., AbstractContextManager[Running]]
WAIT_S = 30.0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_health_tells_what_recognises_and_where_the_pictures_are(service: Running) -> None:
    health = service.client.get("/health").json()
    assert (health["status"], health["backend"], health["model"]) == ("healthy", "local", "painted")
    assert (health["database"], health["storage"]) == ("sqlite", "folder")
    assert health["limits"]["max_file_bytes"] == 10_485_760
    assert service.client.get("/health/ready").status_code == 200


def test_it_is_not_ready_while_the_model_cannot_recognise(
    run_service: Run, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PULSE_S", 0.02)
    with run_service() as service:
        service.client.app.state.health.interval_s = 0  # type: ignore[attr-defined] # a Service
        service.stored(picture(RED))
        service.backend.failure = NotReady("the model is gone")
        until(lambda: service.client.get("/health/ready").status_code == 503)
        assert refusal(service.client.post("/inference/1"))[:2] == (503, "not-ready")
        assert service.client.get("/files/1").json()["status"] == "pending"
        service.backend.failure = None
        until(lambda: service.client.get("/health/ready").status_code == 200)


def test_a_storage_that_is_away_makes_it_degraded_until_it_is_back(
    run_service: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PULSE_S", 0.02)
    with run_service() as service:
        storage = service.client.app.state.services.storage  # type: ignore[attr-defined] # a Service

        def check() -> None:
            raise PicturesUnavailable("the bucket is away")

        with monkeypatch.context() as patched:
            patched.setattr(storage, "check", check)
            until(lambda: service.client.get("/health").json()["status"] == "degraded")
            assert service.client.get("/health").json()["reasons"] == ["the bucket is away"]
            assert 'cars_storage_errors_total{part="pictures"}' in service.client.get("/metrics").text
        until(lambda: service.client.get("/health").json()["status"] == "healthy")


def test_a_database_that_is_away_at_the_start_is_waited_for(
    run_service: Run, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_TRY_S", 0.02)
    monkeypatch.setattr(module, "RETRY_S", 0.02)
    ensure = module.migrate.ensure
    away = [True]

    def sometimes(url: str) -> None:
        if away[0]:
            raise StorageUnavailable("the database does not answer", headers={"Retry-After": "2"})
        ensure(url)

    monkeypatch.setattr(module.migrate, "ensure", sometimes)
    with run_service() as service:
        service.client.app.state.health.interval_s = 0  # type: ignore[attr-defined] # a Service
        assert "does not answer" in refusal(service.client.get("/health/ready"))[2]
        answer = service.upload(picture(BLUE))
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert service.client.post("/recognize", files={"file": ("a.png", picture(RED))}).status_code == 200
        away[0] = False
        until(lambda: service.client.get("/health/ready").status_code == 200)
        assert service.upload(picture(BLUE)).status_code == 201


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"database_url": "mysql://x"}, "mysql"),
        ({"storage_url": "ftp://x/y"}, "ftp://"),
        ({"backend": "huggingface"}, "HF_API_TOKEN"),
        ({"backend": "huggingface", "hf_api_token": "hf_x", "model_dir": "/nowhere"}, "CARS_MODEL_DIR"),
        ({"s3_secret_key_file": "/nowhere"}, "CARS_S3_SECRET_KEY_FILE"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(tmp_path: Path, settings: dict[str, Any], says: str) -> None:
    where = {"database_url": f"sqlite:///{tmp_path}/c.db", "storage_url": str(tmp_path / "p")}
    with pytest.raises(ValueError, match=says):
        create_app(Settings(**{**where, **settings}))


def test_a_folder_without_a_model_is_refused_before_the_port_answers(tmp_path: Path) -> None:
    settings = Settings(
        model_dir=tmp_path / "none", database_url=f"sqlite:///{tmp_path}/c.db", storage_url=str(tmp_path / "p")
    )
    with pytest.raises(ValueError, match="none"):
        Services(settings).prepare()


def test_two_services_in_one_process_share_nothing(run_service: Run, tmp_path: Path) -> None:
    with run_service() as first:
        first.stored(picture(RED))
        other = {"database_url": f"sqlite:///{tmp_path}/other.db", "storage_url": str(tmp_path / "other")}
        with run_service(**other) as second:
            assert second.client.get("/files/").json()["items"] == []
            assert second.stored(picture(BLUE)) == 1
        assert first.client.get("/files/1").json()["filename"] == "car.png"


def test_a_restart_in_the_middle_loses_nothing(run_service: Run) -> None:
    with run_service() as service:
        service.stored(picture(RED))
        file = service.client.post("/inference/1").json()
    with run_service() as service:
        assert service.client.get("/files/1").json() == file
        assert service.client.get("/files/1/image").content == picture(RED)


def test_nothing_is_connected_before_the_lifespan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/c.db", storage_url=str(tmp_path / "p"))
    services = Services(settings)
    assert not (tmp_path / "c.db").exists()
    with pytest.raises(NotReady, match="being opened"):
        services.probe()
    services.store.close()
    asyncio.run(services.recogniser.close())

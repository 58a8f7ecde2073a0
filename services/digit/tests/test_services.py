import shutil
from pathlib import Path

import pytest
from digit import services
from digit.app import create_app
from digit.services import KNOWN_DIGIT, Services
from digit.settings import Settings
from servicekit.problems import NotReady
from starlette.testclient import TestClient

WEIGHTS = Settings().weights


def test_health_tells_model_sha256_provider_and_limits(client: TestClient) -> None:
    health = client.get("/health").json()
    models = {item["name"]: item for item in client.get("/models").json()["items"]}
    assert (health["status"], health["model"], health["provider"]) == (
        "healthy",
        Settings().model,
        "CPUExecutionProvider",
    )
    assert health["sha256"] == models[health["model"]]["sha256"]
    assert health["models"] == list(models)
    assert health["queue_depth"] == 0
    assert health["limits"]["max_images"] == 5000
    assert health["version"]


def test_it_is_ready_when_a_drawn_digit_is_read(client: TestClient) -> None:
    assert client.get("/health/ready").json() == {"status": "ready"}


def test_a_model_that_reads_wrongly_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(create_app(Settings())) as client:
        monkeypatch.setattr(services, "KNOWN_DIGIT", 3)
        client.app.state.health.probed -= 60  # type: ignore[attr-defined] # the last inference was long ago
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["detail"] == f"the model {Settings().model} reads a drawn 3 as {KNOWN_DIGIT}"
        assert client.get("/health").json()["status"] == "unhealthy"
        assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("name", ["cnn_transformer", "cnn", "ensemble"])
def test_every_model_may_be_the_default(name: str) -> None:
    with TestClient(create_app(Settings(model=name))) as client:
        assert client.get("/health").json()["model"] == name


def test_a_model_that_is_not_there_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="DIGIT_MODEL='resnet': there are cnn"):
        Services(Settings(model="resnet"))


def test_a_folder_without_weights_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="DIGIT_WEIGHTS="):
        Services(Settings(weights=tmp_path))


def test_changed_weights_do_not_start(tmp_path: Path) -> None:
    folder = shutil.copytree(WEIGHTS, tmp_path / "weights")
    (folder / "cnn.onnx").write_bytes(b"other")
    with pytest.raises(Exception, match=r"cnn\.onnx has the sha256"), TestClient(create_app(Settings(weights=folder))):
        pass


def test_before_the_start_nothing_is_loaded() -> None:
    with pytest.raises(NotReady):
        Services(Settings()).probe()

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ocr.app import create_app
from ocr.pipeline import Pipeline
from ocr.schemas import Health
from ocr.services import Services
from ocr.settings import Settings
from starlette.testclient import TestClient

Refusal = Callable[[Any], tuple[int, str, str]]
Run = Callable[..., AbstractContextManager[TestClient]]


def test_health_keeps_the_seeds_fields(client: TestClient) -> None:
    health = client.get("/health").json()
    assert (health["status"], health["model"], health["model_version"]) == ("healthy", "RapidOCR", "v6")
    assert (health["gpu_support"], health["providers"]) == (False, ["CPUExecutionProvider"])
    assert health["environment"] == "production"
    assert {"ch", "en"} <= set(health["supported_languages"])


def test_health_is_as_its_schema_says(client: TestClient) -> None:
    health = client.get("/health").json()
    assert msgspec.convert(health, Health, strict=True)
    assert set(health["sha256"]) == {"det", "cls", "rec"}
    assert (health["warm_up"], health["queue_depth"]) == (1.0, 0)
    assert health["limits"]["max_file_size"] == 10_485_760
    assert health["defaults"] == {"text_score": 0.5, "box_thresh": 0.5, "unclip_ratio": 1.6, "pdf_dpi": 200}


def test_it_is_live_at_once_and_ready_after_the_warm_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def warm_up(_self: Pipeline, progress: Callable[[float], None]) -> None:
        progress(0.25)
        begun.set()
        assert go_on.wait(60)
        progress(1.0)

    monkeypatch.setattr(Pipeline, "warm_up", warm_up)
    with TestClient(create_app(Settings(jobs_dir=tmp_path))) as client:
        assert begun.wait(60)
        assert client.get("/health/live").status_code == 200
        health = client.get("/health")
        assert (health.status_code, health.json()["status"], health.json()["warm_up"]) == (503, "unhealthy", 0.25)
        assert health.json()["reasons"] == ["the networks are being loaded: 25% done"]
        for answer in (client.post("/upload", files={"file": b"a"}), client.get("/jobs"), client.get("/models")):
            assert refusal(answer)[:2] == (503, "not-ready")
            assert answer.headers["retry-after"]
        go_on.set()
        while client.get("/health/ready").status_code != 200:
            client.app.state.health.probed -= 60  # type: ignore[attr-defined] # the last look was long ago
        assert client.get("/health").json()["status"] == "healthy"


def test_a_gpu_that_fails_makes_the_service_not_ready(
    run_service: Run, png: Callable[..., bytes], refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ocr.model import ModelFault

    def fails(self: Pipeline, *_arguments: Any) -> Any:
        self.fault = "det.onnx on MIGraphXExecutionProvider: hipErrorLaunchFailure"
        raise ModelFault(self.fault)

    with run_service() as client:
        monkeypatch.setattr(Pipeline, "read", fails)
        status, slug, detail = refusal(client.post("/upload", files={"file": png("a")}))
        assert (status, slug) == (503, "reading-failed")
        assert "hipErrorLaunchFailure" in detail
        client.app.state.health.probed -= 60  # type: ignore[attr-defined] # the last look was long ago
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health").json()["reasons"][0].startswith("the GPU failed")
        assert client.get("/health/live").status_code == 200
        assert refusal(client.post("/upload", files={"file": png("a")}))[1] == "not-ready"


@pytest.mark.parametrize(
    "settings", [{"use_gpu": True}, {"model_config_path": Path("/nowhere.yaml")}], ids=["no GPU", "no models"]
)
def test_what_cannot_work_here_is_refused_before_the_port_answers(settings: dict[str, Any]) -> None:
    services = Services(Settings(**settings))
    with pytest.raises(ValueError, match=r"GPU|nowhere"):
        services.load()
    services.reader.close()

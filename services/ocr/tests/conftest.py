"""The whole service with its shipped models, and its pipeline alone, loaded once."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from ocr.app import create_app
from ocr.pipeline import Pipeline
from ocr.settings import Settings
from starlette.testclient import TestClient
from texts import drawn

READY_S = 120.0


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    """The pipeline as it is shipped."""
    return Pipeline(Settings())


def png_of(*lines: str, **options: Any) -> bytes:
    file = io.BytesIO()
    drawn(lines, **{"margin": 16, **options}).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """Makes the PNG of lines of text: `png("Valve 17")`."""
    return png_of


@dataclass(frozen=True)
class Server:
    """A running `python -m ocr serve`."""

    port: int
    process: "subprocess.Popen[str]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def environment(**settings: str) -> dict[str, str]:
    """Returns this process's environment with no setting of ours but these."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("OCR_", "LINESIDE_"))}
    return {**others, **settings}


def wait_until_ready(get: Callable[[str], Any]) -> None:
    """Returns when the service is ready: its networks compute for the first time in the background."""
    deadline = time.monotonic() + READY_S
    while get("/health/ready").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Server]:
    defaults = {"OCR_PORT": "0", "OCR_DRAIN_S": "0", "OCR_JOBS_DIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-m", "ocr", "serve"],
        env=environment(**{**defaults, **settings}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        server = Server(int(process.stdout.readline().rpartition(":")[2]), process)
        wait_until_ready(lambda path: httpx2.get(server.url + path, timeout=60))
        yield server
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., AbstractContextManager[Server]]:
    """Runs the real process until the block ends: `with start(OCR_WORK_COUNT="1") as server:`."""
    return partial(serving, tmp_path / "jobs")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real process, over real sockets."""
    with serving(tmp_path_factory.mktemp("jobs")) as server:
        yield server


@contextmanager
def running(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client.get)
        yield client


@pytest.fixture
def run_service(tmp_path: Path) -> Callable[..., AbstractContextManager[TestClient]]:
    """Runs the whole service with these settings: `with run_service(max_frames=2) as client:`."""
    return lambda **settings: running(Settings(access_log=False, jobs_dir=tmp_path / "jobs", **settings))


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The whole service, as it is started."""
    with running(Settings(access_log=False, jobs_dir=tmp_path_factory.mktemp("jobs"))) as client:
        yield client


def refused(answer: Any) -> tuple[int, str, str]:
    """Returns status, slug and detail of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["success"] is False
    assert problem["error"] == problem["detail"]
    assert (problem["status"], problem["request_id"]) == (answer.status_code, answer.headers["x-request-id"])
    return answer.status_code, problem["type"].removeprefix("urn:lineside:problem:"), problem["detail"]


@pytest.fixture(scope="session")
def refusal() -> Callable[[Any], tuple[int, str, str]]:
    """Takes a problem apart: `status, slug, detail = refusal(answer)`."""
    return refused

import json
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

SERVICE = """
    import asyncio, sys
    from contextlib import asynccontextmanager
    from pathlib import Path
    from fastapi import APIRouter, Request
    from pydantic_settings import SettingsConfigDict
    from servicekit import server
    from servicekit.app import create_service_app
    from servicekit.limits import leave_place
    from servicekit.responses import json_response
    from servicekit.settings import ServiceSettings, load
    from starlette.responses import Response, StreamingResponse

    class Settings(ServiceSettings):
        model_config = SettingsConfigDict(env_prefix="TOY_", extra="ignore")

    router = APIRouter()

    @router.get("/slow", response_class=Response)
    async def slow(seconds: float) -> Response:
        await asyncio.sleep(seconds)
        return json_response({"slow": True})

    @router.get("/stream", response_class=Response)
    async def stream(request: Request) -> Response:
        leave_place(request)
        async def chunks():
            yield b"first "
            await request.app.state.drain.started.wait()
            yield b"last"
        return StreamingResponse(chunks())

    @asynccontextmanager
    async def lifespan(app):
        yield
        print("closed", flush=True)

    settings = load(Settings, port=0)
    listener = server.bind(settings)
    app = create_service_app(settings, name="toy", title="Toy", version="1", summary="", lifespan=lifespan,
                             routers=[router], page=Path("page"), probe=lambda: None, details=dict)
    server.announce("Toy", server.address(settings, listener), server.LINKS)
    sys.exit(server.run(app, settings, listener, app.state.drain))
"""


class Process:
    def __init__(self, folder: Path, drain_s: float) -> None:
        (folder / "service.py").write_text(textwrap.dedent(SERVICE), encoding="utf-8")
        environment = {"TOY_DRAIN_S": str(drain_s), "TOY_ACCESS_LOG": "false", "PYTHONPATH": ":".join(sys.path)}
        command = [sys.executable, "service.py"]
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.base = self.process.stdout.readline().split()[-1]
        while self.get("/health/ready") != 200:
            assert self.process.poll() is None
            time.sleep(0.02)

    def get(self, path: str) -> int | None:
        try:
            return httpx2.get(self.base + path, timeout=10).status_code
        except httpx2.TransportError:
            return None

    def signal(self, number: int) -> float:
        self.process.send_signal(number)
        return time.monotonic()

    def end(self) -> tuple[int, str, str]:
        """Waits for the end; returns the exit status and what was printed."""
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@pytest.fixture
def start(tmp_path: Path, page_folder: Path) -> Iterator[Callable[[float], Process]]:
    assert page_folder.parent == tmp_path
    started: list[Process] = []

    def start(drain_s: float) -> Process:
        started.append(Process(tmp_path, drain_s))
        return started[-1]

    yield start
    for process in started:
        process.process.kill()
        process.process.communicate()


def test_serves_on_while_not_ready_and_then_ends_with_status_0(start: Callable[[float], Process]) -> None:
    toy = start(1.0)
    told = toy.signal(signal.SIGTERM)
    statuses: list[tuple[float, int | None, int | None]] = []
    while time.monotonic() - told < 0.8:
        statuses.append((time.monotonic() - told, toy.get("/health/ready"), toy.get("/slow?seconds=0")))
    assert all(served == 200 for _, _, served in statuses)
    assert {ready for after, ready, _ in statuses if after > 0.2} == {503}
    code, out, err = toy.end()
    assert 0.9 < time.monotonic() - told < 3
    assert (code, out.splitlines()[-1]) == (0, "closed")
    assert [json.loads(line)["message"] for line in err.splitlines()] == ["draining"]


def test_loses_no_request_under_load(start: Callable[[float], Process]) -> None:
    toy = start(0.5)
    answers: list[Any] = []

    def load() -> None:
        with httpx2.Client(timeout=10) as client:
            while time.monotonic() < until:
                answers.append(client.get(f"{toy.base}/slow?seconds=0.005").status_code)

    until = time.monotonic() + 0.9
    clients = [threading.Thread(target=load) for _ in range(4)]
    for client in clients:
        client.start()
    time.sleep(0.5)
    toy.signal(signal.SIGTERM)
    for client in clients:
        client.join()
    assert len(answers) > 50
    assert set(answers) == {200}
    assert toy.end()[0] == 0


def test_finishes_what_is_in_flight_and_ends_streams(start: Callable[[float], Process]) -> None:
    toy = start(0.0)
    answers: list[str] = []
    paths = ("/slow?seconds=0.8", "/stream")
    calls = [threading.Thread(target=lambda p=p: answers.append(httpx2.get(toy.base + p).text)) for p in paths]
    for call in calls:
        call.start()
    time.sleep(0.3)
    toy.signal(signal.SIGTERM)
    for call in calls:
        call.join()
    assert sorted(answers) == ["first last", '{"slow":true}']
    assert toy.end()[0] == 0


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]])
def test_does_not_wait_after_sigint_or_a_second_signal(start: Callable[[float], Process], signals: list[int]) -> None:
    toy = start(60.0)
    for number in signals:
        told = toy.signal(number)
        time.sleep(0.3)
    code, out, _ = toy.end()
    assert time.monotonic() - told < 3
    assert (code, out.splitlines()[-1]) == (0, "closed")

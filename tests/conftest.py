"""Starts the real process, `python -m gateway`, for tests that speak HTTP to it."""

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx2
import pytest

START_S = 30
STOP_S = 40
OURS = ("LINESIDE_", "GATEWAY_", "ANOMALY_", "DIGIT_", "OCR_")


@dataclass(frozen=True)
class Gateway:
    """A running gateway: where it answers, its process, its log."""

    base_url: str
    process: "subprocess.Popen[str]"
    log: Path


StartGateway = Callable[..., contextlib.AbstractContextManager[Gateway]]


@pytest.fixture(scope="session")
def start_gateway(tmp_path_factory: pytest.TempPathFactory) -> StartGateway:
    """Returns a context manager that runs a gateway on a free port with its own data, until the block ends."""

    @contextlib.contextmanager
    def start(**settings: str) -> Iterator[Gateway]:
        folder = tmp_path_factory.mktemp("gateway")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        environment |= {"GATEWAY_PORT": "0", "GATEWAY_DRAIN_S": "0", "ANOMALY_DATABASE_URL": f"sqlite:///{folder}/a.db"}
        log = folder / "log"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "gateway"], env={**environment, **settings}, cwd=folder,
                stdout=subprocess.PIPE, stderr=stderr, text=True,
            )  # fmt: skip
        try:
            base_url = _announced(process, log)
            _wait_until_ready(base_url, process, log)
            yield Gateway(base_url, process, log)
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            finally:
                process.kill()
                process.wait()

    return start


def _announced(process: "subprocess.Popen[str]", log: Path) -> str:
    """Returns the address that the process prints first: `Lineside on http://…`."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    assert process.stdout
    threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
    with contextlib.suppress(queue.Empty):
        _, _, base_url = lines.get(timeout=START_S).strip().rpartition(" on ")
        if base_url:
            return base_url
    raise RuntimeError(f"the gateway printed no address; its log ends:\n{_end(log)}")


def _end(log: Path) -> str:
    lines = log.read_text().splitlines()
    return "\n".join([line for line in lines if "servicekit.access" not in line][-20:])


def _pump(stream: IO[str], lines: "queue.SimpleQueue[str]") -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put("")


def _wait_until_ready(base_url: str, process: "subprocess.Popen[str]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"{base_url}/health", timeout=5).json()["status"] != "unhealthy":
                return
        time.sleep(0.05)
    raise RuntimeError(f"the gateway is not healthy within {START_S} s; its log ends:\n{_end(log)}")

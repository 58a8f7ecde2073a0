"""Servers under measurement, each a process of its own."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
START_TIMEOUT_S = 90  # on a busy machine


@dataclass(frozen=True)
class Server:
    """A running server."""

    pid: int
    port: int

    def cpu_s(self) -> float:
        """Returns the user and system time that all of its threads have used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def resident_mb(self) -> float:
        return _resident_mb(self.pid)

    def family_mb(self) -> float:
        """Returns the resident memory of the process and of those that it has started."""
        return self.resident_mb() + sum(_resident_mb(pid) for pid in _children(self.pid))


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6


def _children(pid: int) -> list[int]:
    started = [
        int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()
    ]
    return [*started, *(one for child in started for one in _children(child))]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def start(
    *arguments: str, ready: str, environment: Mapping[str, str], python: str = sys.executable
) -> Iterator[Server]:
    """Runs `python ARGUMENTS` on a free port (`{port}` in the arguments and environment) until the block ends."""
    port = free_port()
    own = {name: value.replace("{port}", str(port)) for name, value in environment.items()}
    command = [python, *(argument.replace("{port}", str(port)) for argument in arguments)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)
        try:
            _wait(process, f"http://127.0.0.1:{port}{ready}")
            yield Server(process.pid, port)
        finally:
            process.terminate()
            process.wait(30)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode} before it was ready")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=1).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"{url} did not answer within {START_TIMEOUT_S} s")


@contextlib.contextmanager
def anomaly(folder: Path, **settings: str) -> Iterator[Server]:
    """Runs the anomaly service alone, with its data in `folder`."""
    environment = {
        "ANOMALY_PORT": "{port}",
        "ANOMALY_DATABASE_URL": f"sqlite:///{folder}/anomaly.db",
        "ANOMALY_DRAIN_S": "0",
    }
    own = {f"ANOMALY_{name.upper()}": value for name, value in settings.items()}
    with start("-m", "anomaly", "serve", ready="/health/ready", environment={**environment, **own}) as server:
        yield server


@contextlib.contextmanager
def digit(**settings: str) -> Iterator[Server]:
    """Runs the digit service alone."""
    environment = {"DIGIT_PORT": "{port}", "DIGIT_DRAIN_S": "0"}
    own = {f"DIGIT_{name.upper()}": value for name, value in settings.items()}
    with start("-m", "digit", "serve", ready="/health/ready", environment={**environment, **own}) as server:
        yield server


@contextlib.contextmanager
def ocr(folder: Path, **settings: str) -> Iterator[Server]:
    """Runs the ocr service alone, with its jobs in `folder`."""
    environment = {"OCR_PORT": "{port}", "OCR_DRAIN_S": "0", "OCR_JOBS_DIR": f"{folder}/jobs"}
    own = {f"OCR_{name.upper()}": value for name, value in settings.items()}
    with start("-m", "ocr", "serve", ready="/health/ready", environment={**environment, **own}) as server:
        yield server


@contextlib.contextmanager
def cars(folder: Path, **settings: str) -> Iterator[Server]:
    """Runs the cars service alone, with its database and its pictures in `folder`."""
    environment = {
        "CARS_PORT": "{port}",
        "CARS_DRAIN_S": "0",
        "CARS_DATABASE_URL": f"sqlite:///{folder}/cars.db",
        "CARS_STORAGE_URL": f"{folder}/pictures",
        "CARS_RATE_LIMIT_PER_S": "1000000",
        "CARS_RATE_LIMIT_BURST": "1000000",
    }
    own = {f"CARS_{name.upper()}": value for name, value in settings.items()}
    with start("-m", "cars", "serve", ready="/health/ready", environment={**environment, **own}) as server:
        yield server

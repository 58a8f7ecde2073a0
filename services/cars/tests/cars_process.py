"""The real service in a process of its own, that a test starts, asks and kills."""

import io
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
import s3server
from cars.storage import Access
from PIL import Image
from postgresql import free_port
from s3server import ACCESS, S3Server

START_S = 60.0
WAIT_S = 60.0
OURS = ("CARS_", "LINESIDE_", "HF_")
SEEDS = itertools.count()
Result = TypeVar("Result")


@dataclass(frozen=True)
class Place:
    """Where a service keeps its rows and pictures."""

    database_url: str
    storage_url: str
    access: Access | None = None

    @property
    def settings(self) -> dict[str, str]:
        named = {"CARS_DATABASE_URL": self.database_url, "CARS_STORAGE_URL": self.storage_url}
        if self.access:
            named["CARS_S3_ACCESS_KEY"] = self.access.access_key or ""
            named["CARS_S3_SECRET_KEY"] = self.access.secret_key or ""
        return named


def on_disk(folder: Path) -> Place:
    return Place(f"sqlite:///{folder}/cars.db", f"{folder}/pictures")


def shared(database_url: str, bucket: S3Server) -> Place:
    return Place(database_url, bucket.url, ACCESS)


@contextmanager
def bucket_in(folder: Path) -> Iterator[S3Server]:
    """Runs a server of S3 with one bucket; skips where there is none."""
    if s3server.EXECUTABLE is None:
        pytest.skip(s3server.MISSING)
    server = S3Server(folder / "s3")
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass
class Server:
    """`python -m cars serve`; `kill` gives it no chance to say goodbye, and `start` comes after as often as wanted."""

    folder: Path
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        own = {"CARS_PORT": str(self.port), "CARS_ACCESS_LOG": "false", "CARS_DRAIN_S": "0", "CARS_SHUTDOWN_S": "1"}
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "cars", "serve"]
            environment = {**clean, **own, **self.settings}
            self.process = subprocess.Popen(command, env=environment, cwd=self.folder, stdout=log, stderr=log)
        until(self._ready, START_S)

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def client(self) -> httpx2.Client:
        """Returns a client, to be closed by the caller, that waits long: a machine may be busy."""
        return httpx2.Client(base_url=self.url, timeout=60)

    def _ready(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.log
        try:
            return httpx2.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx2.HTTPError:
            return False


def until(condition: Callable[[], Any], within_s: float = WAIT_S) -> None:
    """Waits until the condition holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.05)


def photograph(kind: str = "PNG", size: tuple[int, int] = (96, 64)) -> bytes:
    """Returns a picture that no other call has returned or will return."""
    noise = random.Random(next(SEEDS) * 1_000_003 + os.getpid() + time.time_ns())
    file = io.BytesIO()
    Image.frombytes("RGB", size, noise.randbytes(size[0] * size[1] * 3)).save(file, kind)
    return file.getvalue()


def send(client: httpx2.Client, data: bytes, name: str = "car.png") -> httpx2.Response:
    return client.post("/upload/", files={"file": (name, data)})


def stored(client: httpx2.Client, data: bytes | None = None) -> int:
    """Uploads a picture, one of its own unless it is given, and returns its id."""
    answer = send(client, photograph() if data is None else data)
    assert answer.status_code == 201, answer.text
    image_id: int = answer.json()["id"]
    return image_id


def together(*calls: Callable[[], Result]) -> list[Result]:
    """Returns what each call returns; they run at once."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [started.result(WAIT_S) for started in [pool.submit(call) for call in calls]]


def problem(answer: httpx2.Response) -> tuple[int, str]:
    """Returns status and slug of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].removeprefix("urn:lineside:problem:")

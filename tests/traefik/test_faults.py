"""Services that die, hang, restart or lose their disk or database: the others go on, and all comes back by itself."""

import contextlib
import io
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import postgresql
import pytest
from answers import PROBLEM
from deployments import SERVICES, Deployment, Process, traefik_before_processes
from PIL import Image, ImageDraw

READING = {"values": [1.2, 0.9, 1.1]}
TOLD_S = 2.5  # the aggregate is kept for 2 s; the rest is the check itself on a busy machine
HANGING_S = 1.2  # 1 s in all, and the way there and back
BACK_S = 60  # the start of a service on a busy machine
REQUESTS = int(os.environ.get("LINESIDE_TEST_REQUESTS", "600"))
PER_S = float(os.environ.get("LINESIDE_TEST_REQUESTS_PER_S", "50"))
WORKERS = 16


def seven() -> bytes:
    image = Image.new("L", (56, 56), 255)
    ImageDraw.Draw(image).line([(14, 12), (40, 12), (24, 46)], fill=0, width=4)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def words() -> bytes:
    image = Image.new("RGB", (200, 60), "white")
    ImageDraw.Draw(image).text((10, 10), "Valve 17", fill="black", font_size=32)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


SEVEN, WORDS = seven(), words()

CALLS: dict[str, Callable[[httpx2.Client], httpx2.Response]] = {
    "digit": lambda api: api.post("/digit/predict", files={"file": SEVEN}),
    "ocr": lambda api: api.post("/ocr/upload", files={"file": WORDS}),
    "cars": lambda api: api.get("/cars/files/"),
    "anomaly": lambda api: api.post("/anomaly", json=READING),
}


@pytest.fixture
def api(running: Deployment) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running.base_url, timeout=30) as api:
        wait_for(lambda: healthy(api), BACK_S)
        yield api


def wait_for(found: Callable[[], bool], seconds: float) -> float:
    """Returns after how many seconds it happened."""
    started = time.monotonic()
    while not found():
        assert time.monotonic() - started < seconds, f"it did not happen within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - started


def healthy(api: httpx2.Client) -> bool:
    overall = api.get("/health")  # 503 and plain text while there is no front
    return (
        overall.status_code == 200
        and bool(overall.json()["status"] == "healthy")
        and all(call(api).status_code == 200 for call in CALLS.values())
    )


def told(api: httpx2.Client, name: str) -> bool:
    return bool(api.get("/health").json()["services"][name]["status"] == "unhealthy")


@pytest.mark.parametrize("name", SERVICES)
def test_a_killed_service_is_told_the_others_go_on_and_it_comes_back(
    running: Deployment, api: httpx2.Client, name: str
) -> None:
    running.part(name).kill()
    try:
        assert wait_for(lambda: told(api, name), 10) < TOLD_S
        overall = api.get("/health").json()
        assert [one for one in SERVICES if overall["services"][one]["status"] != "healthy"] == [name]
        answer = CALLS[name](api)
        assert answer.status_code in (502, 503)
        assert answer.headers["content-type"] == PROBLEM
        assert int(answer.headers["retry-after"]) >= 1
        for other in SERVICES:
            assert other == name or CALLS[other](api).status_code == 200, other
    finally:
        running.part(name).start()
    wait_for(lambda: CALLS[name](api).status_code == 200, BACK_S)
    wait_for(lambda: bool(api.get("/health").json()["status"] == "healthy"), 10)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_hangs_holds_up_nobody(running: Deployment, api: httpx2.Client, name: str) -> None:
    running.part(name).signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        while not told(api, name):
            assert time.monotonic() - started < TOLD_S + 1
        time.sleep(2)  # what is kept of the last check is gone
        asked = time.monotonic()
        assert told(api, name)
        assert time.monotonic() - asked < HANGING_S
        for other in SERVICES:
            assert other == name or CALLS[other](api).status_code == 200, other
    finally:
        running.part(name).signal(signal.SIGCONT)
    wait_for(lambda: healthy(api), BACK_S)


def test_without_the_front_the_routes_go_on(running: Deployment, api: httpx2.Client) -> None:
    running.part("front").kill()
    try:
        for _ in range(3):
            for name in SERVICES:
                assert CALLS[name](api).status_code == 200, name
            time.sleep(1)
        assert api.get("/health").status_code in (502, 503)
        assert api.get("/anomaly/health").status_code == 200
    finally:
        running.part("front").start()
    wait_for(lambda: healthy(api), BACK_S)


# --- restarts under load ----------------------------------------------------------------------------------------------


@dataclass
class Load:
    """Requests at a steady rate from several clients until told to stop; what was not answered as it should be."""

    base: str
    sent: int = 0
    failed: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, number: int) -> None:
        choose = random.Random(number)
        with httpx2.Client(base_url=self.base, timeout=60) as api:
            due = time.monotonic()
            while not self.done.is_set():
                due = max(due + WORKERS / PER_S, time.monotonic() - 1)
                time.sleep(max(0, due - time.monotonic()))
                self.ask(api, *choose.choices(LOAD, [weight for _, weight, _ in LOAD])[0][::2])

    def ask(self, api: httpx2.Client, name: str, call: Callable[[httpx2.Client], httpx2.Response]) -> None:
        try:
            answer = call(api)
            outcome = "" if answer.is_success else f"{name}: {answer.status_code} {answer.text[:300]}"
        except httpx2.HTTPError as error:
            outcome = f"{name}: {type(error).__name__}: {error}"
        with self.lock:
            self.sent += 1
            if outcome:
                self.failed.append(outcome)

    @contextlib.contextmanager
    def going(self) -> Iterator["Load"]:
        threads = [threading.Thread(target=self.client, args=(number,)) for number in range(WORKERS)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.done.set()
            for thread in threads:
                thread.join()


LOAD: list[tuple[str, float, Callable[[httpx2.Client], httpx2.Response]]] = [
    ("anomaly", 60, CALLS["anomaly"]),
    ("an asset", 25, lambda api: api.post("/anomaly/assets/press", json=READING)),
    ("digit", 14, CALLS["digit"]),
    ("ocr", 1, CALLS["ocr"]),
]


@pytest.fixture
def replicated(tmp_path: Path, _traefik: None) -> Iterator[Deployment]:
    """Yields two of each service that keeps nothing, and two of anomaly, which keep it in one PostgreSQL."""
    with postgresql.running() as server:
        settings = {
            "ANOMALY_DATABASE_URL": server.new_database(),
            "LINESIDE_DRAIN_S": "5",  # what it is by default: Traefik looks every 2 s whether a service is ready
        }
        replicas = {"digit": 2, "ocr": 2, "anomaly": 2}
        with traefik_before_processes(tmp_path, replicas=replicas, **settings) as deployment:
            install(deployment.base_url)
            yield deployment


def install(base: str) -> None:
    """Gives the asset `press` the model that answers the stateless calls."""
    with httpx2.Client(base_url=f"{base}/anomaly", timeout=30) as api:
        active = next(version for version in api.get("/models/default").json()["items"] if version["active"])
        file = api.get(f"/models/default/versions/{active['version']}/file").content
        assert api.put("/models/press?activate=true", content=file).status_code == 201


def test_each_service_restarts_in_turn_under_load_and_no_request_fails(replicated: Deployment) -> None:
    with Load(replicated.base_url).going() as load:
        for name in ("anomaly", "digit", "ocr"):
            for process in replicated.parts[name]:
                process.signal(signal.SIGTERM)
                assert process.join() == 0
                process.start()
                process.wait()
                time.sleep(3)  # until Traefik has looked, as an operator's own script waits for ready
        while load.sent < REQUESTS:
            time.sleep(0.1)
    print(f"\n{load.sent} requests, {len(load.failed)} failed")  # the figure, seen with -s
    assert load.failed == [], Counter(load.failed).most_common(10)
    assert load.sent >= REQUESTS


# --- a database that is away, a disk that is full ---------------------------------------------------------------------


def kept(base: str) -> httpx2.Response:
    return httpx2.post(f"{base}/anomaly/assets/default", json=READING, timeout=30)


def test_postgresql_goes_away_and_comes_back(alone: Callable[..., tuple[str, Process]]) -> None:
    with postgresql.running() as server:
        base, process = alone("anomaly", ANOMALY_DATABASE_URL=server.new_database())
        try:
            assert kept(base).status_code == 200
            server.stop()
            answer = kept(base)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == PROBLEM
            assert int(answer.headers["retry-after"]) >= 1
            assert httpx2.get(f"{base}/digit/x").status_code == 200  # the others go on
            server.start()
            wait_for(lambda: kept(base).status_code == 200, 30)
        finally:
            process.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yields a folder on a disk of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "lineside-test", str(folder)]
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_said_and_nothing_is_lost(alone: Callable[..., tuple[str, Process]], small_disk: Path) -> None:
    base, process = alone("anomaly", ANOMALY_DATABASE_URL=f"sqlite:///{small_disk}/anomaly.db")
    try:
        assert kept(base).status_code == 200
        with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"\0" * 4096)
        statuses = [kept(base) for _ in range(400)]
        refused = [answer for answer in statuses if answer.status_code != 200]
        assert refused, "the disk did not fill"
        for answer in refused:
            assert answer.status_code in (503, 507), answer.text
            assert answer.headers["content-type"] == PROBLEM
        stateless = httpx2.post(f"{base}/anomaly", json=READING)
        assert stateless.status_code in (200, 503)
        (small_disk / "filler").unlink()
        wait_for(lambda: kept(base).status_code == 200, 30)
        items = httpx2.get(f"{base}/anomaly/assets/default/history?limit=1000").json()["items"]
        accepted = sum(answer.status_code == 200 for answer in statuses)
        assert len(items) >= accepted  # what was answered with 200 is there
    finally:
        process.stop()

"""The service is killed with SIGKILL at random moments under load: what it had acknowledged is there, whole, once.

`LINESIDE_KILLS=50` makes it the full trial; the default fits into everyday tests.
"""

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from cars.archive import Archive, Ledger
from cars.archive.archive import LEASE_MS
from cars.archive.schema import files, removals
from cars.archive.sweep import SETTLE_S, TIDY_S, Sweep
from cars.storage import Storage, open_storage
from cars_process import Place, Server, bucket_in, on_disk, photograph, shared, until
from servicekit.database.store import Store
from servicekit.threads import Pool

KILLS = int(os.environ.get("LINESIDE_KILLS", "3"))
CLIENTS = ("single", "single", "batch", "batch", "job")
LATEST_S = 600.0  # an answer, though the service is killed again and again and each lease has to lapse
SETTLED_S = LEASE_MS / 1000 + TIDY_S + 60

File = dict[str, Any]


@dataclass
class Client:
    """Uploads, recognises and deletes pictures of its own until told to stop; what is not answered is asked again."""

    server: Server
    kind: str
    number: int
    stop: threading.Event
    sent: dict[int, bytes] = field(default_factory=dict)  # acknowledged pictures
    files: dict[int, File] = field(default_factory=dict)  # what was last acknowledged of each
    deleted: set[int] = field(default_factory=set)
    jobs: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    repeated: int = 0
    failure: BaseException | None = None

    def run(self) -> None:
        turn: Callable[[], None] = getattr(self, self.kind)
        with self.server.client() as self.http:
            try:
                while not self.stop.is_set():
                    turn()
            except BaseException as failure:
                self.failure = failure
                raise

    def single(self) -> None:
        data = photograph("JPEG" if self.number else "PNG")
        file = self.ask("POST", "/upload/", 201, 200, files={"file": ("car", data)}).json()
        self.keep(file, data)
        self.files[file["id"]] = self.ask("POST", f"/inference/{file['id']}", 200).json()
        if len(self.sent) % 3 == 0:
            self.ask("DELETE", f"/files/{file['id']}", 204, 404)
            self.deleted.add(file["id"])
        elif len(self.sent) % 5 == 0:
            self.files[file["id"]] = self.ask("POST", f"/files/{file['id']}/reprocess", 200).json()

    def batch(self) -> None:
        ids = self.several(4)
        for item in self.ask("POST", "/inference/batch", 207, json=ids).json()["items"]:
            assert item["status"] == 200, item
            self.files[item["id"]] = item["file"]
        self.ask("DELETE", f"/files/{ids[0]}", 204, 404)
        self.deleted.add(ids[0])

    def job(self) -> None:
        ids = self.several(3)
        answer = self.ask("POST", "/inference/batch", 202, json=ids, headers={"Prefer": "respond-async"})
        self.jobs.append(answer.json()["id"])
        for image_id in ids:  # a job recognises them in its own time
            self.files[image_id] = {"id": image_id}
        self.stop.wait(1)

    def several(self, count: int) -> list[int]:
        pictures = [photograph() for _ in range(count)]
        form = [("files", (f"{at}.png", data)) for at, data in enumerate(pictures)]
        ids = []
        while not ids:
            items = self.ask("POST", "/upload/batch", 207, files=form).json()["items"]
            if all(item["status"] in (200, 201) for item in items):
                ids = [item["file"]["id"] for item in items]
            for item, data in zip(items, pictures, strict=True):
                if "file" in item:
                    self.keep(item["file"], data)
        return ids

    def keep(self, file: File, data: bytes) -> None:
        assert self.sent.setdefault(file["id"], data) == data, "an id was given twice"
        self.files[file["id"]] = {name: value for name, value in file.items() if name != "duplicate"}

    def ask(self, method: str, path: str, *wanted: int, **more: Any) -> httpx2.Response:
        """Returns the answer that is wanted, however often the service is killed before it comes."""
        deadline = time.monotonic() + LATEST_S
        while True:
            answer = self.once(method, path, **more)
            if answer is not None and answer.status_code in wanted:
                return answer
            assert answer is None or answer.status_code == 503, answer.text
            assert time.monotonic() < deadline, self.statuses
            self.repeated += 1
            time.sleep(0.1)

    def once(self, method: str, path: str, **more: Any) -> httpx2.Response | None:
        try:
            answer = self.http.request(method, path, **more)
        except httpx2.HTTPError:
            return None
        self.statuses[answer.status_code] += 1
        return answer


@pytest.fixture(params=["SQLite and a folder", "PostgreSQL and S3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "SQLite and a folder":
        yield on_disk(tmp_path)
        return
    with bucket_in(tmp_path) as bucket:
        yield shared(request.getfixturevalue("postgresql_url"), bucket)


@pytest.fixture
def server(place: Place, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "server", place.settings)
    server.start()
    yield server
    server.kill()


def test_nothing_acknowledged_is_lost_and_nothing_half_done_stays(server: Server, place: Place) -> None:
    clients = loaded(server)
    left_over = strays(place)
    server.start()
    with server.client() as http:
        until(lambda: is_settled(http), SETTLED_S)
        check_answers(http, clients)
        check_jobs(http, clients)
    if server.settings["CARS_DATABASE_URL"].startswith("sqlite"):  # its only service sweeps at its start
        until(lambda: not strays(place), SETTLE_S + 30)
    server.kill()
    check_rows(place, clients)
    done = {name: sum(len(getattr(client, name)) for client in clients) for name in ("sent", "deleted", "jobs")}
    repeated = sum(client.repeated for client in clients)
    print(f"{KILLS} kills, {done}, {repeated} requests asked again, {left_over} pictures without a row swept")


def loaded(server: Server) -> list[Client]:
    """Returns what the clients were answered while the service was killed so often; it is not running then."""
    stop = threading.Event()
    clients = [Client(server, kind, number, stop) for number, kind in enumerate(CLIENTS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    try:
        for number in range(KILLS):
            time.sleep(random.Random(number).uniform(0.05, 2.5))
            server.kill()
            server.start()
        time.sleep(1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        server.kill()
    assert [client.failure for client in clients if client.failure] == []
    assert all(client.sent for client in clients), "there was no load"
    return clients


def is_settled(http: httpx2.Client) -> bool:
    """Whether nothing is being recognised and no job is left."""
    counts = http.get("/visualization/stats").json()["by_status"]
    waiting = [http.get("/jobs", params={"status": status}).json()["items"] for status in ("queued", "running")]
    return counts["processing"] == 0 and waiting == [[], []]


def check_answers(http: httpx2.Client, clients: list[Client]) -> None:
    """Each file is as it was last acknowledged, its picture byte for byte; what was deleted is unknown."""
    for client in clients:
        for image_id, data in client.sent.items():
            answer = http.get(f"/files/{image_id}")
            if image_id in client.deleted:
                assert answer.status_code == 404, image_id
                continue
            told = client.files[image_id]
            assert {name: value for name, value in answer.json().items() if name in told} == told
            assert http.get(f"/files/{image_id}/image").content == data


def check_jobs(http: httpx2.Client, clients: list[Client]) -> None:
    """Each job has ended, with what became of each picture, or because it was killed too often."""
    for job_id in (job_id for client in clients for job_id in client.jobs):
        job = http.get(f"/jobs/{job_id}").json()
        if job["status"] == "failed":
            assert "the service ended 3 times" in job["error"]["detail"]
        else:
            assert (job["status"], [item["status"] for item in job["result"]["items"]]) == ("succeeded", [200] * 3)


def strays(place: Place) -> int:
    """Returns how many pictures and thumbnails lie in the storage whose row there is not."""
    store = Store(place.database_url)
    with store.engine.connect() as connection:
        known = set(connection.scalars(sa.select(files.c.key)))
    store.close()
    pictures = open_storage(place.storage_url, place.access)
    found = {each.key for each in pictures.keys()}  # noqa: SIM118 - no dict
    assert known <= found, "a row has no picture"
    return len({key for key in found if key.startswith("originals/")} - known)


def check_rows(place: Place, clients: list[Client]) -> None:
    """There are the rows that were acknowledged and no others, each with its picture, and after a sweep no others."""
    store, storage = Store(place.database_url), open_storage(place.storage_url, place.access)
    swept(store, storage)
    with store.engine.connect() as connection:
        rows = connection.execute(sa.select(files.c.id, files.c.key, files.c.sha256)).all()
        assert connection.scalar(sa.select(sa.func.count()).select_from(removals)) == 0
    store.close()
    expected = {image_id for client in clients for image_id in client.sent.keys() - client.deleted}
    assert {row.id for row in rows} == expected
    assert len({row.sha256 for row in rows}) == len(rows)
    assert sorted(row.key for row in rows) == sorted(each.key for each in storage.keys())  # noqa: SIM118 - no dict


def swept(store: Store, storage: Storage) -> None:
    """Sweeps as a service does whose last start was long ago: a replica's grace is longer than a test may take."""

    async def sweep() -> None:
        await Sweep(archive, storage, pool).tidy()
        await Sweep(archive, storage, pool).sweep(datetime.now(UTC))

    ledger, pool = Ledger(store, lambda: time.time_ns() // 1_000_000), Pool("sweeping", 2)
    archive = Archive(store, ledger)
    ledger.start()
    try:
        asyncio.run(sweep())
    finally:
        ledger.stop()
        pool.close()

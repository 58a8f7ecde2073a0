"""Two real services on one PostgreSQL and one bucket give one truth, whichever of them is asked, and whichever dies."""

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import hub
import pytest
from cars.storage import open_storage
from cars_process import Place, Server, bucket_in, photograph, problem, send, shared, stored, together, until
from hub import Hub
from postgresql import PostgresqlServer

HERE_AND_THERE = 6  # requests at once, to each


class Remote:
    """A remote recogniser that answers when it is let."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.hub = Hub([self.answer])

    def answer(self, talking: socket.socket, ended: threading.Event) -> None:
        while not (self.gate.wait(0.05) or ended.is_set()):
            pass
        hub.says(hub.CARS)(talking, ended)

    @property
    def asked(self) -> int:
        return len(self.hub.requests)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        self.hub.requests.clear()
        self.gate.clear()
        try:
            yield
        finally:
            self.gate.set()


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    remote = Remote()
    with remote.hub:
        yield remote


@pytest.fixture(scope="module")
def place(
    postgresql: PostgresqlServer, migrated_postgresql: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    with bucket_in(tmp_path_factory.mktemp("bucket")) as bucket:
        url = postgresql.new_database(migrated_postgresql)
        yield shared(url, bucket)
        postgresql.drop(url)


@pytest.fixture(scope="module")
def servers(place: Place, remote: Remote, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    asking = {"CARS_BACKEND": "huggingface", "CARS_HF_ENDPOINT": remote.hub.url, "CARS_HF_TIMEOUT_S": "60"}
    settings = {**place.settings, **asking}
    first, second = (Server(tmp_path_factory.mktemp(name), settings) for name in ("first", "second"))
    together(first.start, second.start)
    yield first, second
    first.kill()
    second.kill()


@pytest.fixture
def here(servers: tuple[Server, Server]) -> Iterator[httpx2.Client]:
    with servers[0].client() as client:
        yield client


@pytest.fixture
def there(servers: tuple[Server, Server]) -> Iterator[httpx2.Client]:
    with servers[1].client() as client:
        yield client


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def originals(place: Place, sha256: str) -> list[str]:
    storage = open_storage(place.storage_url, place.access)
    return [each.key for each in storage.keys() if sha256 in each.key]  # noqa: SIM118 - no dict


def test_what_is_uploaded_here_is_seen_there(here: httpx2.Client, there: httpx2.Client) -> None:
    data = photograph()
    image_id = stored(here, data)
    assert there.get(f"/files/{image_id}").json() == here.get(f"/files/{image_id}").json()
    assert there.get("/files/").json()["items"][0]["id"] == image_id
    assert there.get(f"/files/{image_id}/image").content == data
    thumbnails = [each.get(f"/files/{image_id}/thumbnail").content for each in (there, here)]
    assert thumbnails[0] == thumbnails[1]
    assert there.post(f"/inference/{image_id}").json() == here.get(f"/files/{image_id}").json()
    assert there.get("/visualization/stats").json() == here.get("/visualization/stats").json()
    assert send(there, data).json()["duplicate"] is True


def test_the_same_picture_at_once_on_both_is_one_file(here: httpx2.Client, there: httpx2.Client, place: Place) -> None:
    for _ in range(5):
        data = photograph("JPEG")
        calls = [lambda client=client, data=data: send(client, data) for client in (here, there) * HERE_AND_THERE]
        answers = together(*calls)
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 2 * HERE_AND_THERE - 1}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len(originals(place, answers[0].json()["sha256"])) == 1


def test_one_file_at_once_on_both_is_recognised_once(
    here: httpx2.Client, there: httpx2.Client, remote: Remote, aside: ThreadPoolExecutor
) -> None:
    image_id = stored(here)
    with remote.held():
        asking = [aside.submit(client.post, f"/inference/{image_id}") for client in (here, there)]
        until(lambda: remote.asked)
        assert there.get(f"/files/{image_id}").json()["status"] == "processing"
        remote.gate.set()
        first, second = (each.result(60).json() for each in asking)
    assert first == second
    assert first["car"]["make"]["value"] == "Tesla"
    assert remote.asked == 1


def test_a_file_that_is_deleted_here_while_it_runs_there_is_gone_on_both(
    here: httpx2.Client, there: httpx2.Client, remote: Remote, aside: ThreadPoolExecutor, place: Place
) -> None:
    image_id = stored(here)
    sha256 = here.get(f"/files/{image_id}").json()["sha256"]
    with remote.held():
        running = aside.submit(there.post, f"/inference/{image_id}")
        until(lambda: remote.asked)
        assert here.delete(f"/files/{image_id}").status_code == 204
    assert problem(running.result(60)) == (404, "unknown-file")
    for client in (here, there):
        assert problem(client.get(f"/files/{image_id}")) == (404, "unknown-file")
    assert originals(place, sha256) == []


def test_a_file_that_is_reset_here_while_it_runs_there_is_recognised_anew(
    here: httpx2.Client, there: httpx2.Client, remote: Remote, aside: ThreadPoolExecutor
) -> None:
    image_id = stored(here)
    with remote.held():
        running = aside.submit(there.post, f"/inference/{image_id}")
        until(lambda: remote.asked)
        assert here.post(f"/files/{image_id}/reprocess").json()["status"] == "pending"
    file: dict[str, Any] = running.result(60).json()
    assert (file["status"], remote.asked) == ("recognized", 2)
    assert here.get(f"/files/{image_id}").json() == file


def test_a_job_outlives_the_service_that_runs_it(
    servers: tuple[Server, Server], there: httpx2.Client, remote: Remote
) -> None:
    first, second = servers
    ids = [stored(there) for _ in range(3)]
    second.kill()
    with remote.held():
        with first.client() as here:
            prefer = {"Prefer": "respond-async"}
            job = here.post("/inference/batch", json=ids, headers=prefer).headers["location"].rpartition("/")[2]
            until(lambda: remote.asked == len(ids))
            assert here.get(f"/jobs/{job}").json()["status"] == "running"
        second.start()
        first.kill()
    with second.client() as there:
        until(lambda: there.get(f"/jobs/{job}").json()["status"] == "succeeded")
        result = there.get(f"/jobs/{job}").json()["result"]
        assert [(item["id"], item["status"]) for item in result["items"]] == [(image_id, 200) for image_id in ids]
        assert {there.get(f"/files/{image_id}").json()["status"] for image_id in ids} == {"recognized"}
    first.start()

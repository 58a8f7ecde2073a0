"""What the service needs goes away under the real service, and comes back: said so, reads go on, no restart."""

import json
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx2
import hub
import pytest
from cars.storage import open_storage
from cars_process import (
    Place,
    Server,
    bucket_in,
    on_disk,
    photograph,
    problem,
    send,
    shared,
    stored,
    together,
    until,
)
from hub import Hub
from postgresql import PostgresqlServer

DISK_BYTES = 8 << 20
FILLER_BYTES = 3 << 20
LARGE = (320, 320)  # pixels of noise: 300 kB
CALLS = (
    ("POST", "/inference/{}"),
    ("POST", "/inference/{}?bbox=0,0,9,9"),
    ("GET", "/files/{}"),
    ("DELETE", "/files/{}"),
    ("GET", "/files/{}/image"),
    ("GET", "/files/{}/thumbnail"),
    ("POST", "/files/{}/reprocess"),
    ("PUT", "/files/{}/correction"),
    ("DELETE", "/files/{}/correction"),
)
Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a service at a place; all are killed at the end."""
    with ExitStack() as stack:

        def serve(place: Place, **settings: str) -> Server:
            server = Server(tmp_path / "server", {**place.settings, **settings})
            stack.callback(server.kill)
            server.start()
            return server

        yield serve


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with little room."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here: a full disk wants root and the right to mount")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def health(client: httpx2.Client) -> Any:
    return client.get("/health").json()


def is_unavailable(answer: httpx2.Response, slug: str) -> bool:
    """Whether it is a refusal for now, which says when to come again."""
    return problem(answer) == (503, slug) and int(answer.headers["retry-after"]) > 0


def filled(client: httpx2.Client) -> tuple[list[int], httpx2.Response]:
    """Uploads until that is refused; returns the ids that were stored, and the refusal."""
    ids: list[int] = []
    while (answer := send(client, photograph(size=LARGE))).status_code == 201:
        ids.append(answer.json()["id"])
        assert len(ids) < DISK_BYTES // 100_000, "the disk is never full"
    return ids, answer


def fill(rest: Path) -> None:
    """Takes the last byte of a disk."""
    with rest.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("with_database", [False, True], ids=["of the pictures", "of pictures and database"])
def test_a_full_disk_refuses_uploads_while_reads_go_on(
    serve: Serve, small_disk: Path, tmp_path: Path, *, with_database: bool
) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(FILLER_BYTES))
    database = on_disk(small_disk if with_database else tmp_path).database_url
    server = serve(Place(database, f"{small_disk}/pictures"))
    with server.client() as client:
        ids, refusal = filled(client)
        assert len(ids) > 3
        fill(small_disk / "rest")
        assert problem(refusal)[0] == 507
        assert problem(refusal)[1] in ("upload-storage-full", "storage-full")
        form = [("files", (f"{number}.png", photograph(size=LARGE))) for number in range(2)]
        assert problem(client.post("/upload/batch", files=form))[0] == 507
        listed = client.get("/files/", params={"limit": 500}).json()["items"]
        assert [item["id"] for item in listed] == ids[::-1]
        for image_id in ids:
            assert client.get(f"/files/{image_id}/image").status_code == 200
            assert client.get(f"/files/{image_id}/thumbnail").status_code == 200  # made, though it cannot be kept
        assert client.get("/visualization/export/csv").text.count("\n") == len(ids) + 1
        assert client.post("/recognize", files={"file": photograph()}).status_code == 200
        until(lambda: health(client)["status"] == "degraded")
        assert client.get("/health/ready").status_code == 200
        filler.unlink()
        (small_disk / "rest").unlink()
        assert send(client, photograph(size=LARGE)).status_code == 201
        assert client.post(f"/inference/{ids[0]}").status_code == 200
        until(lambda: health(client)["status"] == "healthy")
        assert client.delete(f"/files/{ids[0]}").status_code == 204
    server.kill()
    storage = open_storage(f"{small_disk}/pictures")
    kept = [each for each in storage.keys() if each.key.startswith("originals/")]  # noqa: SIM118 - no dict
    assert len(kept) >= len(ids)
    assert list((small_disk / "pictures/incoming").iterdir()) == []


def test_a_database_that_is_away_is_503_until_it_is_back(
    serve: Serve, postgresql: PostgresqlServer, postgresql_url: str, tmp_path: Path
) -> None:
    server = serve(Place(postgresql_url, f"{tmp_path}/pictures"))
    with server.client() as client:
        image_id = stored(client, data := photograph())
        client.get(f"/files/{image_id}/thumbnail")
        postgresql.stop()
        try:
            for method, path in CALLS:
                correction = {"json": {"label": "a car"}} if method == "PUT" else {}
                answer = client.request(method, path.format(image_id), **correction)
                assert is_unavailable(answer, "storage-unavailable"), (method, path, answer.text)
            for path in ("/files/", "/visualization/stats", "/visualization/export/csv", "/visualization/report"):
                assert is_unavailable(client.get(path), "storage-unavailable"), path
            assert is_unavailable(send(client, photograph()), "storage-unavailable")
            assert is_unavailable(client.post("/inference/batch", json=list(range(1, 30))), "storage-unavailable")
            items = client.post("/inference/batch", json=[image_id]).json()["items"]
            assert [item["status"] for item in items] == [503]
            assert client.post("/recognize", files={"file": photograph()}).status_code == 200
            assert client.get("/health/live").status_code == 200
            until(lambda: health(client)["status"] != "healthy")
        finally:
            postgresql.start()
        assert client.get(f"/files/{image_id}/image").content == data
        assert stored(client) > image_id
        assert client.post(f"/inference/{image_id}").status_code == 200
        until(lambda: health(client)["status"] == "healthy")


def test_a_bucket_that_is_away_is_503_until_it_is_back(serve: Serve, postgresql_url: str, tmp_path: Path) -> None:
    with bucket_in(tmp_path) as bucket:
        place = shared(postgresql_url, bucket)
        server = serve(place)
        with server.client() as client:
            gone, kept = stored(client), stored(client, data := photograph())
            bucket.stop()
            assert is_unavailable(send(client, photograph()), "pictures-unavailable")
            assert send(client, data).json()["id"] == kept  # is there already: nothing is to be written
            for path in ("image", "thumbnail"):
                assert is_unavailable(client.get(f"/files/{kept}/{path}"), "pictures-unavailable")
            assert is_unavailable(client.post(f"/inference/{kept}"), "pictures-unavailable")
            assert client.get(f"/files/{kept}").json()["status"] == "pending"
            assert client.get("/visualization/report").status_code == 200
            assert client.delete(f"/files/{gone}").status_code == 204  # its picture goes when the bucket is back
            until(lambda: health(client)["status"] == "degraded")
            bucket.start()
            assert client.get(f"/files/{kept}/image").content == data
            assert client.post(f"/inference/{kept}").status_code == 200
            until(lambda: health(client)["status"] == "healthy")
            until(lambda: len(left(place)) == 1)


def left(place: Place) -> list[str]:
    storage = open_storage(place.storage_url, place.access)
    return [each.key for each in storage.keys()]  # noqa: SIM118 - no dict


# --- many at once -----------------------------------------------------------------------------------------------------


def test_two_uploads_of_one_picture_at_once_are_one_file(serve: Serve, tmp_path: Path) -> None:
    place = on_disk(tmp_path)
    with serve(place).client() as client:
        for _ in range(10):
            data = photograph("JPEG")
            answers = together(*[lambda data=data: send(client, data) for _ in range(8)])
            assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 7}
            assert len({answer.json()["id"] for answer in answers}) == 1
        assert client.get("/visualization/stats").json()["files"] == len(left(place)) == 10


def test_what_is_reset_or_deleted_while_it_runs_is_read_anew_or_unknown(serve: Serve, tmp_path: Path) -> None:
    gate = threading.Event()

    def later(talking: Any, ended: threading.Event) -> None:
        while not (gate.wait(0.05) or ended.is_set()):
            pass
        hub.says(hub.CARS)(talking, ended)

    with Hub([later]) as remote, ThreadPoolExecutor(2) as aside:
        asking = {"CARS_BACKEND": "huggingface", "CARS_HF_ENDPOINT": remote.url}
        with serve(on_disk(tmp_path), **asking).client() as client:
            reset, gone = stored(client), stored(client)
            running = [aside.submit(client.post, f"/inference/{image_id}") for image_id in (reset, gone)]
            until(lambda: len(remote.requests) == 2)
            assert client.post(f"/files/{reset}/reprocess").json()["status"] == "pending"
            assert client.delete(f"/files/{gone}").status_code == 204
            gate.set()
            assert running[0].result(30).json()["status"] == "recognized"
            assert problem(running[1].result(30)) == (404, "unknown-file")
            assert len(remote.requests) == 3
            assert client.get("/visualization/stats").json()["by_status"]["processing"] == 0


def test_the_id_of_a_deleted_file_is_unknown_to_every_call(serve: Serve, tmp_path: Path) -> None:
    with serve(on_disk(tmp_path)).client() as client:
        gone, kept = stored(client), stored(client)
        assert client.delete(f"/files/{gone}").status_code == 204
        for image_id in (gone, -gone, 0, 10**17, 10**40):
            for method, path in CALLS:
                correction = {"json": {"label": "a car"}} if method == "PUT" else {}
                answer = client.request(method, path.format(image_id), **correction)
                assert problem(answer) == (404, "unknown-file"), (method, path, image_id)
        ids = [gone, kept, kept, -1, 2**63, 10**30, gone]
        items = client.post("/inference/batch", content=json.dumps(ids), headers={"Content-Type": "application/json"})
        assert [(item["id"], item["status"]) for item in items.json()["items"]] == [
            (gone, 404),
            (kept, 200),
            (-1, 404),
            (2**63, 404),
            (10**30, 404),
        ]
        assert stored(client) == kept + 1

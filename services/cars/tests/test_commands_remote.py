import asyncio
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cars.commands import cli
from cars.commands.refused import RefusedError
from cars.commands.remote import LONGEST_WAIT_S, TRIES, Remote
from cars.commands.sent import Sent
from painted import RED, picture

Fate = tuple[int, dict[str, str], bytes]
PROBLEM = {"Content-Type": "application/problem+json"}


def stored(image_id: int, *, duplicate: bool = False) -> Fate:
    return 200 if duplicate else 201, {}, json.dumps({"id": image_id, "duplicate": duplicate}).encode()


def problem(status: int, detail: str, **headers: str) -> Fate:
    return status, {**PROBLEM, **headers}, json.dumps({"detail": detail}).encode()


class Service(ThreadingHTTPServer):
    """Answers with the fates in their order, the last one again and again; remembers what came."""

    def __init__(self, fates: list[Fate]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fates = fates
        self.came: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/cars"


class Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.came.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        fates = self.server.fates
        status, headers, content = fates.pop(0) if len(fates) > 1 else fates[0]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def serving(*fates: Fate) -> Iterator[Service]:
    with Service(list(fates)) as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.01,))
        thread.start()
        yield service
        service.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "cars"
    place.mkdir()
    for number in range(3):
        (place / f"{number}.png").write_bytes(picture(RED, (64, 48 + number)))
    return place


def put(service: Service, path: Path, *, recognize: bool = False) -> tuple[str, list[float]]:
    """Stores one file with waits that take no time; returns the outcome and the waits."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def run() -> str:
        async with httpx2.AsyncClient() as client:
            with Sent(path.parent / "state", service.url) as sent:
                return await Remote(client, service.url, sent, recognize=recognize, sleep=sleep).put(path)

    return asyncio.run(run()), waits


def test_files_are_sent_with_the_key_and_not_a_second_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(stored(1), stored(2), stored(3, duplicate=True)) as service:
        arguments = ["import", str(folder), "--url", service.url + "/", "--api-key", "secret", "--concurrency", "1"]
        assert cli.main(arguments) == 0
        assert capsys.readouterr().err == "2 stored, 1 were there; 0 refused\n"
        assert cli.main(arguments) == 0
        assert capsys.readouterr().err == "0 stored, 3 were there; 0 refused\n"
    assert [path for path, _, _ in service.came] == ["/cars/upload/"] * 3
    assert {headers["x-api-key"] for _, headers, _ in service.came} == {"secret"}
    assert (folder / "0.png").read_bytes() in service.came[0][2]


def test_the_state_is_of_one_service_and_survives_a_line_that_was_cut(folder: Path) -> None:
    sha256 = hashlib.sha256((folder / "0.png").read_bytes()).hexdigest()
    state = folder / "state"
    state.write_text(json.dumps({"sha256": sha256, "id": 7, "url": "http://elsewhere"}) + '\n{"sha256": "ab', "utf-8")
    with serving(stored(1)) as service:
        assert put(service, folder / "0.png")[0] == "stored"
        assert put(service, folder / "0.png")[0] == "known"
    assert len(service.came) == 1


def test_what_was_sent_is_recognised_too_where_that_is_wanted(folder: Path) -> None:
    with serving(stored(5), (200, {}, b"{}")) as service:
        put(service, folder / "0.png", recognize=True)
    assert [path for path, _, _ in service.came] == ["/cars/upload/", "/cars/inference/5"]


def test_a_limit_and_a_restart_are_waited_for(folder: Path) -> None:
    fates: tuple[Fate, ...] = (
        problem(429, "too many", **{"Retry-After": "7"}),
        (502, {}, b"<html>"),
        problem(503, "", **{"Retry-After": "9999"}),
    )
    with serving(*fates, stored(1)) as service:
        outcome, waits = put(service, folder / "0.png")
    assert (outcome, waits) == ("stored", [7, 2, LONGEST_WAIT_S])


def test_a_file_that_is_refused_is_told_and_the_others_are_sent(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(problem(422, "it is text"), stored(1), stored(2)) as service:
        assert cli.main(["import", str(folder), "--url", service.url, "--concurrency", "1"]) == 1
    complaint, summary = capsys.readouterr().err.splitlines()
    assert complaint == "cars: 0.png: it is text"
    assert summary == "2 stored, 0 were there; 1 refused"


@pytest.mark.parametrize(
    ("fate", "says"),
    [
        (problem(401, "an API key is needed"), "answered 401: an API key is needed"),
        (problem(404, "there is no such path"), "answered 404"),
        ((413, {}, b"<html>too large</html>"), "answered 413"),
        ((200, {}, b"<html>hello</html>"), "is the path right?"),
        ((201, {}, b'{"id": "x"}'), "is the path right?"),
        (problem(507, "the disk is full"), "the disk is full"),
    ],
)
def test_what_waiting_does_not_mend_ends_the_import_in_one_line(
    folder: Path, fate: Fate, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(fate) as service:
        assert cli.main(["import", str(folder), "--url", service.url, "--concurrency", "1"]) == 1
    assert len(service.came) == 1
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_a_service_that_stays_away_is_asked_some_times_and_named(folder: Path) -> None:
    with serving(stored(1)) as service:
        pass
    with pytest.raises(ValueError, match="does not answer"):
        put(service, folder / "0.png")
    with serving(problem(503, "the database is away")) as service, pytest.raises(ValueError, match="database is away"):
        put(service, folder / "0.png")
    assert len(service.came) == TRIES


def test_a_picture_that_was_deleted_since_concerns_that_picture_alone(folder: Path) -> None:
    with (
        serving(stored(1), problem(404, "there is no file 1")) as service,
        pytest.raises(RefusedError, match="there is no file 1"),
    ):
        put(service, folder / "0.png", recognize=True)

"""The load against a small server that answers as it is told; the real one is met in test_commands_cli."""

import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from digit.commands import load
from digit.commands.load import Bounds, Shot
from digit.commands.target import Target, form, target_of

SHOTS = [Shot("a_label_7.png", form("a_label_7.png", b"a")), Shot("b_label_5.png", form("b_label_5.png", b"b"))]

Answer = Callable[[int, bytes], tuple[int, bytes] | None]  # of turn and body; None: hangs up


class Toy(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.turn = 0
        self.lock = threading.Lock()
        self.headers_seen: list[str | None] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing of connections that the load cuts."""

    @property
    def target(self) -> Target:
        return target_of(f"http://127.0.0.1:{self.server_address[1]}/digit", None, "secret")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Toy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            turn = self.server.turn
            self.server.turn += 1
            self.server.headers_seen.append(self.headers["X-API-Key"])
        answered = self.server.answer(turn, body)
        if answered is None:
            self.close_connection = True
            return
        status, text = answered
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the standard library's name
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Toy]]:
    servers: list[Toy] = []

    def start(answer: Answer) -> Toy:
        server = Toy(answer)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def seven(_turn: int, _body: bytes) -> tuple[int, bytes]:
    return 200, b'{"prediction": 7}'


def quiet(_share: float, _message: str) -> None:
    pass


def test_sends_as_many_requests_as_asked_for(serve: Callable[[Answer], Toy]) -> None:
    server = serve(seven)
    outcome = load.run(server.target, SHOTS, Bounds(4, requests=50), quiet)
    assert server.turn == 51  # one to see whether anybody is there
    assert outcome.tally.statuses == {200: 50}
    assert len(outcome.tally.latencies_s) == 50
    assert not outcome.interrupted
    assert set(server.headers_seen) == {"secret"}


def test_pictures_are_sent_in_turn_and_judged_by_their_labels(serve: Callable[[Answer], Toy]) -> None:
    outcome = load.run(serve(seven).target, SHOTS, Bounds(2, requests=10), quiet)
    assert (outcome.tally.accuracy.labelled, outcome.tally.accuracy.right) == (10, 5)
    assert outcome.tally.accuracy.wrong == {"b_label_5.png": 7}


def test_ends_when_the_time_is_over(serve: Callable[[Answer], Toy]) -> None:
    server = serve(seven)
    outcome = load.run(server.target, SHOTS, Bounds(2, duration_s=0.3), quiet)
    assert outcome.tally.sent > 0
    sent = server.turn
    time.sleep(0.1)
    assert server.turn == sent
    assert outcome.seconds >= 0.3


def test_errors_are_counted_by_status(serve: Callable[[Answer], Toy]) -> None:
    def sometimes(turn: int, _body: bytes) -> tuple[int, bytes]:
        return (503, b'{"error":"overloaded"}') if turn % 2 else (200, b'{"prediction":7}')

    tally = load.run(serve(sometimes).target, SHOTS, Bounds(1, requests=10), quiet).tally
    assert tally.statuses == {503: 5, 200: 5}
    assert len(tally.latencies_s) == 5
    assert tally.failed == 5
    assert tally.accuracy.labelled == 5


def test_a_picture_that_is_refused_was_not_read(serve: Callable[[Answer], Toy]) -> None:
    tally = load.run(serve(lambda *_: (422, b"{}")).target, SHOTS, Bounds(1, requests=2), quiet).tally
    assert (tally.accuracy.labelled, tally.accuracy.right) == (2, 0)


def test_a_connection_that_is_cut_is_counted_and_opened_again(serve: Callable[[Answer], Toy]) -> None:
    def once(turn: int, body: bytes) -> tuple[int, bytes] | None:
        return None if turn == 2 else seven(turn, body)

    tally = load.run(serve(once).target, SHOTS, Bounds(1, requests=5), quiet).tally
    assert tally.failures == {"connection closed": 1}
    assert tally.statuses == {200: 4}


def test_a_server_that_says_nothing_is_a_timeout(serve: Callable[[Answer], Toy]) -> None:
    released = threading.Event()

    def silent_once(turn: int, body: bytes) -> tuple[int, bytes]:
        if turn == 1:
            released.wait(60)
        return seven(turn, body)

    tally = load.run(serve(silent_once).target, SHOTS, Bounds(1, requests=3, timeout_s=2.0), quiet).tally
    released.set()
    assert tally.failures == {"timeout": 1}
    assert tally.statuses == {200: 2}


def test_an_answer_without_end_is_cut_off(serve: Callable[[Answer], Toy], monkeypatch: pytest.MonkeyPatch) -> None:
    big = serve(lambda turn, body: seven(turn, body) if turn == 0 else (200, b"x" * 64))
    monkeypatch.setattr(load, "MAX_ANSWER_BYTES", 17)
    assert load.run(big.target, SHOTS, Bounds(1, requests=2), quiet).tally.failures == {"answer too large": 2}


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_wrong_address_or_key_ends_it_at_once(serve: Callable[[Answer], Toy], status: int) -> None:
    server = serve(lambda *_: (status, b'{"error":"not so"}'))
    with pytest.raises(ValueError, match=rf'/digit/predict answered {status}: {{"error":"not so"}}'):
        load.run(server.target, SHOTS, Bounds(8, requests=1000), quiet)
    assert server.turn == 1


def test_nobody_there_ends_it_at_once() -> None:
    with pytest.raises(ConnectionError, match=r"Connection refused"):
        load.run(target_of("http://127.0.0.1:1", None, None), SHOTS, Bounds(8, requests=1000), quiet)


def test_ctrl_c_ends_it_early_with_what_there_is(serve: Callable[[Answer], Toy]) -> None:
    def interrupt(_share: float, message: str) -> None:
        if int(re.sub(r"\D.*", "", message.replace(",", ""))) >= 1:
            raise KeyboardInterrupt

    released = threading.Event()

    def hanging(turn: int, body: bytes) -> tuple[int, bytes]:
        if turn == 3:
            released.wait(60)
        return seven(turn, body)

    outcome = load.run(serve(hanging).target, SHOTS, Bounds(2, duration_s=60, timeout_s=60), interrupt)
    assert not released.is_set()  # the hanging request was not waited for
    released.set()
    assert outcome.interrupted
    assert outcome.tally.statuses[200] >= 1
    assert not outcome.tally.failures


def test_progress_tells_the_share_done() -> None:
    assert Bounds(1, requests=200).share(3.0, 50) == 0.25
    assert Bounds(1, duration_s=10).share(3.0, 50) == 0.3
    assert Bounds(1, duration_s=10).share(30.0, 50) == 1.0
    assert Bounds(1).share(3.0, 50) == 0.0
    assert math.inf == Bounds(1).requests


def test_shots_are_the_pictures_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.png", "a.jpg"):
        (tmp_path / name).write_bytes(b"x" * 10)
    assert load.shots_of(tmp_path) == [
        Shot("a.jpg", form("a.jpg", b"x" * 10)),
        Shot("b.png", form("b.png", b"x" * 10)),
    ]
    monkeypatch.setattr(load, "MAX_LOADED_BYTES", 15)
    assert [shot.name for shot in load.shots_of(tmp_path)] == ["a.jpg"]

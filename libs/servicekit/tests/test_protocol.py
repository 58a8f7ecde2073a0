import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, cast

import pytest
from servicekit.app import Service
from servicekit.protocol import JoinedWrites, LimitedProtocol

GET = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def port(
    make: Callable[..., Service],
    served: Callable[[Service], AbstractContextManager[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[int]:
    monkeypatch.setattr(LimitedProtocol, "head_timeout_s", 0.3)
    with served(make()) as port:
        yield port


@pytest.mark.parametrize(
    "request_", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: a\r\n\r\n", b"\x16\x03\x01"]
)
def test_refuses_what_is_not_http_as_a_problem(port: int, connect: Callable[[int], Any], request_: bytes) -> None:
    connection = connect(port)
    connection.send(request_)
    status, headers, body = connection.response()
    assert (status, headers["content-type"], headers["connection"]) == (400, "application/problem+json", "close")
    problem = json.loads(body)
    assert problem["type"] == "urn:lineside:problem:bad-request"
    assert problem["request_id"] == headers["x-request-id"]
    assert connection.is_closed()


def test_refuses_headers_without_end(port: int, connect: Callable[[int], Any]) -> None:
    connection = connect(port)
    connection.send(b"GET / HTTP/1.1\r\n")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):  # noqa: PT012 - whichever send finds it closed
        for number in range(10_000):
            connection.send(b"X-%d: " % number + b"x" * 1000 + b"\r\n")


def test_says_that_the_head_is_too_large(port: int, connect: Callable[[int], Any]) -> None:
    connection = connect(port)
    connection.send(b"GET / HTTP/1.1\r\nX: " + b"x" * LimitedProtocol.max_head_bytes)
    status, headers, body = connection.response()
    assert (status, headers["content-type"]) == (431, "application/problem+json")
    assert json.loads(body)["type"] == "urn:lineside:problem:head-too-large"


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost:"])
def test_closes_a_connection_that_does_not_ask_for_anything(
    port: int, connect: Callable[[int], Any], begun: bytes
) -> None:
    connection = connect(port)
    started = time.monotonic()
    connection.send(begun)
    assert connection.is_closed()
    assert 0.2 < time.monotonic() - started < 2


def test_closes_a_connection_whose_head_trickles(port: int, connect: Callable[[int], Any]) -> None:
    connection = connect(port)
    for _ in range(20):
        connection.send(b"G" if _ == 0 else b"E" if _ == 1 else b"T" if _ == 2 else b" " if _ == 3 else b"/")
        time.sleep(0.01)
    started = time.monotonic()
    assert connection.is_closed()
    assert time.monotonic() - started < 1


def test_lets_requests_come_in_pieces_and_with_pauses_between_them(port: int, connect: Callable[[int], Any]) -> None:
    connection = connect(port)
    for _ in range(2):
        for piece in (GET[:5], GET[5:20], GET[20:]):
            connection.send(piece)
            time.sleep(0.05)
        assert connection.response()[0] == 200
        time.sleep(0.4)
    connection.send(GET)
    assert connection.response()[0] == 200


class _Recorder:
    """Stands for a transport: what reaches it, in the order it does."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.written.append(b"closed")

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def test_joins_what_is_written_in_one_turn_and_loses_nothing_at_the_end() -> None:
    async def scenario() -> list[bytes]:
        recorder = _Recorder()
        joined = JoinedWrites(cast("asyncio.Transport", recorder), asyncio.get_running_loop())
        joined.write(b"head ")
        joined.write(b"body")
        await asyncio.sleep(0)
        joined.write(b"last")
        joined.close()
        await asyncio.sleep(0)
        assert joined.get_extra_info("peername") == "the peername"
        return recorder.written

    assert asyncio.run(scenario()) == [b"head body", b"last", b"closed"]

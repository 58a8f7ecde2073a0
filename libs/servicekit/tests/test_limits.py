import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from servicekit.app import Service
from servicekit.limits import RateLimitMiddleware
from servicekit.problems import RateLimited
from starlette.testclient import TestClient

Client = Callable[..., TestClient]
HEAD = b"POST /sum HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
LIMIT = 1024


@pytest.fixture
def port(make: Callable[..., Service], served: Callable[[Service], AbstractContextManager[int]]) -> Iterator[int]:
    with served(make(max_body_bytes=LIMIT, body_timeout_s=0.3)) as port:
        yield port


def test_takes_a_body_of_exactly_the_limit(client: Client) -> None:
    body = b'{"numbers":[1]}'.ljust(LIMIT)
    toy = client(max_body_bytes=LIMIT)
    assert toy.post("/sum", content=body, headers={"Content-Type": "application/json"}).status_code == 200
    assert toy.post("/sum", content=body + b" ", headers={"Content-Type": "application/json"}).status_code == 413


def test_takes_a_larger_body_where_the_route_allows_it(client: Client) -> None:
    toy = client(max_body_bytes=LIMIT)
    assert toy.post("/large", content=b"x" * 4096).json() == {"size": 4096}
    assert "the limit is 4096" in toy.post("/large", content=b"x" * 4097).json()["detail"]


def test_refuses_a_declared_size_without_reading_it(port: int, connect: Callable[[int], Any]) -> None:
    connection = connect(port)
    connection.send(HEAD + b"Content-Length: 100000000000\r\n\r\n")
    status, headers, body = connection.response()
    assert (status, headers["content-type"], headers["connection"]) == (413, "application/problem+json", "close")
    assert b"urn:lineside:problem:body-too-large" in body
    assert b"the body has 100000000000 bytes, the limit is 1024" in body


def test_refuses_a_chunked_body_as_soon_as_it_is_too_large(port: int, connect: Callable[[int], Any]) -> None:
    connection = connect(port)
    connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"401\r\n" + b" " * 1025 + b"\r\n")
    status, headers, body = connection.response()
    assert (status, headers["connection"]) == (413, "close")
    assert b"the body has more than 1024 bytes" in body


def test_reads_on_until_the_client_has_sent_all_so_that_it_sees_the_answer(
    port: int, connect: Callable[[int], Any]
) -> None:
    """A reset while it still sends would destroy the answer, and `requests` would only say: connection reset."""
    connection = connect(port)
    connection.send(HEAD + b"Content-Length: 8000000\r\n\r\n")
    for _ in range(800):
        connection.send(b" " * 10_000)
    connection.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.response()[0] == 413
    assert connection.is_closed(), "what comes after a refused body is not a request"


def test_refuses_a_body_that_stops_half_way(port: int, connect: Callable[[int], Any]) -> None:
    connection = connect(port)
    started = time.monotonic()
    connection.send(HEAD + b'Content-Length: 100\r\n\r\n{"numbers":')
    status, headers, body = connection.response()
    assert (status, headers["content-type"], headers["connection"]) == (408, "application/problem+json", "close")
    assert b"urn:lineside:problem:body-timeout" in body
    assert b"11 bytes of the body arrived in 0.3" in body
    assert connection.is_closed()
    assert 0.25 < time.monotonic() - started < 2


def test_refuses_a_trickle(port: int, connect: Callable[[int], Any]) -> None:
    connection = connect(port)
    started = time.monotonic()
    connection.send(HEAD + b"Content-Length: 100\r\n\r\n")
    for _ in range(10):
        connection.send(b" ")
        time.sleep(0.02)
    assert connection.response()[0] == 408
    assert time.monotonic() - started < 0.45, "each byte is given time of its own"


def test_gives_a_long_upload_more_time_as_it_goes_on(
    make: Callable[..., Service],
    served: Callable[[Service], AbstractContextManager[int]],
    connect: Callable[[int], Any],
) -> None:
    with served(make(max_body_bytes=100_000, body_timeout_s=0.2)) as port:
        connection = connect(port)
        connection.send(HEAD + b"Content-Length: 60015\r\n\r\n")
        for _ in range(6):
            connection.send(b" " * 10_000)
            time.sleep(0.08)
        connection.send(b'{"numbers":[1]}')
        assert connection.response()[0] == 200


def test_serves_others_while_bodies_are_awaited(
    make: Callable[..., Service],
    served: Callable[[Service], AbstractContextManager[int]],
    connect: Callable[[int], Any],
) -> None:
    with served(make(max_concurrent=2, max_waiting=0, body_timeout_s=5)) as port:
        halves = [connect(port) for _ in range(10)]
        for half in halves:
            half.send(HEAD + b"Content-Length: 15\r\n\r\n{")
        time.sleep(0.1)
        whole = connect(port)
        whole.send(HEAD + b'Content-Length: 15\r\n\r\n{"numbers":[1]}')
        assert whole.response()[0] == 200
        for half in halves[:2]:
            half.send(b'"numbers":[1]}')
            assert half.response()[0] == 200
        for half in halves:
            half.close()


def test_keeps_the_connection_open_after_a_whole_body(port: int, connect: Callable[[int], Any]) -> None:
    connection = connect(port)
    request = HEAD + b'Content-Length: 15\r\n\r\n{"numbers":[1]}'
    connection.send(request * 3)
    assert [connection.response()[2] for _ in range(3)] == [b'{"total":1.0}'] * 3


def test_refuses_more_than_the_rate_and_says_when_to_come_again(client: Client) -> None:
    toy = client(rate_limit_per_s=0.5, rate_limit_burst=2)
    answers = [toy.get("/items/7") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refusal = answers[-1]
    assert (refusal.headers["content-type"], refusal.headers["retry-after"]) == ("application/problem+json", "2")
    assert refusal.json()["type"] == "urn:lineside:problem:rate-limited"
    assert toy.get("/health/live").status_code == 200, "a probe is not limited"


def test_limits_each_client_for_itself_and_lets_it_in_again() -> None:
    limit = RateLimitMiddleware(lambda *_: None, per_s=1.0, burst=1)  # type: ignore[arg-type] # not called
    limit._take("a", 0.0)
    limit._take("b", 0.0)
    with pytest.raises(RateLimited):
        limit._take("a", 0.5)
    limit._take("a", 1.5)


def test_remembers_a_bounded_number_of_clients() -> None:
    limit = RateLimitMiddleware(lambda *_: None, per_s=1.0, burst=1)  # type: ignore[arg-type] # not called
    for number in range(10_100):
        limit._take(str(number), 0.0)
    assert len(limit.buckets) == 10_000
    assert "0" not in limit.buckets

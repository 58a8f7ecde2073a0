"""Slow clients are closed, patient ones are not, and many at once are told to come back."""

import io
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx2
import pytest
from answers import refused
from deployments import Deployment, Process
from PIL import Image, ImageDraw

from traefik import raw
from traefik.conftest import BODY_TIMEOUT_S, Before

READING = {"values": [1.2, 0.9, 1.1]}
SLOW_CLIENTS = 200
SLOW_ADDRESS = "127.0.0.2"
READ_TIMEOUT_S = 3
REQUESTS = 300
HEAD = b"POST /anomaly HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def fast(base: str) -> None:
    """Checks that an ordinary client is answered as ever."""
    started = time.monotonic()
    for _ in range(10):
        assert httpx2.post(f"{base}/anomaly", json=READING, timeout=5).status_code == 200
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "beginning",
    [b"", b"POST", HEAD, HEAD + b"X-A: ", HEAD + b'Content-Length: 30\r\n\r\n{"val'],
    ids=["nothing", "a method", "half a head", "half a line", "half a body"],
)
def test_slow_clients_are_closed_and_others_go_on(running: Deployment, before: Before, beginning: bytes) -> None:
    upstreams = running.upstreams
    with before(read_timeout=f"{READ_TIMEOUT_S}s", **upstreams) as base, ExitStack() as stack:
        slow = [stack.enter_context(raw.connected(base, 15, SLOW_ADDRESS)) for _ in range(SLOW_CLIENTS)]
        for connection in slow:
            connection.sendall(beginning)
        started = time.monotonic()
        fast(base)
        answers = [raw.read_all(connection) for connection in slow]
        # One deadline is Traefik's for the whole request, one the service's for the body.
        assert time.monotonic() - started < max(READ_TIMEOUT_S, BODY_TIMEOUT_S) + 6
    assert {raw.status(answer) for answer in answers} <= {0, 400, 408, 429, 499, 502, 504}


def test_a_body_that_stops_costs_the_service_only_its_own_timeout(running: Deployment) -> None:
    """The service sees an upload before it is whole: nothing is buffered.

    Go's server keeps its 408 back until the body is whole, or Traefik's own timeout of a request ends.
    """
    part = running.part("anomaly")

    def given_up() -> int:
        return part.log.read_text().count('"status":408')

    before = given_up()
    with raw.connected(running.base_url) as connection:
        connection.sendall(HEAD + b'Content-Length: 30\r\n\r\n{"val')
        deadline = time.monotonic() + BODY_TIMEOUT_S + 5
        while given_up() == before:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        connection.sendall(b"x" * 25)
        answer = raw.read_all(connection)
    assert raw.status(answer) == 408
    assert b'"urn:lineside:problem:body-timeout"' in answer


def test_a_slow_long_upload_is_allowed(running: Deployment) -> None:
    """It takes longer than a body that does not come may, and keeps to 16 KiB a second."""
    rows = json.dumps({"rows": [READING["values"]] * 8000}).encode()
    size = 16_384

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(rows), size):
            yield rows[start : start + size]
            time.sleep(0.5)

    started = time.monotonic()
    answer = httpx2.post(
        f"{running.base_url}/anomaly/batch",
        content=pieces(),
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert time.monotonic() - started > BODY_TIMEOUT_S


def test_three_hundred_at_once_are_answered_or_told_when_to_come_back(
    alone: Callable[..., tuple[str, Process]],
) -> None:
    base, _ = alone("digit", DIGIT_MAX_CONCURRENT="1", DIGIT_MAX_WAITING="8", DIGIT_THREADS="1")
    image = Image.new("L", (56, 56), 255)
    ImageDraw.Draw(image).line([(14, 12), (40, 12), (24, 46)], fill=0, width=4)
    file = io.BytesIO()
    image.save(file, "PNG")
    limits = httpx2.Limits(max_connections=REQUESTS)
    with httpx2.Client(base_url=base, timeout=60, limits=limits) as api, ThreadPoolExecutor(REQUESTS) as pool:
        answers = list(pool.map(lambda _: api.post("/digit/predict", files={"file": file.getvalue()}), range(REQUESTS)))
    counted = Counter(answer.status_code for answer in answers)
    assert set(counted) <= {200, 429, 503}, counted
    assert counted[200]
    assert counted[503] or counted[429]
    for answer in answers:
        if answer.status_code != 200:
            refused(answer, answer.status_code, "overloaded" if answer.status_code == 503 else "rate-limited")
            assert int(answer.headers["retry-after"]) >= 1
        else:
            assert answer.json() == {"prediction": 7}

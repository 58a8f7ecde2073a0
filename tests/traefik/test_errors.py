"""Whoever answers, an error has the one shape, and what a service says of itself passes untouched."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from answers import refused
from deployments import SERVICES, Deployment, Process

from traefik.standin import StandIn

IN_FLIGHT = 128
ID = {"X-Request-ID": "press-4.17_a"}


@pytest.fixture
def api(base: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=base, timeout=30) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/nothing", "/anomalyx", "/errors/404", "/metrics", "/anomaly/metrics"])
def test_what_is_no_route_is_404(api: httpx2.Client, seen: StandIn, method: str, path: str) -> None:
    problem = refused(api.request(method, path, headers=ID), 404, "not-found")
    assert problem["request_id"] == ID["X-Request-ID"]
    assert seen.seen == []


def test_a_service_that_breaks_the_connection_is_502(api: httpx2.Client, seen: StandIn) -> None:
    answer = api.post("/anomaly/close", json={}, headers=ID)
    assert refused(answer, 502, "bad-gateway")["request_id"] == ID["X-Request-ID"]
    assert answer.headers["x-request-id"] == ID["X-Request-ID"]
    assert len(seen.seen) == 1  # a request that may have had an effect is not sent twice


def test_a_service_that_begins_no_answer_is_504(api: httpx2.Client, seen: StandIn) -> None:
    started = time.monotonic()
    assert refused(api.post("/ocr/hang", headers=ID), 504, "gateway-timeout")["request_id"] == ID["X-Request-ID"]
    assert time.monotonic() - started < 5


def test_a_service_that_is_not_ready_is_503_with_retry_after_and_comes_back(api: httpx2.Client, seen: StandIn) -> None:
    seen.ready = False
    wait_for(lambda: api.get("/cars/x").status_code == 503)
    answer = api.post("/cars/x", headers=ID)
    assert refused(answer, 503, "not-ready")["request_id"] == ID["X-Request-ID"]
    assert int(answer.headers["retry-after"]) >= 1
    seen.ready = True
    wait_for(lambda: all(api.get(f"/{name}/x").status_code == 200 for name in SERVICES))


def wait_for(found: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s"
        time.sleep(0.05)


def test_too_many_requests_in_flight_of_one_client_are_429(
    before: Callable[..., contextlib.AbstractContextManager[str]], seen: StandIn
) -> None:
    with (
        before(answer_timeout="30s") as base,
        httpx2.Client(base_url=base, timeout=30, limits=httpx2.Limits(max_connections=IN_FLIGHT + 20)) as api,
        ThreadPoolExecutor(IN_FLIGHT + 10) as pool,
    ):
        threading.Timer(4, seen.release.set).start()
        answers = list(pool.map(lambda _: api.post("/anomaly/hang"), range(IN_FLIGHT + 10)))
    limited = [answer for answer in answers if answer.status_code != 200]
    assert len(limited) == 10
    for answer in limited:
        refused(answer, 429, "rate-limited")
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 424, 500, 503])
def test_what_a_service_says_passes_untouched(api: httpx2.Client, seen: StandIn, status: int) -> None:
    answer = api.post(f"/digit/own/{status}")
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (status, {"own": True}, "77")


def test_a_real_services_413_and_422_pass_untouched(running: Deployment) -> None:
    body = b" " * 2_000_000
    answers = [
        httpx2.post(f"{base}/anomaly", content=body, headers={"Content-Type": "application/json", **ID})
        for base in (running.base_url, running.part("anomaly").url)
    ]
    assert refused(answers[0], 413, "body-too-large") == refused(answers[1], 413, "body-too-large")
    through = httpx2.post(f"{running.base_url}/anomaly", json={"values": [1]}, headers=ID)
    direct = httpx2.post(f"{running.part('anomaly').url}/anomaly", json={"values": [1]}, headers=ID)
    assert refused(through, 422, "wrong-dimension") == refused(direct, 422, "wrong-dimension")


def test_a_real_services_own_503_keeps_its_words(alone: Callable[..., tuple[str, Process]]) -> None:
    base, _ = alone("anomaly", ANOMALY_MAX_CONCURRENT="1", ANOMALY_MAX_WAITING="0")
    reading = {"values": [1.2, 0.9, 1.1]}
    with httpx2.Client(base_url=base, timeout=30) as api, ThreadPoolExecutor(16) as pool:  # each waits for the disk
        answers = list(pool.map(lambda _: api.post("/anomaly/assets/default", json=reading), range(64)))
    crowded = [answer for answer in answers if answer.status_code == 503]
    assert crowded
    assert refused(crowded[0], 503, "overloaded")
    assert int(crowded[0].headers["retry-after"]) >= 1

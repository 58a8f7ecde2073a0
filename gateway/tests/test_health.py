import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from gateway.app import Dispatcher
from gateway.health import KEEP_S, Aggregate
from starlette.testclient import TestClient

Gateway = Callable[..., Dispatcher]
Toys = Callable[..., Any]


class Backend:
    """Answers `/health` as it is told to, and counts how often it is asked."""

    def __init__(self, body: bytes = b'{"status":"healthy"}', delay_s: float = 0.0, failure: str = "") -> None:
        self.body = body
        self.delay_s = delay_s
        self.failure = failure
        self.asked = 0

    async def answer(self, _request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        await asyncio.sleep(self.delay_s)
        if self.failure:
            raise httpx2.ConnectError(self.failure)
        return httpx2.Response(200, content=self.body)


def aggregate(required: list[str], **backends: Backend | list[Backend]) -> Aggregate:
    clients = {
        name: {
            f"http://{name}-{number}": httpx2.AsyncClient(
                transport=httpx2.MockTransport(backend.answer), base_url="http://a"
            )
            for number, backend in enumerate(backend if isinstance(backend, list) else [backend])
        }
        for name, backend in backends.items()
    }
    return Aggregate(clients, required)


def test_tells_of_each_service(gateway: Gateway, toy: Toys) -> None:
    with TestClient(gateway(toy("one"), toy("two"))) as client:
        document = client.get("/health").json()
    assert document["status"] == "healthy"
    assert set(document["services"]) == {"one", "two"}
    check = document["services"]["one"]
    assert 0 < check.pop("latency_ms") < 500
    assert check.pop("checked_at").endswith("Z")
    assert check == {"status": "healthy", "model": "toy", "version": "1.2.3"}


@pytest.mark.parametrize(
    ("options", "required", "status", "plain", "strict"),
    [
        ({}, ["two"], "healthy", 200, 200),
        ({"degraded": ("the disk is nearly full",)}, ["two"], "degraded", 200, 503),
        ({"ready": False}, [], "degraded", 200, 503),
        ({"ready": False}, ["two"], "unhealthy", 503, 503),
        ({"breaks_at_start": True}, [], "degraded", 200, 503),
        ({"breaks_at_start": True}, ["two"], "unhealthy", 503, 503),
    ],
)
def test_weighs_required_and_optional_services(
    gateway: Gateway, toy: Toys, options: dict[str, Any], required: list[str], status: str, plain: int, strict: int
) -> None:
    with TestClient(gateway(toy("one"), toy("two", **options), required=required)) as client:
        assert client.get("/health").json()["status"] == status
        assert client.get("/health").status_code == plain
        assert client.get("/health?strict=1").status_code == client.get("/health?strict=true").status_code == strict


def test_checks_side_by_side_and_gives_none_more_than_half_a_second() -> None:
    hanging = {f"s{number}": Backend(delay_s=60) for number in range(10)}
    started = time.monotonic()
    overall = asyncio.run(aggregate(["fine"], fine=Backend(), **hanging).check())
    assert time.monotonic() - started < 0.9
    assert overall.status == "degraded"
    assert overall.services["fine"].status == "healthy"
    assert overall.services["s3"].reason == "no answer within 0.5 s"


def test_ends_within_a_second_whatever_a_check_does() -> None:
    class Stubborn(Backend):
        async def answer(self, request: httpx2.Request) -> httpx2.Response:
            for _ in range(5):
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    await asyncio.sleep(0.4)
            return await super().answer(request)

    async def check() -> float:
        started = time.monotonic()
        overall = await aggregate([], stubborn=Stubborn()).check()
        assert overall.services["stubborn"].reason == "the check did not end"
        return time.monotonic() - started

    assert asyncio.run(check()) < 1.3


def test_asks_once_for_all_who_ask_at_the_same_time_and_keeps_it_for_two_seconds() -> None:
    backend = Backend(delay_s=0.05)

    async def ask() -> list[int]:
        health = aggregate([], one=backend)
        await asyncio.gather(*(health.check() for _ in range(20)))
        asked = [backend.asked]
        await health.check()
        asked.append(backend.asked)
        health.kept._expires -= KEEP_S
        await health.check()
        return [*asked, backend.asked]

    assert asyncio.run(ask()) == [1, 1, 2]


def test_goes_on_for_the_others_when_one_caller_goes_away() -> None:
    async def ask() -> str:
        health = aggregate([], one=Backend(delay_s=0.1))
        gone = asyncio.create_task(health.check())
        stays = asyncio.create_task(health.check())
        await asyncio.sleep(0.02)
        gone.cancel()
        return (await stays).status

    assert asyncio.run(ask()) == "healthy"


@pytest.mark.parametrize(
    "backend",
    [
        Backend(b"<html>502</html>"),
        Backend(b'{"status":500,"title":"Internal error"}'),
        Backend(b'{"status":"fine"}'),
        Backend(b"[]"),
        Backend(b""),
        Backend(failure="connection refused"),
    ],
)
def test_takes_nothing_but_a_health_document_for_health(backend: Backend) -> None:
    overall = asyncio.run(aggregate(["one"], one=backend).check())
    assert overall.status == overall.services["one"].status == "unhealthy"
    assert "no usable answer" in (overall.services["one"].reason or "")


def test_refuses_a_strictness_that_is_neither_yes_nor_no(gateway: Gateway, toy: Toys) -> None:
    with TestClient(gateway(toy("one"))) as client:
        assert client.get("/health?strict=perhaps").json()["type"] == "urn:lineside:problem:invalid-input"


HEALTHY, DEGRADED, DOWN = (
    b'{"status":"healthy","version":"1.2"}',
    b'{"status":"degraded","reasons":["slow"]}',
    b"<html>",
)


@pytest.mark.parametrize(
    ("bodies", "status", "overall"),
    [
        ([HEALTHY, HEALTHY], "healthy", "healthy"),
        ([HEALTHY, DOWN], "degraded", "degraded"),
        ([DOWN, DEGRADED], "degraded", "degraded"),
        ([DEGRADED, DEGRADED], "degraded", "degraded"),
        ([DOWN, DOWN], "unhealthy", "unhealthy"),
    ],
)
def test_a_service_is_up_while_one_of_its_addresses_is(bodies: list[bytes], status: str, overall: str) -> None:
    found = asyncio.run(aggregate(["one"], one=[Backend(body) for body in bodies]).check())
    assert (found.services["one"].status, found.status) == (status, overall)


def test_tells_of_each_address_of_a_service_that_has_several() -> None:
    found = asyncio.run(aggregate([], one=[Backend(DOWN), Backend(HEALTHY)], two=Backend(HEALTHY)).check())
    one = found.services["one"]
    assert one.addresses is not None
    assert {address: check.status for address, check in one.addresses.items()} == {
        "http://one-0": "unhealthy",
        "http://one-1": "healthy",
    }
    assert (one.version, one.reason) == ("1.2", "http://one-0: no usable answer: DecodeError")
    assert found.services["two"].addresses is None


def test_a_hanging_address_delays_neither_its_twin_nor_the_answer() -> None:
    started = time.monotonic()
    found = asyncio.run(aggregate([], one=[Backend(delay_s=60), Backend(HEALTHY)]).check())
    assert time.monotonic() - started < 0.9
    assert found.services["one"].reason == "http://one-0: no answer within 0.5 s"

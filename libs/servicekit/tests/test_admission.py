import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from servicekit.admission import AdmissionMiddleware, Place
from servicekit.app import Service
from servicekit.problems import Overloaded


async def nothing(*_: Any) -> None:
    pass


def test_serves_so_many_lets_so_many_wait_and_refuses_the_rest_at_once(make: Callable[..., Service]) -> None:
    toy = make(max_concurrent=2, max_waiting=3)
    gate = asyncio.Event()
    active = []

    async def slow() -> None:
        active.append(toy.state.metrics.active)
        await gate.wait()

    async def load() -> list[httpx2.Response]:
        toy.state.slow = slow
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=toy), base_url="http://toy") as client:
            calls = [asyncio.create_task(client.get("/slow")) for _ in range(7)]
            await asyncio.sleep(0.05)
            assert len(active) == 2
            assert (await client.get("/health/live")).status_code == 200, "a busy service is alive"
            gate.set()
            return list(await asyncio.gather(*calls))

    answers = asyncio.run(load())
    assert [answer.status_code for answer in answers] == [200] * 5 + [503] * 2
    refusal = answers[-1]
    assert (refusal.headers["content-type"], refusal.headers["retry-after"]) == ("application/problem+json", "1")
    assert refusal.json()["type"] == "urn:lineside:problem:overloaded"
    assert refusal.json()["detail"] == "2 requests are served and 3 wait, which is the limit"


def test_computes_when_to_come_again_from_what_requests_took() -> None:
    admission = AdmissionMiddleware(nothing, 2, 0)
    admission.active, admission.held_s = 2, 7.0
    with pytest.raises(Overloaded) as refusal:
        asyncio.run(admission.wait())
    assert refusal.value.headers == {"Retry-After": "7"}


def test_hands_places_on_in_order() -> None:
    async def order() -> list[int]:
        admission = AdmissionMiddleware(nothing, 1, 10)
        served: list[int] = []

        async def request(number: int) -> None:
            place = Place(admission)
            if not place.take():
                await place.wait()
            served.append(number)
            await asyncio.sleep(0)
            place.leave()

        await asyncio.gather(*(request(number) for number in range(5)))
        assert admission.active == 0
        return served

    assert asyncio.run(order()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("given", [False, True])
def test_loses_no_place_when_one_who_waits_is_cancelled(given: bool) -> None:
    """Also when the place was handed on just before the cancellation."""

    async def cancel() -> None:
        admission = AdmissionMiddleware(nothing, 1, 10)
        first, second, third = (Place(admission) for _ in range(3))
        assert first.take()
        assert not second.take()
        waiting = asyncio.create_task(second.wait())
        await asyncio.sleep(0)
        if given:
            first.leave()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not admission.waiting
        first.leave()
        assert admission.active == 0
        assert third.take()

    asyncio.run(cancel())


def test_gives_a_place_back_once_only() -> None:
    admission = AdmissionMiddleware(nothing, 2, 0)
    one, other = Place(admission), Place(admission)
    assert one.take()
    assert other.take()
    one.leave()
    one.leave()
    assert admission.active == 1


def test_gives_the_place_back_after_an_error_and_during_a_stream(make: Callable[..., Service]) -> None:
    toy = make(max_concurrent=1, max_waiting=0)

    async def load() -> list[int]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=toy), base_url="http://toy") as client:
            statuses = [(await client.get("/broken")).status_code]
            stream = asyncio.create_task(client.get("/stream"))
            await asyncio.sleep(0.05)
            statuses.append((await client.get("/items/7")).status_code)
            toy.state.drain.start()
            return [*statuses, (await stream).status_code, (await client.get("/items/7")).status_code]

    assert asyncio.run(load()) == [500, 200, 200, 200]

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from servicekit.app import Service
from servicekit.metrics import Metrics
from starlette.testclient import TestClient

Make = Callable[..., Service]


def measured(toy: Service, **labels: str) -> float | None:
    name = "http_server_request_duration_seconds_count"
    metrics: Metrics = toy.state.metrics
    return metrics.registry.get_sample_value(name, {"service": "toy", **labels})


def test_measures_a_request_under_the_method_that_came_and_the_routes_template(make: Make) -> None:
    toy = make()
    client = TestClient(toy)
    client.head("/items/7")
    client.get("/toy/items/8")
    for method in ("HEAD", "GET"):
        route = {"http_request_method": method, "http_route": "/items/{number}", "http_response_status_code": "200"}
        assert measured(toy, **route) == 1


def test_counts_a_request_as_active_only_while_it_is_served(make: Make) -> None:
    toy = make()
    seen = []

    async def slow() -> None:
        seen.append(toy.state.metrics.active)

    toy.state.slow = slow
    TestClient(toy).get("/slow")
    TestClient(toy).get("/broken")
    assert (seen, toy.state.metrics.active) == ([1], 0)


def test_calls_a_request_499_when_its_client_went_away_before_the_answer(
    make: Make, served: Callable[[Service], AbstractContextManager[int]], connect: Callable[[int], Any]
) -> None:
    toy = make()
    labels = {"http_request_method": "POST", "http_route": "/sum", "http_response_status_code": "499"}
    with served(toy) as port:
        connection = connect(port)
        connection.send(
            b"POST /sum HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        while not toy.state.metrics.active:
            pass
        connection.close()
        while toy.state.metrics.active:
            pass
    assert measured(toy, **labels) == 1
    assert toy.state.metrics.errors == 0


def test_asks_clients_to_leave_while_draining(make: Make) -> None:
    toy = make()
    client = TestClient(toy)
    assert "connection" not in client.get("/items/7").headers
    toy.state.drain.start()
    assert client.get("/items/7").headers["connection"] == "close"


def test_gives_the_place_back_when_a_request_is_cancelled(make: Make) -> None:
    toy = make()

    async def forever() -> None:
        await asyncio.sleep(3600)

    async def cancel() -> None:
        toy.state.slow = forever
        scope = {"type": "http", "method": "GET", "path": "/slow", "headers": [], "query_string": b""}
        task = asyncio.create_task(toy(scope, forever, forever))  # type: ignore[arg-type] # neither is called
        await asyncio.sleep(0.05)
        assert toy.state.metrics.active == 1
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(cancel())
    assert toy.state.metrics.active == 0

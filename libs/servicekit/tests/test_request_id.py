import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

Client = Callable[..., TestClient]


@pytest.mark.parametrize("given", ["a", "order-4711.retry_2", "x" * 128])
def test_takes_over_a_well_formed_id(client: Client, given: str) -> None:
    assert client().get("/items/7", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "ä", 'a"b', "a\tb", "<script>"])
def test_makes_an_id_where_the_client_sends_none_or_a_malformed_one(client: Client, given: str) -> None:
    headers = {b"X-Request-ID": given.encode("latin-1")}
    assert re.fullmatch("[0-9a-f]{32}", client().get("/items/7", headers=headers).headers["x-request-id"])


def test_never_makes_an_id_twice(client: Client) -> None:
    toy = client()
    assert len({toy.get("/items/7").headers["x-request-id"] for _ in range(50)}) == 50


def test_puts_the_id_into_an_error_too(client: Client) -> None:
    refusal = client().get("/nothing", headers={"X-Request-ID": "abc"})
    assert refusal.headers["x-request-id"] == refusal.json()["request_id"] == "abc"

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

Client = Callable[..., TestClient]

FORWARDED = {"X-Forwarded-For": "10.0.0.7, 10.0.0.1", "X-Forwarded-Proto": "https"}


def test_believes_a_trusted_proxy(client: Client) -> None:
    toy = client(trusted_proxies=["testclient", "10.0.0.0/30"])
    assert toy.get("/origin", headers=FORWARDED).json() == ["10.0.0.7", "https"]
    assert toy.get("/origin", headers={"X-Forwarded-Proto": "https"}).json() == ["testclient", "https"]


@pytest.mark.parametrize("trusted", [[], ["127.0.0.1"]])
def test_believes_nobody_else(client: Client, trusted: list[str]) -> None:
    assert client(trusted_proxies=trusted).get("/origin", headers=FORWARDED).json() == ["testclient", "http"]


def test_limits_the_rate_of_the_client_behind_the_proxy(client: Client) -> None:
    toy = client(trusted_proxies=["testclient"], rate_limit_per_s=0.1, rate_limit_burst=1)
    statuses = [toy.get("/origin", headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code for n in (1, 2, 1)]
    assert statuses == [200, 200, 429]

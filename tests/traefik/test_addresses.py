"""What a client claims about its own address is not believed."""

from collections.abc import Callable

import httpx2
import pytest
from deployments import Process

from traefik import raw
from traefik.standin import StandIn

FORGED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "4430",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Server": "evil",
    "X-Real-Ip": "203.0.113.7",
    "Forwarded": "for=203.0.113.7;proto=https",
}
PER_CLIENT = 5


def test_a_service_is_told_the_real_address(base: str, seen: StandIn) -> None:
    httpx2.get(f"{base}/anomaly/x", headers=FORGED).raise_for_status()
    (one,) = seen.seen
    assert one.values("x-forwarded-for") == ["127.0.0.1"]
    assert one.values("x-forwarded-proto") == ["http"]
    assert one.values("x-real-ip") == ["127.0.0.1"]
    assert one.values("x-forwarded-prefix") == []
    assert not any(
        "evil" in value for name in ("host", "port", "server") for value in one.values(f"x-forwarded-{name}")
    )


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x_forwarded_for", "X-FORWARDED-FOR"])
def test_no_spelling_adds_an_address(base: str, seen: StandIn, name: str) -> None:
    assert raw.status(raw.get(base, "/anomaly/x", f"{name}: 203.0.113.7", f"{name}: 203.0.113.8")) == 200
    (one,) = seen.seen
    assert not any("203.0.113" in value for key, value in one.headers if key.lower().replace("_", "-") == name.lower())
    assert one.values("x-forwarded-for") == ["127.0.0.1"]


def test_the_real_address_cannot_be_taken_away_as_a_header_of_the_connection(base: str, seen: StandIn) -> None:
    answer = raw.get(base, "/anomaly/x", "Connection: X-Forwarded-For, X-Real-Ip, X-Forwarded-Proto")
    assert raw.status(answer) == 200
    (one,) = seen.seen
    assert (one.values("x-forwarded-for"), one.values("x-real-ip")) == (["127.0.0.1"], ["127.0.0.1"])
    assert one.values("x-forwarded-proto") == ["http"]


@pytest.fixture(scope="module")
def limited(alone: Callable[..., tuple[str, Process]]) -> str:
    """Returns the address before a service that takes five requests of each client, and then one in 100 s."""
    base, _ = alone("anomaly", ANOMALY_RATE_LIMIT_PER_S="0.01", ANOMALY_RATE_LIMIT_BURST=str(PER_CLIENT))
    return base


def ask(base: str, own_address: str, times: int, **headers: str) -> list[int]:
    transport = httpx2.HTTPTransport(local_address=own_address)
    with httpx2.Client(base_url=base, transport=transport, headers=headers) as api:
        return [api.post("/anomaly", json={"values": [1.2, 0.9, 1.1]}).status_code for _ in range(times)]


def test_the_limit_of_requests_is_of_the_real_address(limited: str) -> None:
    assert ask(limited, "127.0.0.2", PER_CLIENT + 2) == [200] * PER_CLIENT + [429] * 2
    for number, header in enumerate(("X-Forwarded-For", "X-Real-Ip", "Forwarded")):
        value = f"203.0.113.{number}"
        forged = {header: f"for={value}" if header == "Forwarded" else value}
        assert ask(limited, "127.0.0.2", 1, **forged) == [429], header
    assert ask(limited, "127.0.0.3", PER_CLIENT) == [200] * PER_CLIENT  # another client has its own

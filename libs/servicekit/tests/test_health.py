from collections.abc import Callable
from typing import Any

import pytest
from servicekit.app import Service
from servicekit.drain import Drain
from servicekit.health import Health
from servicekit.problems import NotReady
from starlette.testclient import TestClient


def refuse() -> None:
    raise NotReady("no model is active")


def test_is_alive_ready_and_healthy(make: Callable[..., Service]) -> None:
    toy = TestClient(make())
    assert toy.get("/health/live").json() == {"status": "alive"}
    assert toy.get("/health/ready").json() == {"status": "ready"}
    summary = toy.get("/toy/health").json()
    assert (summary["status"], summary["reasons"], summary["version"]) == ("healthy", [], "1.2.3")
    assert summary["limits"] == {"max_body_bytes": 1}
    assert 0 <= summary["uptime_s"] < 60
    assert summary["started_at"].endswith("Z")


def test_is_alive_but_not_ready_without_a_model(make: Callable[..., Service]) -> None:
    toy = TestClient(make(probe=refuse))
    assert toy.get("/health/live").status_code == 200
    refusal = toy.get("/health/ready")
    assert (refusal.status_code, refusal.headers["content-type"]) == (503, "application/problem+json")
    assert refusal.headers["retry-after"] == "1"
    assert refusal.json()["type"] == "urn:lineside:problem:not-ready"
    summary = toy.get("/health")
    assert (summary.status_code, summary.json()["status"]) == (503, "unhealthy")
    assert summary.json()["reasons"] == ["no model is active"]


def test_is_not_ready_but_alive_while_draining(make: Callable[..., Service]) -> None:
    toy = make()
    toy.state.drain.start()
    client = TestClient(toy)
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == client.get("/health").status_code == 503


def test_tells_why_it_is_degraded_and_stays_ready() -> None:
    health = Health(Drain(), lambda: None, lambda: {"degraded": ["the disk is nearly full"]})
    assert health.check() is None


def test_infers_again_after_the_interval_only() -> None:
    calls = []
    health = Health(Drain(), lambda: calls.append(1), dict, interval_s=3600)
    health.check()
    health.check()
    assert len(calls) == 1
    health.probed -= 3600
    health.check()
    assert len(calls) == 2


def test_is_ready_again_once_an_inference_succeeds() -> None:
    health = Health(Drain(), refuse, dict, interval_s=0)
    assert health.check()
    health.probe = lambda: None
    assert health.check() is None


def test_is_never_green_after_a_probe_that_died_of_something_unforeseen() -> None:
    def die() -> None:
        raise ZeroDivisionError

    health = Health(Drain(), die, dict)
    with pytest.raises(ZeroDivisionError):
        health.check()
    assert health.check()


def test_shows_the_degraded_status(make: Callable[..., Service]) -> None:
    toy = make()
    details: dict[str, Any] = {"version": "1", "degraded": ["no receiver answers"]}
    toy.state.health.details = details.copy
    answer = TestClient(toy).get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["reasons"] == ["no receiver answers"]
    assert "degraded" not in answer.json()

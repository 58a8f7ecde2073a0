from collections.abc import Callable
from typing import Any

import pytest
from gateway.app import Dispatcher
from prometheus_client.parser import text_string_to_metric_families
from servicekit import auth
from starlette.testclient import TestClient

Gateway = Callable[..., Dispatcher]
Toys = Callable[..., Any]


@pytest.mark.parametrize(
    ("path", "seen"),
    [("/one", "/one/"), ("/one/", "/one/"), ("/one?x=1", "/one/"), ("/two/echo/a%2Fb", "/two/echo/a/b")],
)
def test_gives_a_request_to_the_service_with_its_prefix_without_a_redirect(
    gateway: Gateway, toy: Toys, path: str, seen: str
) -> None:
    with TestClient(gateway(toy("one"), toy("two"))) as client:
        answer = client.post(path, follow_redirects=False)
    assert answer.json() == {"service": path[1:4], "path": seen, "open": True}


@pytest.mark.parametrize("path", ["/onex", "/on", "/ONE", "//one", "/x/one", "*"])
def test_finds_nothing_where_only_the_beginning_is_alike(gateway: Gateway, toy: Toys, path: str) -> None:
    with TestClient(gateway(toy("one"))) as client:
        refusal = client.post(f"http://testserver{path}" if path.startswith("/") else f"http://testserver/{path}")
    assert (refusal.status_code, refusal.headers["content-type"]) == (404, "application/problem+json")


def test_enters_and_leaves_each_services_lifespan(gateway: Gateway, toy: Toys) -> None:
    app = gateway(toy("one"), toy("two"))
    with TestClient(app):
        assert [service.state.open for service in app.front.services.values()] == [True, True]
    assert [service.state.open for service in app.front.services.values()] == [False, False]


def test_runs_on_without_a_service_that_fails_to_start(
    gateway: Gateway, toy: Toys, caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(gateway(toy("one"), toy("two", breaks_at_start=True), toy("three"))) as client:
        for name in ("one", "three"):
            assert client.post(f"/{name}").status_code == 200
        for path in ("/two", "/two/", "/two/echo/a"):
            refusal = client.post(path)
            assert (refusal.status_code, refusal.headers["retry-after"]) == (503, "30")
            assert refusal.json()["type"] == "urn:lineside:problem:not-ready"
        health = client.get("/health")
    assert health.status_code == 503
    assert health.json()["services"]["two"]["status"] == "unhealthy"
    assert health.json()["services"]["two"]["reason"] == "the service failed to start; the log tells why"
    assert health.json()["services"]["one"]["status"] == "healthy"
    assert [record.__dict__["fields"] for record in caplog.records] == [{"service": "two"}]


def test_lists_its_services_with_an_example_for_this_address(gateway: Gateway, toy: Toys) -> None:
    with TestClient(gateway(toy("one")), base_url="http://plant.example:8080") as client:
        assert client.get("/services").json() == {
            "items": [
                {
                    "name": "one",
                    "title": "One",
                    "summary": "What one does.",
                    "path": "/one/",
                    "docs": "/one/docs",
                    "example": "curl http://plant.example:8080/one",
                }
            ],
            "next_cursor": None,
        }


def test_tells_of_itself_and_of_everything(gateway: Gateway, toy: Toys) -> None:
    with TestClient(gateway(toy("one", ready=False))) as client:
        assert client.get("/health/live").status_code == client.get("/health/ready").status_code == 200
        assert client.get("/one/health/ready").status_code == client.get("/health").status_code == 503
        assert "<base href=" in client.get("/").text
        assert client.get("/docs").status_code == client.get("/one/docs").status_code == 200


def test_scrapes_everything_at_once(gateway: Gateway, toy: Toys) -> None:
    with TestClient(gateway(toy("one"), toy("two"))) as client:
        client.post("/one")
        client.post("/two/echo/a")
        client.get("/nothing")
        families = {f.name: f for f in text_string_to_metric_families(client.get("/metrics").text)}
        counted = families["http_server_request_duration_seconds"].samples
        assert {(s.labels["service"], s.labels["http_route"]) for s in counted} == {
            ("one", "/"), ("two", "/echo/{path:path}"), ("gateway", "unmatched"),
        }  # fmt: skip
        assert len(families["process_resident_memory_bytes"].samples) == 1
        assert client.get("/one/metrics").status_code == 200


def test_asks_for_the_same_keys_everywhere(gateway: Gateway, toy: Toys) -> None:
    secret, line = auth.generate("mes", "read")
    with TestClient(gateway(toy("one"), api_keys=[line])) as client:
        for path in ("/one", "/nothing"):
            assert client.post(path).status_code == 401
        assert client.post("/one", headers={"X-API-Key": secret}).status_code == 200
        assert client.get("/metrics").status_code == 401
        for path in ("/", "/services", "/health", "/one/health", "/openapi.json", "/one/"):
            assert client.get(path).status_code == 200


def test_tells_its_services_to_drain(gateway: Gateway, toy: Toys) -> None:
    app = gateway(toy("one"))
    with TestClient(app) as client:
        app.front.state.drain.start()
        assert client.get("/health/ready").status_code == client.get("/one/health/ready").status_code == 503
        assert client.post("/one").status_code == 200

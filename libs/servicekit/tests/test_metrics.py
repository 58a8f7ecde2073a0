from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from servicekit.app import Service
from servicekit.metrics import MergedCollector, Metrics
from starlette.testclient import TestClient

Make = Callable[..., Service]


def samples(client: TestClient) -> dict[tuple[str, ...], float]:
    """Returns the values by name and labels, the labels in alphabetical order."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_names_metrics_as_opentelemetry_does(make: Make) -> None:
    client = TestClient(make())
    client.get("/items/7")
    found = samples(client)
    assert found["http_server_request_duration_seconds_count", "GET", "200", "/items/{number}", "toy"] == 1
    assert found["http_server_active_requests", "toy"] == 1, "the scrape itself"
    assert found["http_server_unhandled_errors_total", "toy"] == 0
    assert any(name == "process_resident_memory_bytes" for name, *_ in found)


def test_counts_the_problems_that_were_answered(make: Make) -> None:
    client = TestClient(make())
    for _ in range(2):
        client.get("/nothing")
    client.delete("/sum")
    found = samples(client)
    assert found["http_server_problems_total", "not-found", "toy"] == 2
    assert found["http_server_problems_total", "method-not-allowed", "toy"] == 1


def test_says_which_text_format_it_is(make: Make) -> None:
    assert TestClient(make()).get("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/", "/"),
        ("GET", "/toy", "/"),
        ("GET", "/docs", "/docs"),
        ("GET", "/openapi.json", "/openapi.json"),
        ("GET", "/static/page.js", "/static"),
        ("GET", "/static/nothing.js", "/static"),
        ("DELETE", "/items/7", "/items/{number}"),
        ("GET", "/nothing", "unmatched"),
    ],
)
def test_labels_a_request_with_its_routes_template(make: Make, method: str, path: str, route: str) -> None:
    client = TestClient(make())
    client.request(method, path)
    name = "http_server_request_duration_seconds_count"
    assert [key[3] for key in samples(client) if key[0] == name] == [route]


def test_grows_no_series_by_paths_or_methods_that_clients_make_up(make: Make) -> None:
    toy = make()
    client = TestClient(toy)
    client.get("/nothing")
    client.request("BREW", "/nothing")
    client.get("/items/x")
    client.get("/metrics")
    before = set(samples(client))
    for number in range(300):
        client.get(f"/nothing/{number}")
        client.request(f"BREW{number}", "/nothing")
        client.get(f"/items/x{number}")
    assert set(samples(client)) == before


def test_observes_ten_thousand_made_up_methods_as_one() -> None:
    metrics = Metrics("toy")
    for number in range(10_000):
        metrics.observe(f"BREW{number}", "/", 405, 0.001)
    labels = {"service": "toy", "http_request_method": "_OTHER", "http_route": "/", "http_response_status_code": "405"}
    assert metrics.registry.get_sample_value("http_server_request_duration_seconds_count", labels) == 10_000
    assert len(metrics._durations) == 1


def test_merges_registries_into_one_scrape_that_parses() -> None:
    one, other = Metrics("one"), Metrics("other")
    one.observe("GET", "/", 200, 0.001)
    other.observe("GET", "/", 200, 0.002)
    merged = CollectorRegistry()
    merged.register(MergedCollector([one.registry, other.registry]))
    text = generate_latest(merged).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    counts = [s for s in families["http_server_request_duration_seconds"].samples if s.name.endswith("_count")]
    assert sorted(s.labels["service"] for s in counts) == ["one", "other"]
    assert len(families["process_resident_memory_bytes"].samples) == 1
    assert text.count("# TYPE http_server_request_duration_seconds histogram") == 1

"""What holds for every service and for the gateway before them."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from answers import PROBLEM, expect, refused

GOOD = {"values": [1.2, 0.9, 1.1]}
SERVICES = ("/digit", "/ocr", "/cars", "/anomaly")


# --- every service ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", *SERVICES])
def test_it_is_alive_and_ready(api: httpx2.Client, prefix: str) -> None:
    assert expect(api.get(f"{prefix}/health/live"), 200) == {"status": "alive"}
    assert expect(api.get(f"{prefix}/health/ready"), 200)["status"] == "ready"


def test_health_tells_model_sha_provider_uptime_queue_and_limits(api: httpx2.Client) -> None:
    health = expect(api.get("/anomaly/health"), 200)
    assert health["status"] == "healthy"
    assert health["model"] in ("autoencoder", "pca")
    assert health["model_version"] >= 1
    assert len(health["sha256"]) == 64
    assert health["provider"] == "numpy"
    assert health["uptime_s"] >= 0
    assert health["queue_depth"] >= 0
    assert health["limits"]["max_body_bytes"] > 0
    assert health["version"]


@pytest.mark.parametrize("prefix", ["", *SERVICES])
def test_metrics_are_prometheus_text_and_no_gateway_passes_them_on(
    api: httpx2.Client, prefix: str, deployment: str
) -> None:
    answer = api.get(f"{prefix}/metrics")
    if deployment != "process":
        refused(answer, 404, "not-found")
        return
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE http_server_request_duration_seconds histogram" in answer.text


@pytest.mark.parametrize("prefix", ["", *SERVICES])
@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_loads_what_it_names_from_here(api: httpx2.Client, prefix: str, page: str) -> None:
    answer = api.get(f"{prefix}{page}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "unsafe-inline" not in answer.headers["content-security-policy"].partition("script-src")[2].split(";")[0]
    sources = [part.split('"')[0] for mark in ('src="', 'href="') for part in answer.text.split(mark)[1:]]
    for source in sources:
        assert source.startswith(("/", "data:")), source
        assert api.get(source).status_code == 200, source


@pytest.mark.parametrize("prefix", SERVICES)
def test_every_operation_of_the_document_has_errors_with_an_example(api: httpx2.Client, prefix: str) -> None:
    document = expect(api.get(f"{prefix}/openapi.json"), 200)
    assert document["servers"] == [{"url": prefix}]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            failures = {s: r for s, r in operation["responses"].items() if s.startswith(("4", "5"))}
            assert failures, (method, path)
            for response in failures.values():
                assert response["content"][PROBLEM]["examples"], (method, path)


@pytest.mark.parametrize("prefix", SERVICES)
def test_the_page_of_the_service_answers_a_browser(api: httpx2.Client, prefix: str) -> None:
    for path in (prefix, f"{prefix}/"):
        answer = api.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert api.get(f"{prefix}/static/page.js").status_code == 200
    assert api.get("/ui/style.css").status_code == 200


def test_a_request_id_is_taken_over_where_it_is_well_formed(api: httpx2.Client) -> None:
    assert (
        api.post("/anomaly", json=GOOD, headers={"X-Request-ID": "press-4.17_a"}).headers["x-request-id"]
        == "press-4.17_a"
    )
    for bad in ("two words", "x" * 129, "a;b"):
        made = api.post("/anomaly", json=GOOD, headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert made != bad
        assert made


def test_the_frameworks_own_errors_have_the_one_shape(api: httpx2.Client) -> None:
    for prefix in SERVICES:
        refused(api.get(f"{prefix}/no/such/path"), 404, "not-found")
        refused(api.delete(f"{prefix}/health"), 405, "method-not-allowed")
    refused(api.get("/nothing"), 404, "not-found")
    refused(api.post("/anomalyx", json=GOOD), 404, "not-found")
    refused(api.patch("/anomaly/assets"), 405, "method-not-allowed")
    refused(api.get("/anomaly/jobs?limit=0"), 422, "invalid-input")


def test_a_body_over_the_limit_is_413_with_value_and_limit(api: httpx2.Client) -> None:
    limit = expect(api.get("/anomaly/health"), 200)["limits"]["max_body_bytes"]
    answer = api.post("/anomaly", content=b" " * (limit + 1), headers={"Content-Type": "application/json"})
    assert str(limit) in refused(answer, 413, "body-too-large")["detail"]


# --- gateway ----------------------------------------------------------------------------------------------------------


def test_the_aggregate_tells_of_every_service(api: httpx2.Client) -> None:
    health = expect(api.get("/health"), 200)
    assert health["status"] == "healthy"
    for prefix in SERVICES:
        service = health["services"][prefix[1:]]
        assert service["status"] == "healthy"
        assert set(service) >= {"status", "latency_ms", "checked_at", "model", "version"}
    assert expect(api.get("/health?strict=1"), 200)["status"] == "healthy"


def test_the_aggregate_is_kept_for_two_seconds(api: httpx2.Client) -> None:
    first, second = (expect(api.get("/health"), 200) for _ in range(2))
    assert first["services"]["anomaly"]["checked_at"] == second["services"]["anomaly"]["checked_at"]


def test_the_landing_page_answers_a_browser(api: httpx2.Client) -> None:
    answer = api.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert [item["name"] for item in expect(api.get("/services"), 200)["items"]] == list(
        expect(api.get("/health"), 200)["services"]
    )


def test_one_document_describes_all_services(api: httpx2.Client) -> None:
    paths = expect(api.get("/openapi.json"), 200)["paths"]
    for prefix in SERVICES:
        own = expect(api.get(f"{prefix}/openapi.json"), 200)["paths"]
        assert {f"{prefix}{'' if path == '/' else path}" for path in own} <= set(paths)
    assert "/health" in paths


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keyed(deploy: Callable[..., Any]) -> Iterator[tuple[str, str, str]]:
    """Yields the address of a gateway that wants keys, with a `read` and an `admin` key."""
    from servicekit import auth

    read, read_line = auth.generate("mes", "read")
    admin, admin_line = auth.generate("engineer", "admin")
    with deploy(LINESIDE_API_KEYS=f"{read_line},{admin_line}") as gateway:
        yield gateway.base_url, read, admin


def test_without_a_key_only_pages_documentation_and_health_answer(keyed: tuple[str, str, str], deployment: str) -> None:
    base, _, _ = keyed
    for path in ("/", "/health", "/health/live", "/docs", "/anomaly/", "/anomaly/health", "/anomaly/openapi.json"):
        assert httpx2.get(f"{base}{path}").status_code == 200, path
    metrics = ("/metrics", "/anomaly/metrics") if deployment == "process" else ()  # a gateway hides them in any case
    for path in ("/anomaly/assets", *metrics):
        answer = httpx2.get(f"{base}{path}")
        refused(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    refused(httpx2.post(f"{base}/anomaly", json=GOOD), 401, "unauthenticated")
    refused(httpx2.post(f"{base}/anomaly", json=GOOD, headers={"X-API-Key": "x"}), 401, "unauthenticated")


def test_a_key_may_do_what_its_scope_says(keyed: tuple[str, str, str]) -> None:
    base, read, admin = keyed
    for headers in ({"X-API-Key": read}, {"Authorization": f"Bearer {read}"}, {"X-API-Key": admin}):
        assert httpx2.post(f"{base}/anomaly", json=GOOD, headers=headers).status_code == 200
    refused(httpx2.put(f"{base}/anomaly/assets/a", headers={"X-API-Key": read}), 403, "forbidden")
    assert httpx2.put(f"{base}/anomaly/assets/a", headers={"X-API-Key": admin}).status_code == 201


def test_every_call_that_changes_something_needs_admin_but_readings(keyed: tuple[str, str, str]) -> None:
    base, read, _ = keyed
    headers = {"X-API-Key": read}
    for method, path in (
        ("PUT", "/assets/a"), ("DELETE", "/assets/a"), ("PUT", "/assets/a/settings"), ("PUT", "/models/a"),
        ("POST", "/models/a/versions/1/activate"), ("POST", "/models/a/rollback"), ("DELETE", "/models/a/versions/1"),
        ("DELETE", "/models/a"), ("POST", "/models/a/train"), ("DELETE", "/jobs/a"), ("PUT", "/models/a/threshold"),
        ("POST", "/models/a/recalibrate"), ("POST", "/alerts/1/acknowledge"), ("POST", "/alerts/1/shelve"),
        ("POST", "/alerts/1/unshelve"), ("POST", "/alerts/1/feedback"), ("GET", "/alerts/deliveries"),
        ("POST", "/alerts/deliveries/1/retry"), ("POST", "/alerts/test"),
    ):  # fmt: skip
        refused(httpx2.request(method, f"{base}/anomaly{path}", headers=headers), 403, "forbidden")


def test_too_many_requests_are_429_with_retry_after(deploy: Callable[..., Any]) -> None:
    settings = {"LINESIDE_RATE_LIMIT_PER_S": "0.1", "LINESIDE_RATE_LIMIT_BURST": "5"}
    with deploy(**settings) as gateway:
        answers = [httpx2.post(f"{gateway.base_url}/anomaly", json=GOOD) for _ in range(8)]
    limited = [answer for answer in answers if answer.status_code != 200]
    assert limited
    for answer in limited:
        refused(answer, 429, "rate-limited")
        assert int(answer.headers["retry-after"]) >= 1

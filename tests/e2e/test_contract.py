"""Every call of the contract, happy and refused, over HTTP against a base URL."""

import io
import itertools
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import numpy as np
import pytest

GOOD = {"values": [1.2, 0.9, 1.1]}
FAR = {"values": [50.0, 50.0, 50.0]}
PROBLEM = "application/problem+json"
CSV = {"Content-Type": "text/csv"}
JOB_S = 120

_numbers = itertools.count()


def expect(answer: httpx2.Response, status: int) -> Any:
    """Returns the body of a success."""
    assert answer.status_code == status, answer.text[:1000]
    return answer.json() if answer.content else None


def refused(answer: httpx2.Response, status: int, slug: str) -> dict[str, Any]:
    """Returns the problem, which has the one shape."""
    assert answer.status_code == status, answer.text[:1000]
    assert answer.headers["content-type"] == PROBLEM
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"urn:lineside:problem:{slug}"
    assert problem["status"] == status
    assert problem["error"] == problem["detail"]
    assert problem["title"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert len(answer.content) <= 16 * 1024
    return problem


def table(n_rows: int = 400, seed: int = 3, *, header: bool = True) -> str:
    """Returns a CSV of normal rows of a made-up machine: three sensors that go together."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(n_rows, 1))
    rows = [1.2, 0.9, 1.1] + 0.05 * common + 0.02 * generator.normal(size=(n_rows, 3))
    lines = [",".join(f"{value:.5f}" for value in row) for row in rows]
    return "\n".join((["vibration,current,temperature"] if header else []) + lines) + "\n"


def finished(api: httpx2.Client, job: dict[str, Any]) -> dict[str, Any]:
    """Waits for a job's end and returns it."""
    deadline = time.monotonic() + JOB_S
    while time.monotonic() < deadline:
        found: dict[str, Any] = expect(api.get(f"/anomaly/jobs/{job['id']}"), 200)
        assert 0 <= found["progress"] <= 1
        if found["status"] in ("succeeded", "failed", "cancelled"):
            return found
        time.sleep(0.1)
    raise AssertionError(f"the job did not end within {JOB_S} s")


@pytest.fixture(scope="module")
def model_file(api: httpx2.Client) -> bytes:
    """Returns the file of the model that answers the stateless calls."""
    active = next(v for v in expect(api.get("/anomaly/models/default"), 200)["items"] if v["active"])
    answer = api.get(f"/anomaly/models/default/versions/{active['version']}/file")
    assert answer.status_code == 200
    return answer.content


@pytest.fixture
def asset(api: httpx2.Client, model_file: bytes) -> Iterator[str]:
    """Yields a new asset with that model; deletes it afterwards."""
    name = f"e2e-{time.time_ns()}-{next(_numbers)}"
    expect(api.put(f"/anomaly/models/{name}?activate=true", content=model_file), 201)
    yield name
    api.delete(f"/anomaly/assets/{name}")


# --- every service ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/anomaly"])
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


@pytest.mark.parametrize("prefix", ["", "/anomaly"])
def test_metrics_are_prometheus_text(api: httpx2.Client, prefix: str) -> None:
    answer = api.get(f"{prefix}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE http_server_request_duration_seconds histogram" in answer.text


@pytest.mark.parametrize("prefix", ["", "/anomaly"])
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


def test_every_operation_of_the_document_has_errors_with_an_example(api: httpx2.Client) -> None:
    document = expect(api.get("/anomaly/openapi.json"), 200)
    assert document["servers"] == [{"url": "/anomaly"}]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            failures = {s: r for s, r in operation["responses"].items() if s.startswith(("4", "5"))}
            assert failures, (method, path)
            for response in failures.values():
                assert response["content"][PROBLEM]["examples"], (method, path)


def test_the_page_of_the_service_answers_a_browser(api: httpx2.Client) -> None:
    for path in ("/anomaly", "/anomaly/"):
        answer = api.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert api.get("/anomaly/static/page.js").status_code == 200
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
    refused(api.get("/anomaly/no/such/path"), 404, "not-found")
    refused(api.get("/nothing"), 404, "not-found")
    refused(api.post("/anomalyx", json=GOOD), 404, "not-found")
    refused(api.patch("/anomaly/assets"), 405, "method-not-allowed")
    refused(api.get("/anomaly/jobs?limit=0"), 422, "invalid-input")


def test_a_body_over_the_limit_is_413_with_value_and_limit(api: httpx2.Client) -> None:
    limit = expect(api.get("/anomaly/health"), 200)["limits"]["max_body_bytes"]
    answer = api.post("/anomaly", content=b" " * (limit + 1), headers={"Content-Type": "application/json"})
    assert str(limit) in refused(answer, 413, "body-too-large")["detail"]


# --- scoring ----------------------------------------------------------------------------------------------------------


def test_the_answer_has_exactly_score_and_status(api: httpx2.Client) -> None:
    answer = expect(api.post("/anomaly", json=GOOD), 200)
    assert set(answer) == {"score", "status"}
    assert answer["status"] == "normal"
    assert expect(api.post("/anomaly", json=FAR), 200)["status"] == "anomaly"


def test_a_bare_post_is_not_redirected(api: httpx2.Client) -> None:
    for path in ("/anomaly", "/anomaly/"):
        assert api.post(path, json=GOOD, follow_redirects=False).status_code == 200


def test_detail_explains_the_score(api: httpx2.Client) -> None:
    detail = expect(api.post("/anomaly?detail=true", json=FAR), 200)
    assert set(detail) == {
        "score", "status", "threshold", "severity", "contributions", "model", "model_version",
    }  # fmt: skip
    assert detail["score"] > detail["threshold"] > 0
    assert detail["severity"] in ("minor", "major", "critical")
    assert len(detail["contributions"]) == 3
    assert sum(share["contribution"] for share in detail["contributions"]) == pytest.approx(1)
    assert detail["model_version"] >= 1
    assert expect(api.post("/anomaly?detail=true", json=GOOD), 200)["severity"] == "none"


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b'{"values":[1,2]}', 422, "wrong-dimension"),
        (b'{"values":["1","2","3"]}', 422, "invalid-input"),
        (b'{"values":[NaN,1,1]}', 422, "invalid-input"),
        (b'{"values":[1e400,1,1]}', 422, "invalid-input"),
        (b'{"values":[1,1,1],"x":1}', 422, "invalid-input"),
        (b'{"values":[1,1,1],"values":[1,1,1]}', 422, "invalid-input"),
        (b"{", 400, "malformed-json"),
    ],
)
def test_a_row_that_cannot_be_scored_is_refused(api: httpx2.Client, body: bytes, status: int, slug: str) -> None:
    refused(api.post("/anomaly", content=body, headers={"Content-Type": "application/json"}), status, slug)


def test_the_wrong_media_type_is_415(api: httpx2.Client) -> None:
    refused(api.post("/anomaly", content=b"1,2,3", headers=CSV), 415, "unsupported-media-type")


def npy(rows: list[list[float]]) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(rows))
    return file.getvalue()


def test_a_batch_gives_the_same_answer_in_all_three_forms(api: httpx2.Client) -> None:
    rows = [GOOD["values"], FAR["values"], GOOD["values"]]
    as_json = expect(api.post("/anomaly/batch", json={"rows": rows}), 200)
    text = "\n".join(",".join(map(str, row)) for row in rows)
    as_csv = expect(api.post("/anomaly/batch", content=text, headers=CSV), 200)
    headers = {"Content-Type": "application/x-npy"}
    as_npy = expect(api.post("/anomaly/batch", content=npy(rows), headers=headers), 200)
    assert set(as_json) == {"scores", "statuses"}
    assert as_json["statuses"] == ["normal", "anomaly", "normal"]
    assert as_json == as_csv == as_npy
    assert as_json["scores"][0] == pytest.approx(expect(api.post("/anomaly", json=GOOD), 200)["score"])


def test_a_bad_batch_is_refused_with_its_row(api: httpx2.Client) -> None:
    refused(api.post("/anomaly/batch", json={"rows": [[1, 1, 1], [1, 1]]}), 422, "wrong-dimension")
    problem = refused(api.post("/anomaly/batch", content="1,1,1\n1,x,1\n", headers=CSV), 422, "table-invalid")
    assert "2" in problem["detail"]
    refused(api.post("/anomaly/batch", content=b"PK", headers={"Content-Type": "application/zip"}), 415,
            "unsupported-media-type")  # fmt: skip


# --- assets -----------------------------------------------------------------------------------------------------------


def test_an_asset_is_made_listed_set_and_deleted(api: httpx2.Client) -> None:
    name = f"e2e-{time.time_ns()}"
    made = api.put(f"/anomaly/assets/{name}")
    assert expect(made, 201)["asset"] == name
    assert made.headers["location"].endswith(f"/assets/{name}")
    assert expect(api.put(f"/anomaly/assets/{name}"), 200)["newest"] is None
    assert name in [item["asset"] for item in everything(api, "/anomaly/assets")]
    settings = expect(api.put(f"/anomaly/assets/{name}/settings", json={"alarm": {"m": 1, "n": 2}}), 200)
    assert (settings["alarm"]["m"], settings["alarm"]["n"], settings["alarm"]["ewma"]) == (1, 2, 1.0)
    assert expect(api.get(f"/anomaly/assets/{name}/settings"), 200) == settings
    assert set(settings) == {"alarm", "quality", "drift", "adaptation"}
    refused(api.put(f"/anomaly/assets/{name}/settings", json={"alarm": {"m": 9, "n": 2}}), 422, "invalid-input")
    refused(api.post(f"/anomaly/assets/{name}", json=GOOD), 503, "no-model")
    assert expect(api.delete(f"/anomaly/assets/{name}"), 204) is None
    refused(api.get(f"/anomaly/assets/{name}"), 404, "unknown-asset")
    refused(api.delete(f"/anomaly/assets/{name}"), 404, "unknown-asset")
    refused(api.post(f"/anomaly/assets/{name}", json=GOOD), 404, "unknown-asset")


def everything(api: httpx2.Client, path: str, limit: int = 2) -> Iterator[dict[str, Any]]:
    """Yields all items of a list, page by page."""
    cursor, sign = None, "&" if "?" in path else "?"
    while True:
        page = expect(api.get(f"{path}{sign}limit={limit}" + (f"&cursor={cursor}" if cursor else "")), 200)
        assert len(page["items"]) <= limit
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def test_the_default_asset_cannot_be_deleted(api: httpx2.Client) -> None:
    refused(api.delete("/anomaly/assets/default"), 409, "asset-protected")


@pytest.mark.parametrize("name", ["a b", "-a", "a%2Fb", "x" * 129, "%00", "ä"])
def test_a_bad_name_is_refused(api: httpx2.Client, name: str) -> None:
    assert api.put(f"/anomaly/assets/{name}").status_code in (404, 405, 422)


# --- readings ---------------------------------------------------------------------------------------------------------


def test_a_reading_is_judged_and_remembered(api: httpx2.Client, asset: str) -> None:
    assert set(expect(api.post(f"/anomaly/assets/{asset}", json=GOOD), 200)) == {"score", "status"}
    sent = {**GOOD, "timestamp": now(1), "quality": "uncertain"}
    detail = expect(api.post(f"/anomaly/assets/{asset}?detail=true", json=sent), 200)
    assert detail["asset"] == asset
    assert detail["timestamp"] == sent["timestamp"]
    assert (detail["fate"], detail["quality"], detail["status"]) == ("live", "uncertain", "normal")
    assert detail["alarm"]["state"] == "normal"
    state = expect(api.get(f"/anomaly/assets/{asset}"), 200)
    assert state["newest"]["timestamp"] == detail["timestamp"]
    assert state["active_version"] == detail["model_version"] == 1
    assert {entry["sensor"] for entry in state["drift"]["input"]} == {e["sensor"] for e in detail["contributions"]}


def now(offset_s: float = 0) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=offset_s)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_sensors_by_name_are_the_same_as_values(api: httpx2.Client, asset: str) -> None:
    version = expect(api.get(f"/anomaly/models/{asset}/versions/1"), 200)
    names = [sensor["name"] for sensor in version["sensors"]]
    by_name = dict(reversed(list(zip(names, GOOD["values"], strict=True))))
    first = expect(api.post(f"/anomaly/assets/{asset}", json=GOOD), 200)
    assert expect(api.post(f"/anomaly/assets/{asset}", json={"sensors": by_name}), 200) == first
    refused(api.post(f"/anomaly/assets/{asset}", json={"sensors": {"nobody": 1}}), 422, "unknown-sensor")
    refused(api.post(f"/anomaly/assets/{asset}", json={**GOOD, "sensors": by_name}), 422, "invalid-input")


def test_what_cannot_be_judged_is_unknown_and_never_normal(api: httpx2.Client, asset: str) -> None:
    bad = expect(api.post(f"/anomaly/assets/{asset}", json={**GOOD, "quality": "bad"}), 200)
    assert bad == {"score": None, "status": "unknown", "reason": "bad_quality"}
    null = expect(api.post(f"/anomaly/assets/{asset}", json={"values": [1.2, None, 1.1]}), 200)
    assert (null["status"], null["reason"]) == ("unknown", "null_values")


def test_late_double_conflicting_and_impossible_times_have_their_fates(api: httpx2.Client, asset: str) -> None:
    path = f"/anomaly/assets/{asset}?detail=true"
    reading = {**GOOD, "timestamp": now()}
    first = expect(api.post(path, json=reading), 200)
    again = expect(api.post(path, json=reading), 200)
    assert (first["fate"], again["fate"]) == ("live", "duplicate")
    assert again["score"] == first["score"]
    refused(api.post(path, json={**reading, "values": [1.2, 0.9, 1.0]}), 409, "conflicting-reading")
    assert expect(api.post(path, json={**GOOD, "timestamp": now(-60)}), 200)["fate"] == "late"
    refused(api.post(path, json={**GOOD, "timestamp": now(-86_400)}), 422, "timestamp-out-of-range")
    refused(api.post(path, json={**GOOD, "timestamp": now(86_400)}), 422, "timestamp-out-of-range")
    refused(api.post(path, json={**GOOD, "timestamp": "2026-01-31T12:00:00"}), 422, "invalid-input")
    assert len(list(everything(api, f"/anomaly/assets/{asset}/history"))) == 2


def test_a_batch_is_taken_whole_or_not_at_all(api: httpx2.Client, asset: str) -> None:
    path = f"/anomaly/assets/{asset}/batch"
    rows = {"rows": [GOOD["values"], FAR["values"]], "timestamps": [now(-2), now(-1)], "qualities": ["good", "bad"]}
    answer = expect(api.post(path, json=rows), 200)
    assert set(answer) == {"scores", "statuses", "reasons", "fates"}
    assert answer["statuses"] == ["normal", "unknown"]
    assert answer["reasons"] == [None, "bad_quality"]
    assert answer["fates"] == ["live", "live"]
    names = [s["name"] for s in expect(api.get(f"/anomaly/models/{asset}/versions/1"), 200)["sensors"]]
    text = ",".join(["timestamp", *names, "quality"]) + f"\n{now()},1.2,0.9,1.1,good\n"
    assert expect(api.post(path, content=text, headers=CSV), 200)["statuses"] == ["normal"]
    refused(api.post(path, json={"rows": [GOOD["values"], [1]]}), 422, "wrong-dimension")
    refused(api.post(path, content=text + "x,1,2,3,good\n", headers=CSV), 422, "table-invalid")
    assert len(list(everything(api, f"/anomaly/assets/{asset}/history"))) == 3


def test_history_comes_in_pages_and_as_csv(api: httpx2.Client, asset: str) -> None:
    times = [now(-seconds) for seconds in (5, 4, 3, 2, 1)]
    rows = [GOOD["values"], FAR["values"], GOOD["values"], GOOD["values"], GOOD["values"]]
    expect(api.post(f"/anomaly/assets/{asset}/batch", json={"rows": rows, "timestamps": times}), 200)
    path = f"/anomaly/assets/{asset}/history"
    items = list(everything(api, path))
    assert [item["timestamp"] for item in items] == times[::-1]
    assert set(items[0]) == {
        "timestamp", "received_at", "values", "score", "threshold", "status", "reason", "quality", "fate",
        "model_version",
    }  # fmt: skip
    assert [item["timestamp"] for item in everything(api, f"{path}?status=anomaly")] == [times[1]]
    assert [i["timestamp"] for i in everything(api, f"{path}?from={times[1]}&to={times[2]}")] == [times[2], times[1]]
    answer = api.get(path, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    lines = answer.text.splitlines()
    assert [line.split(",")[0] for line in lines] == ["timestamp", *times]
    refused(api.get(f"{path}?cursor=nonsense"), 422, "invalid-input")
    refused(api.get(f"{path}?from=yesterday"), 422, "invalid-input")
    refused(api.get("/anomaly/assets/nobody/history"), 404, "unknown-asset")


def events(stream: httpx2.Response) -> Iterator[dict[str, str]]:
    """Yields the events of a stream as their fields."""
    fields: dict[str, str] = {}
    for line in stream.iter_lines():
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.strip()
        elif fields:
            yield fields
            fields = {}


def test_the_stream_tells_readings_and_alerts_and_resumes(api: httpx2.Client, asset: str) -> None:
    expect(api.put(f"/anomaly/assets/{asset}/settings", json={"alarm": {"m": 1, "n": 1}}), 200)
    path = f"/anomaly/assets/{asset}/stream"
    with api.stream("GET", path) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        expect(api.post(f"/anomaly/assets/{asset}", json=FAR), 200)
        found: dict[str, dict[str, str]] = {}
        for event in events(stream):
            if "event" in event:
                found[event["event"]] = event
            if {"reading", "alert"} <= set(found):
                break
    reading = json.loads(found["reading"]["data"])
    assert reading["status"] == "anomaly"
    assert json.loads(found["alert"]["data"])["kind"] == "anomaly"
    last = found["reading"]["id"]
    expect(api.post(f"/anomaly/assets/{asset}", json=GOOD), 200)
    with api.stream("GET", path, headers={"Last-Event-ID": last}) as stream:
        missed = next(event for event in events(stream) if event.get("event") == "reading")
    assert int(missed["id"]) > int(last)
    assert json.loads(missed["data"])["status"] == "normal"
    refused(api.get("/anomaly/assets/nobody/stream"), 404, "unknown-asset")


# --- idempotency ------------------------------------------------------------------------------------------------------


def test_a_repeated_request_has_one_effect_and_the_same_answer(api: httpx2.Client, asset: str) -> None:
    path, key = f"/anomaly/assets/{asset}", {"Idempotency-Key": f"key-{time.time_ns()}"}
    first = api.post(path, json=GOOD, headers=key)
    again = api.post(path, json=GOOD, headers=key)
    assert (first.status_code, first.content) == (again.status_code, again.content) == (200, first.content)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(list(everything(api, f"{path}/history"))) == 1
    refused(api.post(path, json=FAR, headers=key), 422, "idempotency-key-reused")
    for bad in ("two words", "x" * 256, ""):
        refused(api.post(path, json=GOOD, headers={"Idempotency-Key": bad}), 400, "idempotency-key-invalid")


# --- models -----------------------------------------------------------------------------------------------------------


def test_a_model_is_uploaded_downloaded_activated_rolled_back_and_deleted(
    api: httpx2.Client, asset: str, model_file: bytes
) -> None:
    path = f"/anomaly/models/{asset}"
    expect(api.put(f"{path}/threshold", json={"threshold": 7.5}), 200)
    listed = list(everything(api, path))
    assert [(v["version"], v["origin"], v["active"]) for v in listed] == [
        (2, "threshold", True),
        (1, "uploaded", False),
    ]
    assert listed[0]["parent"] == 1
    one = expect(api.get(f"{path}/versions/2"), 200)
    assert set(one) == {
        "asset", "version", "origin", "parent", "active", "created_at", "sha256", "size_bytes", "kind", "sensors",
        "window", "threshold", "report",
    }  # fmt: skip
    assert one["threshold"] == 7.5
    file = api.get(f"{path}/versions/1/file")
    assert file.content == model_file
    assert file.headers["etag"].strip('"') == listed[1]["sha256"]
    assert expect(api.post(f"{path}/versions/1/activate"), 200)["active"]
    assert expect(api.post(f"{path}/rollback"), 200)["version"] == 2
    refused(api.delete(f"{path}/versions/2"), 409, "version-active")
    assert expect(api.delete(f"{path}/versions/1"), 204) is None
    refused(api.post(f"{path}/rollback"), 409, "nothing-to-roll-back")
    refused(api.get(f"{path}/versions/1"), 404, "unknown-version")
    refused(api.post(f"{path}/versions/99/activate"), 404, "unknown-version")
    assert asset in [item["asset"] for item in everything(api, "/anomaly/models")]
    assert expect(api.delete(path), 204) is None
    refused(api.post(f"/anomaly/assets/{asset}", json=GOOD), 503, "no-model")
    refused(api.get("/anomaly/models/nobody"), 404, "unknown-asset")


def test_a_file_that_is_no_model_is_refused(api: httpx2.Client, asset: str) -> None:
    answer = api.put(f"/anomaly/models/{asset}", content=b"\x80\x04K\x01.")
    refused(answer, 422, "model-file-invalid")
    assert [v["version"] for v in everything(api, f"/anomaly/models/{asset}")] == [1]


def test_a_new_version_answers_from_the_next_request_on(api: httpx2.Client, asset: str) -> None:
    path = f"/anomaly/models/{asset}/threshold"
    before = expect(api.post(f"/anomaly/assets/{asset}?detail=true", json=GOOD), 200)
    expect(api.put(path, json={"threshold": before["score"] / 2}), 200)
    after = expect(api.post(f"/anomaly/assets/{asset}?detail=true", json=GOOD), 200)
    assert (before["model_version"], before["status"]) == (1, "normal")
    assert (after["model_version"], after["status"]) == (2, "anomaly")


# --- thresholds -------------------------------------------------------------------------------------------------------


def test_the_threshold_tells_how_it_came_about(api: httpx2.Client) -> None:
    told = expect(api.get("/anomaly/models/default/threshold"), 200)
    assert {
        "threshold", "method", "parameters", "nominal_false_alarm_rate", "rows", "notes", "curve", "histogram",
        "model_version",
    } <= set(told)  # fmt: skip
    assert len(told["histogram"]["edges"]) == len(told["histogram"]["counts"]) + 1
    rates = [point["false_alarm_rate"] for point in told["curve"]]
    thresholds = [point["threshold"] for point in told["curve"]]
    assert rates == sorted(rates, reverse=True)
    assert thresholds == sorted(thresholds)
    refused(api.get("/anomaly/models/nobody/threshold"), 404, "unknown-asset")


@pytest.mark.parametrize(
    ("body", "method"),
    [
        ({"threshold": 3.5}, "manual"),
        ({"method": "percentile", "percentile": 95}, "percentile"),
        ({"method": "percentile", "percentile": 99.9, "margin": 1.5}, "percentile"),
        ({"method": "false_alarm_rate", "rate": 0.05}, "false_alarm_rate"),
        ({"method": "extreme_value", "rate": 0.0001}, "extreme_value"),
        ({"method": "automatic"}, None),
    ],
)
def test_a_threshold_can_be_set_or_found(
    api: httpx2.Client, asset: str, body: dict[str, Any], method: str | None
) -> None:
    told = expect(api.put(f"/anomaly/models/{asset}/threshold", json=body), 200)
    assert told["model_version"] == 2
    assert told["threshold"] > 0
    assert method in (None, told["method"])
    assert expect(api.get(f"/anomaly/models/{asset}/threshold"), 200) == told


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({}, "invalid-input"),
        ({"threshold": 1, "method": "automatic"}, "invalid-input"),
        ({"method": "guess"}, "invalid-input"),
        ({"method": "percentile", "percentile": 50}, "threshold-unsupported"),
        ({"method": "false_alarm_rate", "rate": 2}, "threshold-unsupported"),
        ({"threshold": -1}, "threshold-unsupported"),
    ],
)
def test_an_impossible_threshold_is_refused(api: httpx2.Client, asset: str, body: dict[str, Any], slug: str) -> None:
    refused(api.put(f"/anomaly/models/{asset}/threshold", json=body), 422, slug)
    assert len(list(everything(api, f"/anomaly/models/{asset}"))) == 1


def test_recalibration_takes_recent_normal_readings(api: httpx2.Client, asset: str) -> None:
    path = f"/anomaly/models/{asset}/recalibrate"
    refused(api.post(path, json={"rows": 100}), 409, "too-few-rows")
    rows = [[float(value) for value in line.split(",")] for line in table(120, header=False).split()]
    times = [now(-200 + i) for i in range(len(rows))]
    expect(api.post(f"/anomaly/assets/{asset}/batch", json={"rows": rows, "timestamps": times}), 200)
    made = api.post(f"{path}?activate=true", json={"rows": 100})
    version = expect(made, 201)
    assert (version["origin"], version["parent"], version["active"]) == ("recalibrated", 1, True)
    assert made.headers["location"].endswith(f"/models/{asset}/versions/{version['version']}")


# --- training ---------------------------------------------------------------------------------------------------------


def test_a_training_is_a_job_that_ends_with_a_version_and_a_report(api: httpx2.Client, asset: str) -> None:
    answer = api.post(f"/anomaly/models/{asset}/train?epochs=20&seed=1", content=table(), headers=CSV)
    job = expect(answer, 202)
    assert answer.headers["location"].endswith(f"/anomaly/jobs/{job['id']}")
    assert job["status"] in ("queued", "running")
    done = finished(api, job)
    assert done["status"] == "succeeded", done
    assert done["progress"] == 1
    assert done["error"] is None
    version = expect(api.get(f"/anomaly/models/{asset}/versions/{done['result']['version']}"), 200)
    assert (version["origin"], version["active"]) == ("trained", False)
    assert [sensor["name"] for sensor in version["sensors"]] == ["vibration", "current", "temperature"]
    assert version["report"].items() <= done["result"]["report"].items()
    assert expect(api.post(f"/anomaly/models/{asset}/versions/{version['version']}/activate"), 200)["active"]
    assert expect(api.post(f"/anomaly/assets/{asset}", json=GOOD), 200)["status"] == "normal"
    assert expect(api.post(f"/anomaly/assets/{asset}", json=FAR), 200)["status"] == "anomaly"
    assert done["id"] in [item["id"] for item in everything(api, f"/anomaly/jobs?asset={asset}")]
    refused(api.delete(f"/anomaly/jobs/{done['id']}"), 409, "job-finished")


def test_a_training_is_activated_if_asked(api: httpx2.Client, asset: str) -> None:
    path = f"/anomaly/models/{asset}/train?activate=true&kind=pca&window=4"
    done = finished(api, expect(api.post(path, content=table(), headers=CSV), 202))
    assert done["status"] == "succeeded", done
    state = expect(api.get(f"/anomaly/assets/{asset}"), 200)
    assert state["active_version"] == done["result"]["version"]
    statuses = [expect(api.post(f"/anomaly/assets/{asset}", json=GOOD), 200)["status"] for _ in range(4)]
    assert statuses == ["unknown", "unknown", "unknown", "normal"]


def test_a_training_can_be_cancelled(api: httpx2.Client, asset: str) -> None:
    path = f"/anomaly/models/{asset}/train?epochs=10000&kind=autoencoder"
    job = expect(api.post(path, content=table(4000), headers=CSV), 202)
    cancelled = expect(api.delete(f"/anomaly/jobs/{job['id']}"), 200)
    assert cancelled["status"] == "cancelled"
    assert finished(api, job)["status"] == "cancelled"
    assert [v["version"] for v in everything(api, f"/anomaly/models/{asset}")] == [1]


@pytest.mark.parametrize(
    ("content", "slug"),
    [
        ("1,2,3\n1,2\n", "table-invalid"),
        ("1,2,3\n1,x,3\n", "table-invalid"),
        ("", "table-invalid"),
        ("1,2,3\n1,2,3\n", "training-impossible"),
    ],
)
def test_a_table_that_cannot_be_trained_on_is_refused_at_once(
    api: httpx2.Client, asset: str, content: str, slug: str
) -> None:
    refused(api.post(f"/anomaly/models/{asset}/train", content=content, headers=CSV), 422, slug)
    assert list(everything(api, f"/anomaly/jobs?asset={asset}")) == []


def test_an_unknown_job_is_404(api: httpx2.Client) -> None:
    refused(api.get("/anomaly/jobs/nothing"), 404, "unknown-job")
    refused(api.delete("/anomaly/jobs/nothing"), 404, "unknown-job")


# --- alerts -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def alert(api: httpx2.Client, asset: str) -> dict[str, Any]:
    """Returns an open alert of a new asset."""
    expect(api.put(f"/anomaly/assets/{asset}/settings", json={"alarm": {"m": 2, "n": 3}}), 200)
    for _ in range(3):
        expect(api.post(f"/anomaly/assets/{asset}", json=FAR), 200)
    (found,) = everything(api, f"/anomaly/alerts?asset={asset}")
    return found


def test_readings_over_the_threshold_open_one_alert(api: httpx2.Client, asset: str, alert: dict[str, Any]) -> None:
    assert (alert["asset"], alert["kind"], alert["state"], alert["count"]) == (asset, "anomaly", "active", 3)
    assert alert["peak_score"] > alert["threshold"]
    assert set(alert) >= {
        "id", "severity", "opened_at", "updated_at", "cleared_at", "last_score", "model_version", "contributions",
        "acknowledged", "shelved_until", "feedback",
    }  # fmt: skip
    assert expect(api.get(f"/anomaly/assets/{asset}"), 200)["alarm"]["state"] == "active"
    for _ in range(3):
        expect(api.post(f"/anomaly/assets/{asset}", json=GOOD), 200)
    assert list(everything(api, f"/anomaly/alerts?asset={asset}")) == []
    (cleared,) = everything(api, f"/anomaly/alerts?asset={asset}&state=cleared")
    assert cleared["state"] == "cleared"
    assert cleared["cleared_at"]


def test_people_acknowledge_shelve_and_judge_alerts(api: httpx2.Client, alert: dict[str, Any]) -> None:
    path = f"/anomaly/alerts/{alert['id']}"
    seen = expect(api.post(f"{path}/acknowledge", json={"by": "Kim", "note": "on my way"}), 200)
    assert seen["state"] == "acknowledged"
    assert (seen["acknowledged"]["by"], seen["acknowledged"]["note"]) == ("Kim", "on my way")
    shelved = expect(api.post(f"{path}/shelve", json={"seconds": 60, "by": "Kim"}), 200)
    assert shelved["state"] == "shelved"
    assert shelved["shelved_until"]
    assert expect(api.post(f"{path}/unshelve"), 200)["state"] == "acknowledged"
    judged = expect(api.post(f"{path}/feedback", json={"verdict": "false_alarm", "by": "Kim"}), 200)
    assert judged["feedback"]["verdict"] == "false_alarm"
    assert expect(api.get(path), 200) == judged
    refused(api.post(f"{path}/feedback", json={"verdict": "perhaps"}), 422, "invalid-input")
    refused(api.post(f"{path}/shelve", json={"seconds": -1}), 422, "invalid-input")


def test_an_unknown_alert_is_404(api: httpx2.Client) -> None:
    refused(api.get("/anomaly/alerts/999999999"), 404, "unknown-alert")
    refused(api.post("/anomaly/alerts/999999999/acknowledge"), 404, "unknown-alert")


def test_the_queue_of_notices_can_be_read(api: httpx2.Client) -> None:
    assert expect(api.get("/anomaly/alerts/deliveries"), 200)["next_cursor"] is None
    refused(api.post("/anomaly/alerts/deliveries/999999999/retry"), 404, "unknown-delivery")


def test_a_test_alert_needs_a_receiver(api: httpx2.Client) -> None:
    answer = api.post("/anomaly/alerts/test")
    if answer.status_code != 202:  # the process of these tests has none
        refused(answer, 409, "no-receivers")


# --- gateway ----------------------------------------------------------------------------------------------------------


def test_the_aggregate_tells_of_every_service(api: httpx2.Client) -> None:
    health = expect(api.get("/health"), 200)
    assert health["status"] == "healthy"
    anomaly = health["services"]["anomaly"]
    assert anomaly["status"] == "healthy"
    assert set(anomaly) >= {"status", "latency_ms", "checked_at", "model", "version"}
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
    own = expect(api.get("/anomaly/openapi.json"), 200)["paths"]
    assert {f"/anomaly{'' if path == '/' else path}" for path in own} <= set(paths)
    assert "/health" in paths


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keyed(start_gateway: Callable[..., Any]) -> Iterator[tuple[str, str, str]]:
    """Yields the address of a gateway that wants keys, with a `read` and an `admin` key."""
    from servicekit import auth

    read, read_line = auth.generate("mes", "read")
    admin, admin_line = auth.generate("engineer", "admin")
    with start_gateway(GATEWAY_API_KEYS=f"{read_line},{admin_line}") as gateway:
        yield gateway.base_url, read, admin


def test_without_a_key_only_pages_documentation_and_health_answer(keyed: tuple[str, str, str]) -> None:
    base, _, _ = keyed
    for path in ("/", "/health", "/health/live", "/docs", "/anomaly/", "/anomaly/health", "/anomaly/openapi.json"):
        assert httpx2.get(f"{base}{path}").status_code == 200, path
    for path in ("/metrics", "/anomaly/metrics", "/anomaly/assets"):
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


def test_too_many_requests_are_429_with_retry_after(start_gateway: Callable[..., Any]) -> None:
    settings = {"LINESIDE_RATE_LIMIT_PER_S": "0.1", "LINESIDE_RATE_LIMIT_BURST": "5"}
    with start_gateway(**settings) as gateway:
        answers = [httpx2.post(f"{gateway.base_url}/anomaly", json=GOOD) for _ in range(8)]
    limited = [answer for answer in answers if answer.status_code != 200]
    assert limited
    for answer in limited:
        refused(answer, 429, "rate-limited")
        assert int(answer.headers["retry-after"]) >= 1

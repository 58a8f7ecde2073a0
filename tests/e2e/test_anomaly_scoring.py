"""Scoring: stateless rows, assets, their readings and history."""

import io
import json
import time
from collections.abc import Iterator

import httpx2
import numpy as np
import pytest
from answers import everything, expect, now, refused

GOOD = {"values": [1.2, 0.9, 1.1]}
FAR = {"values": [50.0, 50.0, 50.0]}
CSV = {"Content-Type": "text/csv"}


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


def test_the_default_asset_cannot_be_deleted(api: httpx2.Client) -> None:
    refused(api.delete("/anomaly/assets/default"), 409, "asset-protected")


@pytest.mark.parametrize("name", ["a b", "-a", "a%2Fb", "x" * 129, "%00", "ä"])
def test_a_bad_name_is_refused(api: httpx2.Client, name: str) -> None:
    assert api.put(f"/anomaly/assets/{name}").status_code in (400, 404, 405, 422)


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

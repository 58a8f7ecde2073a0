"""Models: versions, thresholds, trainings."""

import time
from typing import Any

import httpx2
import numpy as np
import pytest
from answers import everything, expect, now, refused

GOOD = {"values": [1.2, 0.9, 1.1]}
FAR = {"values": [50.0, 50.0, 50.0]}
CSV = {"Content-Type": "text/csv"}


JOB_S = 120


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

"""Training over HTTP, against the whole service and with real processes."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from anomaly.app import create_app
from anomaly.settings import Settings
from servicekit import auth
from starlette.testclient import TestClient

SECRET, KEY = auth.generate("kim", "admin")
READER, READER_KEY = auth.generate("scada", "read")
CSV = {"Content-Type": "text/csv"}
TRAIN = "/models/press/train?kind=pca"


def table(n: int = 300, seed: int = 0) -> bytes:
    rows = np.random.default_rng(seed).normal(20.0, 1.0, (n, 3))
    lines = [",".join(f"{value:.4f}" for value in row) for row in rows]
    return "\n".join(["flow,pressure,heat", *lines]).encode()


@pytest.fixture
def client(sqlite_url: str) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(database_url=sqlite_url, api_keys=[KEY, READER_KEY]))) as client:
        client.headers["X-API-Key"] = SECRET
        yield client


def problem(response: Any, status: int, slug: str) -> str:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["type"] == f"urn:lineside:problem:{slug}"
    return str(response.json()["detail"])


def until(client: TestClient, path: str, *statuses: str) -> Any:
    deadline = time.monotonic() + 60
    while (job := client.get(path).json())["status"] not in statuses:
        assert job["status"] in ("queued", "running"), job
        assert time.monotonic() < deadline, job
        time.sleep(0.05)
    return job


def test_a_table_becomes_a_job_and_the_job_a_version(client: TestClient) -> None:
    response = client.post(TRAIN, content=table(), headers=CSV)
    job = response.json()
    assert (response.status_code, job["kind"], job["asset"]) == (202, "train", "press")
    assert response.headers["location"] == f"/jobs/{job['id']}"
    done = until(client, response.headers["location"], "succeeded", "failed")
    assert (done["status"], done["progress"], done["error"]) == ("succeeded", 1.0, None)
    assert done["created_at"] <= done["started_at"] <= done["finished_at"]
    assert (done["result"]["version"], done["result"]["activated"]) == (1, False)
    version = client.get("/models/press/versions/1").json()
    assert (version["origin"], version["kind"], version["active"]) == ("trained", "pca", False)
    assert [sensor["name"] for sensor in version["sensors"]] == ["flow", "pressure", "heat"]


def test_a_trained_version_answers_if_asked_to(client: TestClient) -> None:
    path = client.post("/models/default/train?kind=pca&activate=true", content=table(), headers=CSV).headers["location"]
    version = until(client, path, "succeeded", "failed")["result"]["version"]
    assert client.post("/?detail=true", json={"values": [20.0, 20.0, 20.0]}).json()["model_version"] == version
    assert client.post("/", json={"values": [90.0, 20.0, 20.0]}).json()["status"] == "anomaly"


def test_a_new_version_keeps_the_units_and_ranges_of_the_active_one(client: TestClient) -> None:
    head = table().replace(b"heat", b"heat [\xc2\xb0C]", 1)
    until(client, client.post(TRAIN + "&activate=true", content=head, headers=CSV).headers["location"], "succeeded")
    until(client, client.post(TRAIN, content=table(seed=1), headers=CSV).headers["location"], "succeeded")
    units = [[s["unit"] for s in client.get(f"/models/press/versions/{n}").json()["sensors"]] for n in (1, 2)]
    assert units[0] == units[1]


def test_units_and_ranges_are_set_and_a_reading_outside_is_unknown(client: TestClient) -> None:
    said = "&activate=true&range=heat=0:50&range=flow=:90&unit=heat=%C2%B0C"
    until(client, client.post(TRAIN + said, content=table(), headers=CSV).headers["location"], "succeeded")
    flow, _, heat = client.get("/models/press/versions/1").json()["sensors"]
    assert heat == {"name": "heat", "unit": "°C", "low": 0.0, "high": 50.0}
    assert (flow["low"], flow["high"]) == (None, 90.0)
    outside = client.post("/assets/press", json={"values": [20.0, 20.0, 50.1]}).json()
    assert outside == {"score": None, "status": "unknown", "reason": "out_of_range"}
    assert client.post("/assets/press", json={"values": [20.0, 20.0, 20.0]}).json()["status"] == "normal"
    hot = table() + b"\n20.0,20.0,51.0"  # the next training knows the range, and may take it away
    answer = client.post(TRAIN, content=hot, headers=CSV)
    assert "outside its range 0:50" in problem(answer, 422, "table-invalid")
    assert answer.json()["row"] == 302
    assert client.post(f"{TRAIN}&range=heat=:", content=hot, headers=CSV).status_code == 202


def test_sensors_without_a_header_have_numbers(client: TestClient) -> None:
    body = table().split(b"\n", 1)[1]
    path = client.post(f"{TRAIN}&range=sensor_3=0:50", content=body, headers=CSV).headers["location"]
    until(client, path, "succeeded")
    assert [s["high"] for s in client.get("/models/press/versions/1").json()["sensors"]] == [None, None, 50.0]


@pytest.mark.parametrize(
    ("query", "reason"),
    [("range=heat=0", "LOW:HIGH"), ("range=oil=0:1", "a sensor that there is not"), ("unit=heat", "NAME=TEXT")],
)
def test_what_is_said_of_sensors_must_be_understood(client: TestClient, query: str, reason: str) -> None:
    answer = client.post(f"{TRAIN}&{query}", content=table(), headers=CSV)
    assert reason in problem(answer, 422, "training-impossible")
    assert client.get("/jobs").json()["items"] == []


def test_jobs_are_listed_newest_first_in_pages(client: TestClient) -> None:
    ids = [client.post(TRAIN, content=table(), headers=CSV).json()["id"] for _ in range(3)]
    items: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = client.get(f"/jobs?limit=2{cursor and '&cursor=' + cursor}").json()
        items += page["items"]
        cursor = page["next_cursor"]
    assert sorted(item["id"] for item in items) == sorted(ids)
    assert [item["created_at"] for item in items] == sorted((item["created_at"] for item in items), reverse=True)
    assert client.get("/jobs?asset=lathe").json()["items"] == []
    problem(client.get("/jobs?cursor=x"), 422, "invalid-input")


def test_a_job_is_cancelled(client: TestClient) -> None:
    options = "?kind=autoencoder&epochs=10000&window=16"
    path = client.post(f"/models/press/train{options}", content=table(20_000), headers=CSV).headers["location"]
    until(client, path, "running")
    for _ in range(2):  # the second changes nothing
        assert client.delete(path).json()["status"] == "cancelled"
    done = until(client, path, "cancelled")
    assert done["finished_at"]
    assert client.get("/models/press").status_code == 404


def test_a_job_that_has_ended_cannot_be_cancelled(client: TestClient) -> None:
    path = client.post(TRAIN, content=table(), headers=CSV).headers["location"]
    until(client, path, "succeeded")
    problem(client.delete(path), 409, "job-finished")
    for method in ("GET", "DELETE"):
        problem(client.request(method, "/jobs/none"), 404, "unknown-job")


@pytest.mark.parametrize(
    ("body", "row"),
    [
        (table() + b"\n1.0,two,3.0", 302),
        (table() + b"\n1.0,2.0", 302),
        (table() + b"\n1.0,2.0,nan", 302),
        (table() + b"\n1_000,2.0,3.0", 302),
        (table() + "\n\uff11\uff12,2.0,3.0".encode(), 302),
        (table() + b"\n1.0,2.0,\x00", 302),
        (table() + b"\n1.0,2.0,\xff", 302),
        (table() + b'\n1.0,2.0,"3.0', 302),
        (table() + b"\n1.0,2.0," + b"9" * 200_000, 302),
        (table().decode().encode("utf-16"), None),
        (b"", None),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_at_once_by_its_row(
    client: TestClient, body: bytes, row: int | None
) -> None:
    response = client.post(TRAIN, content=body, headers=CSV)
    detail = problem(response, 422, "table-invalid")
    assert len(response.content) < 16_384
    if row is not None:
        assert response.json()["row"] == row
        assert f"row {row}" in detail
    assert client.get("/jobs").json()["items"] == []


def test_too_few_rows_are_refused_at_once(client: TestClient) -> None:
    problem(client.post(TRAIN, content=table(5), headers=CSV), 422, "training-impossible")


@pytest.mark.parametrize(
    "query",
    ["kind=torch", "window=0", "window=65", "epochs=0", "seed=-1", "percentile=50", "rate=0.9", "hidden=0", "more=1"],
)
def test_options_have_bounds(client: TestClient, query: str) -> None:
    problem(client.post(f"/models/press/train?{query}", content=table(), headers=CSV), 422, "invalid-input")


def test_options_reach_the_training(client: TestClient) -> None:
    query = "kind=autoencoder&epochs=3&seed=7&window=2&hidden=4&hidden=2&method=percentile&percentile=97.5&margin=1.5"
    path = client.post(f"/models/press/train?{query}", content=table(), headers=CSV).headers["location"]
    done = until(client, path, "succeeded", "failed")
    assert done["status"] == "succeeded", done
    version = client.get("/models/press/versions/1").json()
    assert (version["kind"], version["window"]) == ("autoencoder", 2)


def test_another_media_type_is_refused(client: TestClient) -> None:
    response = client.post(TRAIN, content=b"{}", headers={"Content-Type": "application/json"})
    problem(response, 415, "unsupported-media-type")


def test_a_table_over_the_limit_is_refused(sqlite_url: str) -> None:
    with TestClient(create_app(Settings(database_url=sqlite_url, max_train_bytes=1024))) as client:
        problem(client.post(TRAIN, content=table(), headers=CSV), 413, "body-too-large")


def test_training_and_cancelling_need_the_scope_admin(client: TestClient) -> None:
    reader = {**CSV, "X-API-Key": READER}
    problem(client.post(TRAIN, content=table(), headers=reader), 403, "forbidden")
    path = client.post(TRAIN, content=table(), headers=CSV).headers["location"]
    problem(client.delete(path, headers=reader), 403, "forbidden")
    assert client.get(path, headers=reader).status_code == 200


def test_a_key_begins_one_job(client: TestClient) -> None:
    headers = {**CSV, "Idempotency-Key": "train-1"}
    first, again = (client.post(TRAIN, content=table(), headers=headers) for _ in range(2))
    assert first.content == again.content
    assert again.headers["location"] == first.headers["location"]
    assert len(client.get("/jobs").json()["items"]) == 1
    problem(client.post(TRAIN, content=table(200), headers=headers), 422, "idempotency-key-reused")


def test_a_job_survives_the_end_of_the_service(sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url)
    with TestClient(create_app(settings)) as client:
        paths = [client.post(TRAIN, content=table(), headers=CSV).headers["location"] for _ in range(2)]
    with TestClient(create_app(settings)) as client:
        for path in paths:
            assert until(client, path, "succeeded", "failed")["status"] == "succeeded"
        assert len(client.get("/models/press").json()["items"]) == 2

"""Thresholds over HTTP, against the whole service."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.app import create_app
from anomaly.learning.training import TrainingOptions, train
from anomaly.model import Model
from anomaly.settings import Settings
from anomaly.storage import schema
from servicekit import auth
from starlette.testclient import TestClient

SECRET, KEY = auth.generate("kim", "admin")
READER, READER_KEY = auth.generate("scada", "read")
PATH = "/models/press/threshold"


@pytest.fixture(scope="module")
def model() -> Model:
    rows = np.random.default_rng(0).normal(size=(2000, 3))
    return train(rows, TrainingOptions(kind="pca"), lambda _share, _message: None)


@pytest.fixture
def client(sqlite_url: str, model: Model) -> Iterator[TestClient]:
    """The service with the asset `press` and its first version active."""
    with TestClient(create_app(Settings(database_url=sqlite_url, api_keys=[KEY, READER_KEY]))) as client:
        client.headers["X-API-Key"] = SECRET
        assert client.put("/models/press?activate=true", content=model.dump()).status_code == 201
        yield client


def problem(response: Any, status: int, slug: str) -> str:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["type"] == f"urn:lineside:problem:{slug}"
    return str(response.json()["detail"])


def send(client: TestClient, spread: float, n: int = 400, first: int = 0) -> list[str]:
    """Posts readings one second apart and returns their statuses."""
    rows = np.random.default_rng(1).normal(0.0, spread, (n, 3)).tolist()
    base = 1_000_000_000_000
    times = [base + 1000 * (first + i) for i in range(n)]
    response = client.post("/assets/press/batch", json={"rows": rows, "timestamps": times})
    assert response.status_code == 200, response.text
    statuses: list[str] = response.json()["statuses"]
    return statuses


def test_the_threshold_tells_how_it_came_about(client: TestClient, model: Model) -> None:
    answer = client.get(PATH).json()
    assert (answer["threshold"], answer["model_version"]) == (model.threshold, 1)
    assert answer["method"] == "false_alarm_rate"
    assert sum(answer["histogram"]["counts"]) == model.calibration.rows
    assert len(answer["histogram"]["edges"]) == len(answer["histogram"]["counts"]) + 1
    rates = [point["false_alarm_rate"] for point in answer["curve"]]
    assert rates == sorted(rates, reverse=True)
    assert answer["notes"]


@pytest.mark.parametrize(
    ("body", "method"),
    [
        ({"threshold": 2.5}, "manual"),
        ({"method": "percentile", "percentile": 99.5, "margin": 1.1}, "percentile"),
        ({"method": "false_alarm_rate", "rate": 0.05}, "false_alarm_rate"),
        ({"method": "extreme_value", "rate": 0.001}, "extreme_value"),
        ({"method": "automatic"}, "false_alarm_rate"),
    ],
)
def test_another_threshold_is_a_new_active_version(client: TestClient, body: dict[str, Any], method: str) -> None:
    answer = client.put(PATH, json=body).json()
    assert (answer["method"], answer["model_version"]) == (method, 2)
    assert client.get(PATH).json() == answer
    version = client.get("/models/press/versions/2").json()
    assert (version["origin"], version["parent"], version["active"]) == ("threshold", 1, True)
    assert version["threshold"] == answer["threshold"]
    assert client.post("/models/press/rollback").json()["version"] == 1


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({}, "invalid-input"),
        ({"threshold": 1.0, "method": "automatic"}, "invalid-input"),
        ({"threshold": 1.0, "rate": 0.1}, "invalid-input"),
        ({"threshold": "1.0"}, "invalid-input"),
        ({"threshold": True}, "invalid-input"),
        ({"threshold": None}, "invalid-input"),
        ({"method": "guess"}, "invalid-input"),
        ({"method": "manual"}, "invalid-input"),
        ({"method": "automatic", "more": 1}, "invalid-input"),
        ({"threshold": -1.0}, "threshold-unsupported"),
        ({"threshold": 0}, "threshold-unsupported"),
        ({"threshold": 1e300}, "threshold-unsupported"),
        ({"method": "percentile", "percentile": 50}, "threshold-unsupported"),
        ({"method": "percentile", "rate": 0.1}, "threshold-unsupported"),
        ({"method": "false_alarm_rate", "rate": 0}, "threshold-unsupported"),
    ],
)
def test_what_is_no_threshold_is_refused_and_changes_nothing(
    client: TestClient, body: dict[str, Any], slug: str
) -> None:
    problem(client.put(PATH, json=body), 422, slug)
    assert client.get(PATH).json()["model_version"] == 1


def test_json_is_read_strictly(client: TestClient) -> None:
    def put(content: bytes, content_type: str = "application/json") -> Any:
        return client.put(PATH, content=content, headers={"Content-Type": content_type})

    problem(put(b'{"threshold":1,"threshold":2}'), 422, "invalid-input")
    problem(put(b'{"threshold":NaN}'), 422, "invalid-input")
    problem(put(b"{"), 400, "malformed-json")
    problem(put(b'{"threshold":1}', "text/plain"), 415, "unsupported-media-type")


def test_recent_readings_make_a_version_that_is_activated_only_if_asked(client: TestClient) -> None:
    send(client, 0.5)
    body = {"rows": 300}
    response = client.post("/models/press/recalibrate", json=body)
    version = response.json()
    assert (response.status_code, version["origin"], version["parent"], version["active"]) == (
        201,
        "recalibrated",
        1,
        False,
    )
    assert response.headers["location"] == "/models/press/versions/2"
    assert version["report"]["recalibration"]["rows"] == 300
    assert version["threshold"] < client.get(PATH).json()["threshold"]
    activated = client.post("/models/press/recalibrate?activate=true", json={**body, "method": "extreme_value"}).json()
    assert (activated["version"], activated["active"]) == (3, True)


def test_feedback_decides_which_readings_count(client: TestClient) -> None:
    statuses = send(client, 3.0)
    assert statuses.count("anomaly") > 100
    alert = client.get("/alerts?state=all&kind=anomaly").json()["items"][0]
    before = client.post("/models/press/recalibrate", json={}).json()
    for verdict, higher in (("false_alarm", True), ("true_alarm", False)):
        response = client.post(f"/alerts/{alert['id']}/feedback", json={"verdict": verdict, "by": "kim", "note": ""})
        assert response.status_code == 200, response.text
        after = client.post("/models/press/recalibrate", json={})
        if higher:
            assert after.json()["threshold"] > 1.5 * before["threshold"]
        else:
            assert after.status_code == 409 or after.json()["threshold"] <= before["threshold"]


def test_too_few_readings_are_told(client: TestClient) -> None:
    assert "at least 30" in problem(client.post("/models/press/recalibrate", json={}), 409, "too-few-rows")


@pytest.mark.parametrize("body", [{"rows": 1}, {"rows": 50_001}, {"rows": "x"}, {"method": "manual"}])
def test_recalibration_has_bounds(client: TestClient, body: dict[str, Any]) -> None:
    problem(client.post("/models/press/recalibrate", json=body), 422, "invalid-input")


def test_an_asset_without_a_model_has_no_threshold(client: TestClient) -> None:
    client.delete("/models/press")
    problem(client.get(PATH), 503, "no-model")
    problem(client.put(PATH, json={"threshold": 1.0}), 503, "no-model")
    problem(client.get("/models/none/threshold"), 404, "unknown-asset")
    problem(client.post("/models/none/recalibrate", json={}), 404, "unknown-asset")


def test_a_version_that_was_activated_meanwhile_is_not_undone(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anomaly.lifecycle import recalibration

    real = recalibration.rethreshold

    def slow(*arguments: Any) -> Model:
        services: Any = client.app.state.services  # type: ignore[attr-defined]

        def operation(connection: sa.Connection) -> Any:
            from anomaly.storage.reply import Reply

            connection.execute(sa.update(schema.assets).where(schema.assets.c.name == "press").values(active_version=9))
            return Reply(204)

        services.ledger.write_blocking(operation)
        return real(*arguments)

    monkeypatch.setattr(recalibration, "rethreshold", slow)
    problem(client.put(PATH, json={"threshold": 1.0}), 409, "version-changed")


def test_changes_need_the_scope_admin(client: TestClient) -> None:
    reader = {"X-API-Key": READER}
    assert client.get(PATH, headers=reader).status_code == 200
    problem(client.put(PATH, json={"threshold": 1.0}, headers=reader), 403, "forbidden")
    problem(client.post("/models/press/recalibrate", json={}, headers=reader), 403, "forbidden")


def test_a_key_makes_one_version(client: TestClient) -> None:
    key = {"Idempotency-Key": "t-1"}
    first, again = (client.put(PATH, json={"threshold": 2.0}, headers=key) for _ in range(2))
    assert first.content == again.content
    assert client.get(PATH).json()["model_version"] == 2

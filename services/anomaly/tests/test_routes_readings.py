import json
from typing import Any

import pytest
from starlette.testclient import TestClient

AT = "2026-01-01T00:00:00Z"


def problem(response: Any) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.content) < 16_384
    return response.status_code, response.json()["type"].removeprefix("urn:lineside:problem:")


def test_an_answer_has_two_fields(client: TestClient) -> None:
    assert client.post("/assets/press", json={"values": [3, 4]}).json() == {"score": 5.0, "status": "anomaly"}


def test_an_unknown_reading_says_why(client: TestClient) -> None:
    answer = client.post("/assets/press", json={"values": [None, 4]}).json()
    assert answer == {"score": None, "status": "unknown", "reason": "null_values"}


def test_detail_tells_everything(client: TestClient) -> None:
    answer = client.post("/assets/press?detail=true", json={"sensors": {"b": 4, "a": 3}, "timestamp": AT}).json()
    assert answer == {
        "score": 5.0,
        "status": "anomaly",
        "reason": None,
        "threshold": 3.0,
        "severity": "minor",
        "contributions": [
            {"sensor": "a", "contribution": pytest.approx(0.36)},
            {"sensor": "b", "contribution": pytest.approx(0.64)},
        ],
        "model": "autoencoder",
        "model_version": 1,
        "asset": "press",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "fate": "live",
        "quality": "good",
        "alarm": {"state": "normal", "since": None, "smoothed_ratio": pytest.approx(5 / 3)},
    }
    again = client.post("/assets/press?detail=true", json={"sensors": {"b": 4, "a": 3}, "timestamp": AT}).json()
    assert again == {**answer, "fate": "duplicate"}


def test_detail_of_an_unknown_reading_has_no_severity(client: TestClient) -> None:
    answer = client.post("/assets/press?detail=true", json={"values": [1, 2], "quality": "bad"}).json()
    assert (answer["severity"], answer["contributions"], answer["reason"]) == (None, [], "bad_quality")


def test_a_repeated_key_is_answered_the_same_and_counted_once(client: TestClient) -> None:
    headers = {"Idempotency-Key": "r-1"}
    first = client.post("/assets/press", json={"values": [3, 4]}, headers=headers)
    again = client.post("/assets/press", json={"values": [3, 4]}, headers=headers)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(client.get("/assets/press/history").json()["items"]) == 1
    other = client.post("/assets/press", json={"values": [3, 5]}, headers=headers)
    assert problem(other) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("nowhere", {"values": [1, 2]}, (404, "unknown-asset")),
        ("press", {"values": [1]}, (422, "wrong-dimension")),
        ("press", {"sensors": {"x": 1}}, (422, "unknown-sensor")),
        ("press", {"values": [1, 2], "timestamp": "9999-01-01T00:00:00Z"}, (422, "timestamp-out-of-range")),
        ("press", {"values": [1, 2], "timestamp": "0000-01-01T00:00:00Z"}, (422, "invalid-input")),
        ("press", {"values": [1, "2"]}, (422, "invalid-input")),
        ("press/batch", {"rows": []}, (422, "invalid-input")),
        ("press/batch", {"rows": [[1, 2]] * 10_001}, (422, "too-many-rows")),
    ],
)
def test_a_refused_reading_changes_nothing(client: TestClient, path: str, body: Any, refusal: tuple[int, str]) -> None:
    before = client.get("/assets/press").json()
    assert problem(client.post(f"/assets/{path}", json=body)) == refusal
    assert client.get("/assets/press").json() == before


def test_a_conflicting_reading_is_refused(client: TestClient) -> None:
    client.post("/assets/press", json={"values": [1, 2], "timestamp": AT})
    response = client.post("/assets/press", json={"values": [1, 3], "timestamp": AT})
    assert problem(response) == (409, "conflicting-reading")


def test_an_asset_without_a_model_is_503(client: TestClient) -> None:
    client.put("/assets/bare")
    assert problem(client.post("/assets/bare", json={"values": [1, 2]})) == (503, "no-model")


def test_other_media_types_and_bytes_are_refused(client: TestClient) -> None:
    plain = {"Content-Type": "text/plain"}
    typed = {"Content-Type": "application/json"}
    assert problem(client.post("/assets/press", content=b"{}", headers=plain)) == (415, "unsupported-media-type")
    assert problem(client.post("/assets/press/batch", content=b"", headers=plain)) == (415, "unsupported-media-type")
    assert problem(client.post("/assets/press", content=b"{", headers=typed)) == (400, "malformed-json")
    assert client.post("/assets/press", content=b"[" * 100_000, headers=typed).status_code in (400, 422)
    assert problem(client.post("/assets/press", content=b'{"values":[' + b" " * 2**20, headers=typed))[0] == 413


def test_a_batch_answers_in_the_order_of_its_rows(client: TestClient) -> None:
    body = {"rows": [[3, 4], [None, 1], [1, 0]], "timestamps": [3000, 2000, 1000], "qualities": ["good"] * 3}
    assert client.post("/assets/press/batch", json=body).json() == {
        "scores": [5.0, None, 1.0],
        "statuses": ["anomaly", "unknown", "normal"],
        "reasons": [None, "null_values", None],
        "fates": ["live", "live", "live"],
    }
    again = client.post("/assets/press/batch", json=body).json()
    assert again["fates"] == ["duplicate"] * 3


def test_a_batch_may_be_csv(client: TestClient) -> None:
    lines = ["timestamp,b,a,quality", f"{AT},4,3,good", "2026-01-01T00:00:01Z,0,1,bad"]
    headers = {"Content-Type": "text/csv"}
    answer = client.post("/assets/press/batch", content="\n".join(lines), headers=headers).json()
    assert (answer["scores"], answer["reasons"]) == ([5.0, None], [None, "bad_quality"])
    wrong = client.post("/assets/press/batch", content="a,b\n1,2\n1,x\n", headers=headers)
    assert problem(wrong) == (422, "table-invalid")
    assert wrong.json()["detail"].startswith("row 3: ")


def test_a_large_batch_is_read_beside_the_event_loop(client: TestClient) -> None:
    body = json.dumps({"rows": [[float(i % 2), 0.123456789] for i in range(5000)]})
    headers = {"Content-Type": "application/json"}
    answer = client.post("/assets/press/batch", content=body, headers=headers).json()
    assert len(answer["scores"]) == 5000
    assert len(body) > 16_384


def test_a_batch_is_refused_whole_by_its_row(client: TestClient) -> None:
    body = {"rows": [[1, 2], [1, 2]], "timestamps": [AT, "9999-01-01T00:00:00Z"]}
    response = client.post("/assets/press/batch", json=body)
    assert problem(response) == (422, "timestamp-out-of-range")
    assert response.json()["detail"].startswith("row 2: ")
    assert client.get("/assets/press/history").json()["items"] == []

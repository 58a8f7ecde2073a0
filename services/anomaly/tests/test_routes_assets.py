from typing import Any

import pytest
from starlette.testclient import TestClient


def problem(response: Any) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["type"].removeprefix("urn:lineside:problem:")


def test_an_asset_is_made_shown_listed_and_deleted(client: TestClient) -> None:
    made = client.put("/assets/saw-1")
    assert (made.status_code, made.headers["location"]) == (201, "/assets/saw-1")
    assert client.put("/assets/saw-1").status_code == 200
    assert client.put("/anomaly/assets/saw-2").headers["location"] == "/anomaly/assets/saw-2"
    assert client.delete("/anomaly/assets/saw-2").status_code == 204
    assert client.get("/assets/saw-1").json() == made.json()
    assert [item["asset"] for item in client.get("/assets").json()["items"]] == ["default", "press", "saw-1"]
    assert client.delete("/assets/saw-1").status_code == 204
    assert problem(client.get("/assets/saw-1")) == (404, "unknown-asset")
    assert problem(client.delete("/assets/saw-1")) == (404, "unknown-asset")


def test_shows_the_state_of_an_asset(client: TestClient) -> None:
    client.post("/assets/press", json={"values": [1, 0], "timestamp": "2026-01-01T00:00:00Z"})
    state = client.get("/assets/press").json()
    shares = [{"sensor": "a", "contribution": 1.0}, {"sensor": "b", "contribution": 0.0}]
    newest = {"timestamp": "2026-01-01T00:00:00.000Z", "score": 1.0, "status": "normal"}
    assert state["newest"] == {**newest, "contributions": shares}
    assert client.get("/assets").json()["items"][1]["newest"] == newest  # a list explains nothing
    assert state["active_version"] == 1
    assert state["alarm"] == {"state": "normal", "since": None, "smoothed_ratio": pytest.approx(1 / 3)}
    assert [sensor["sensor"] for sensor in state["drift"]["input"]] == ["a", "b"]
    assert state["settings"]["alarm"]["m"] == 3


def test_a_list_goes_on_with_its_cursor(client: TestClient) -> None:
    for number in range(5):
        client.put(f"/assets/a{number}")
    names: list[str] = []
    cursor: str | None = None
    while True:
        page = client.get("/assets", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        names += [item["asset"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == ["a0", "a1", "a2", "a3", "a4", "default", "press"]


@pytest.mark.parametrize("name", ["-a", ".a", "a b", "a" * 129, "ä", "a%2Fb", "a%00", "%0a"])
def test_refuses_names_that_are_none(client: TestClient, name: str) -> None:
    assert client.put(f"/assets/{name}").status_code in (404, 422)
    assert [item["asset"] for item in client.get("/assets").json()["items"]] == ["default", "press"]


def test_settings_come_with_the_asset_or_later(client: TestClient) -> None:
    client.put("/assets/saw", json={"settings": {"quality": {"max_gap_s": 60}}})
    settings = client.get("/assets/saw/settings").json()
    assert settings["quality"] == {"max_null_share": 0.0, "max_gap_s": 60}
    assert client.put("/assets/saw").json()["settings"] == settings
    changed = client.put("/assets/saw/settings", json={"alarm": {"latch": True}})
    assert (changed.status_code, changed.json()["quality"]["max_gap_s"]) == (200, None)
    assert client.get("/assets/saw/settings").json() == changed.json()


@pytest.mark.parametrize("body", [{"alarm": {"m": 9}}, {"alarm": {"x": 1}}, {"other": 1}, [], {"quality": None}])
def test_settings_that_make_no_sense_change_nothing(client: TestClient, body: Any) -> None:
    before = client.get("/assets/press/settings").json()
    assert problem(client.put("/assets/press/settings", json=body)) == (422, "invalid-input")
    assert client.get("/assets/press/settings").json() == before


def test_settings_need_their_media_type(client: TestClient) -> None:
    response = client.put("/assets/press/settings", content=b"{}", headers={"Content-Type": "text/plain"})
    assert problem(response) == (415, "unsupported-media-type")


def test_the_default_asset_cannot_be_deleted(client: TestClient) -> None:
    assert problem(client.delete("/assets/default")) == (409, "asset-protected")


def test_a_repeated_key_deletes_once(client: TestClient) -> None:
    headers = {"Idempotency-Key": "delete-1"}
    assert client.delete("/assets/press", headers=headers).status_code == 204
    again = client.delete("/assets/press", headers=headers)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (204, "true")
    assert problem(client.put("/assets/press", headers=headers)) == (422, "idempotency-key-reused")
    bad = client.put("/assets/press", headers={"Idempotency-Key": "a b"})
    assert problem(bad) == (400, "idempotency-key-invalid")

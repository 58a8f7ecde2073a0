"""Alerts, and the notices that tell of them."""

from typing import Any

import httpx2
import pytest
from answers import everything, expect, refused

GOOD = {"values": [1.2, 0.9, 1.1]}
FAR = {"values": [50.0, 50.0, 50.0]}


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

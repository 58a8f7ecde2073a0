"""The calls about alerts over HTTP, with the real database, ledger and queue behind them."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import anomaly
import pytest
import sqlalchemy as sa
from anomaly.alerting import alerts
from anomaly.alerting.alarms import Transition
from anomaly.alerting.alerts import Evidence
from anomaly.alerting.delivery import Delivery
from anomaly.routes.alerts import router
from anomaly.settings import Settings
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from anomaly.storage.schema import assets
from fastapi import FastAPI
from servicekit import auth
from servicekit.app import create_service_app
from servicekit.database.store import Store
from starlette.testclient import TestClient

SECRET, KEY = auth.generate("kim", "admin")
READER, READER_KEY = auth.generate("scada", "read")
NAMES = ("webhook:http://127.0.0.1:9/hook", "mail:kim@factory.example")
ADMIN = {"X-API-Key": SECRET}
PAGE = Path(anomaly.__file__).parent / "page"


class Clock(Protocol):
    """conftest's clock."""

    now_ms: int


@dataclass
class Line:
    """The service with one asset, and what its streams were told."""

    client: TestClient
    ledger: Ledger
    clock: Clock
    published: list[str] = field(default_factory=list)

    def open(self, kind: Any = "anomaly") -> int:
        """Opens an alert as a reading would and returns its id."""
        found: list[int] = []

        def operation(connection: sa.Connection) -> Reply:
            asset = connection.execute(sa.select(assets)).one()
            transition = Transition(kind, "opened", self.clock.now_ms, self.clock.now_ms, 3)
            alerts.apply(connection, asset, transition, Evidence(3.0, 1.0, 1), self.clock.now_ms, NAMES)
            row = alerts.open_alert(connection, asset.id, kind)
            assert row is not None
            found.append(row.id)
            return Reply(204)

        self.ledger.write_blocking(operation)
        return found[0]

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        return self.client.post(path, content=content, headers={**ADMIN, **kind, **headers})

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=ADMIN)


def settings_of(store: Store, **changes: Any) -> Settings:
    options: dict[str, Any] = {
        "webhook_urls": ["http://127.0.0.1:9/hook"],
        "webhook_allow": ["127.0.0.1"],
        "smtp_url": "smtp://127.0.0.1:9",
        "mail_to": ["kim@factory.example"],
    }
    url = store.engine.url.render_as_string(hide_password=False)
    return Settings(database_url=url, api_keys=[KEY, READER_KEY], **{**options, **changes})


def client_of(store: Store, ledger: Ledger, settings: Settings, published: list[str]) -> TestClient:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield

    options: dict[str, Any] = {"page": PAGE, "probe": lambda: None, "details": dict}
    app = create_service_app(
        settings, name="anomaly", title="t", version="0", summary="s", lifespan=lifespan, routers=[router], **options
    )
    hub = SimpleNamespace(publish=published.append)
    delivery = Delivery(store, ledger, settings)
    app.state.services = SimpleNamespace(store=store, ledger=ledger, delivery=delivery, hub=hub, settings=settings)
    return TestClient(app)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite alone: what the two databases do differently is tested below the routes."""
    return sqlite_url


@pytest.fixture
def line(store: Store, ledger: Ledger, clock: Clock) -> Iterator[Line]:
    def operation(connection: sa.Connection) -> Reply:
        connection.execute(sa.insert(assets).values(name="press-4", created_ms=clock.now_ms))
        return Reply(204)

    ledger.write_blocking(operation)
    published: list[str] = []
    with client_of(store, ledger, settings_of(store), published) as client:
        yield Line(client, ledger, clock, published)


def problem(response: Any, status: int, slug: str) -> str:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["type"] == f"urn:lineside:problem:{slug}"
    return str(response.json()["detail"])


def test_lists_open_alerts_and_shows_one(line: Line) -> None:
    alert_id = line.open()
    listed = line.get("/alerts").json()
    assert listed["next_cursor"] is None
    (alert,) = listed["items"]
    assert (alert["id"], alert["asset"], alert["state"], alert["severity"]) == (alert_id, "press-4", "active", "major")
    assert line.get(f"/alerts/{alert_id}").json() == alert


def test_filters_by_state_asset_and_kind(line: Line) -> None:
    line.open()
    line.open("silent")
    for query, count in (
        ("", 2), ("?state=all", 2), ("?state=cleared", 0), ("?asset=press-4", 2), ("?asset=press-5", 0),
        ("?kind=silent", 1), ("?kind=score_drift", 0),
    ):  # fmt: skip
        assert len(line.get(f"/alerts{query}").json()["items"]) == count, query


def test_goes_on_with_the_cursor(line: Line) -> None:
    for kind in ("anomaly", "silent", "input_drift"):
        line.open(kind)
    first = line.get("/alerts?limit=2").json()
    rest = line.get(f"/alerts?limit=2&cursor={first['next_cursor']}").json()
    kinds = [alert["kind"] for alert in [*first["items"], *rest["items"]]]
    assert kinds == ["input_drift", "silent", "anomaly"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "path",
    ["/alerts?state=odd", "/alerts?kind=odd", "/alerts?limit=0", "/alerts?limit=1001", "/alerts?cursor=made-up",
     "/alerts?asset=a%00b", "/alerts/abc", "/alerts/0", "/alerts/9223372036854775808", "/alerts/deliveries?status=odd",
     "/alerts/deliveries?cursor=x"],
)  # fmt: skip
def test_refuses_what_it_cannot_look_up(line: Line, path: str) -> None:
    problem(line.get(path), 422, "invalid-input")


def test_acknowledges_in_the_keys_name_where_no_other_is_given(line: Line) -> None:
    alert_id = line.open()
    alert = line.post(f"/alerts/{alert_id}/acknowledge").json()
    assert alert["state"] == "acknowledged"
    assert alert["acknowledged"] == {"by": "kim", "at": "2026-01-01T00:00:00.000Z", "note": ""}
    assert line.published == ["press-4"]


def test_acknowledges_with_name_and_note(line: Line) -> None:
    alert = line.post(f"/alerts/{line.open()}/acknowledge", {"by": "Jo", "note": "Lüfter"}).json()
    assert (alert["acknowledged"]["by"], alert["acknowledged"]["note"]) == ("Jo", "Lüfter")


def test_shelves_and_unshelves(line: Line) -> None:
    alert_id = line.open()
    alert = line.post(f"/alerts/{alert_id}/shelve", {"seconds": 60, "by": "Jo", "note": "cleaning"}).json()
    assert (alert["state"], alert["shelved_until"]) == ("shelved", "2026-01-01T00:01:00.000Z")
    assert line.post(f"/alerts/{alert_id}/unshelve").json()["state"] == "active"


def test_takes_feedback(line: Line) -> None:
    alert = line.post(f"/alerts/{line.open()}/feedback", {"verdict": "false_alarm", "note": "tool change"}).json()
    assert (alert["feedback"]["verdict"], alert["feedback"]["by"]) == ("false_alarm", "kim")


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("shelve", {}),
        ("shelve", {"seconds": 0}),
        ("shelve", {"seconds": 1e9}),
        ("shelve", {"seconds": "60"}),
        ("shelve", {"seconds": True}),
        ("feedback", {"verdict": "perhaps"}),
        ("feedback", {}),
        ("acknowledge", {"by": "x" * 129}),
        ("acknowledge", {"note": "x" * 1025}),
        ("acknowledge", {"colour": "red"}),
        ("acknowledge", []),
        ("acknowledge", None),
    ],
)
def test_refuses_a_body_that_is_wrong_and_changes_nothing(line: Line, action: str, body: Any) -> None:
    alert_id = line.open()
    before = line.get(f"/alerts/{alert_id}").json()
    content = json.dumps(body).encode()
    headers = {**ADMIN, "Content-Type": "application/json"}
    problem(line.client.post(f"/alerts/{alert_id}/{action}", content=content, headers=headers), 422, "invalid-input")
    assert line.get(f"/alerts/{alert_id}").json() == before


def test_refuses_another_media_type_and_broken_json(line: Line) -> None:
    path = f"/alerts/{line.open()}/acknowledge"
    problem(line.client.post(path, content=b"by=Jo", headers=ADMIN), 415, "unsupported-media-type")
    broken = line.client.post(path, content=b'{"by":', headers={**ADMIN, "Content-Type": "application/json"})
    problem(broken, 400, "malformed-json")


@pytest.mark.parametrize("action", ["acknowledge", "shelve", "unshelve", "feedback"])
def test_an_alert_that_does_not_exist_is_unknown(line: Line, action: str) -> None:
    body = {"shelve": {"seconds": 60}, "feedback": {"verdict": "true_alarm"}}.get(action, {})
    assert problem(line.post(f"/alerts/99/{action}", body), 404, "unknown-alert") == "there is no alert 99"
    problem(line.get("/alerts/99"), 404, "unknown-alert")


def test_an_alert_that_has_cleared_cannot_be_acknowledged(line: Line) -> None:
    alert_id = line.open()

    def operation(connection: sa.Connection) -> Reply:
        row = alerts.find(connection, alert_id)
        assert row is not None
        alerts.clear(connection, row, line.clock.now_ms, NAMES)
        return Reply(204)

    line.ledger.write_blocking(operation)
    problem(line.post(f"/alerts/{alert_id}/acknowledge"), 409, "alert-cleared")
    assert [alert["id"] for alert in line.get("/alerts?state=cleared").json()["items"]] == [alert_id]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/alerts/1/acknowledge"), ("POST", "/alerts/1/shelve"), ("POST", "/alerts/1/unshelve"),
     ("POST", "/alerts/1/feedback"), ("GET", "/alerts/deliveries"), ("POST", "/alerts/deliveries/1/retry"),
     ("POST", "/alerts/test")],
)  # fmt: skip
def test_a_key_that_may_only_read_changes_nothing(line: Line, method: str, path: str) -> None:
    problem(line.client.request(method, path, headers={"X-API-Key": READER}), 403, "forbidden")


def test_a_key_that_may_read_sees_alerts(line: Line) -> None:
    line.open()
    assert len(line.client.get("/alerts", headers={"X-API-Key": READER}).json()["items"]) == 1


def test_a_repeated_call_with_the_same_key_has_one_effect(line: Line) -> None:
    path, key = f"/alerts/{line.open()}/feedback", {"Idempotency-Key": "k1"}
    first = line.post(path, {"verdict": "true_alarm"}, **key)
    again = line.post(path, {"verdict": "true_alarm"}, **key)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    problem(line.post(path, {"verdict": "false_alarm"}, **key), 422, "idempotency-key-reused")


def test_sends_a_test_to_every_receiver_and_lists_the_queue(line: Line) -> None:
    response = line.post("/alerts/test")
    assert response.status_code == 202
    ids = response.json()["deliveries"]
    listed = line.get("/alerts/deliveries").json()["items"]
    assert [entry["id"] for entry in listed] == ids[::-1]
    assert {entry["receiver"] for entry in listed} == set(NAMES)
    assert {(entry["notice"], entry["status"], entry["attempts"]) for entry in listed} == {("test", "pending", 0)}


def test_pages_through_the_queue(line: Line) -> None:
    line.post("/alerts/test")
    first = line.get("/alerts/deliveries?limit=1").json()
    rest = line.get(f"/alerts/deliveries?limit=1&cursor={first['next_cursor']}").json()
    assert first["items"][0]["id"] > rest["items"][0]["id"]
    assert rest["next_cursor"] is None
    assert line.get("/alerts/deliveries?status=failed").json()["items"] == []


def test_without_receivers_there_is_nobody_to_test(store: Store, ledger: Ledger) -> None:
    settings = settings_of(store, webhook_urls=[], mail_to=[])
    with client_of(store, ledger, settings, []) as client:
        problem(client.post("/alerts/test", headers=ADMIN), 409, "no-receivers")


def test_retries_a_delivery_that_has_not_arrived(line: Line) -> None:
    (delivery_id, other) = line.post("/alerts/test").json()["deliveries"]
    retried = line.post(f"/alerts/deliveries/{delivery_id}/retry")
    assert retried.status_code == 200
    assert retried.json()["status"] == "pending"

    def operation(connection: sa.Connection) -> Reply:
        connection.execute(
            sa.text("UPDATE deliveries SET status = 'delivered', delivered_ms = created_ms WHERE id = :id"),
            {"id": other},
        )
        return Reply(204)

    line.ledger.write_blocking(operation)
    assert "arrived at" in problem(line.post(f"/alerts/deliveries/{other}/retry"), 409, "already-delivered")
    problem(line.post("/alerts/deliveries/99/retry"), 404, "unknown-delivery")


def test_the_document_describes_every_call(line: Line) -> None:
    paths = line.client.get("/openapi.json").json()["paths"]
    assert {
        "/alerts", "/alerts/{alert_id}", "/alerts/{alert_id}/acknowledge", "/alerts/{alert_id}/shelve",
        "/alerts/{alert_id}/unshelve", "/alerts/{alert_id}/feedback", "/alerts/deliveries",
        "/alerts/deliveries/{delivery_id}/retry", "/alerts/test",
    } <= set(paths)  # fmt: skip

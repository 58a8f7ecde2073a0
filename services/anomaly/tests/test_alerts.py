"""Alerts as rows: one open for each asset and kind, and what receivers are told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest
import sqlalchemy as sa
from anomaly.alerting import alerts, outbox
from anomaly.alerting.alarms import Event, Kind, Transition
from anomaly.alerting.alerts import Alert, Evidence
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from anomaly.storage.schema import alerts as table
from anomaly.storage.schema import assets
from servicekit.database.store import Store

T = TypeVar("T")
NOW = 1_767_225_600_000
HOOK = "webhook:https://hooks.example/a"
SHARES = [{"sensor": "flow", "contribution": 1.0}]


@dataclass(frozen=True)
class Asset:
    """What alerts need of an asset's row."""

    id: int
    name: str


def write(ledger: Ledger, change: Callable[[sa.Connection], T]) -> T:
    found: list[T] = []

    def operation(connection: sa.Connection) -> Reply:
        found.append(change(connection))
        return Reply(204)

    ledger.write_blocking(operation)
    return found[0]


def make_asset(ledger: Ledger, name: str) -> Asset:
    def make(connection: sa.Connection) -> Asset:
        key = connection.execute(sa.insert(assets).values(name=name, created_ms=NOW)).inserted_primary_key
        assert key is not None
        return Asset(key[0], name)

    return write(ledger, make)


@pytest.fixture
def asset(ledger: Ledger) -> Asset:
    return make_asset(ledger, "press-4")


def apply(
    ledger: Ledger,
    asset: Asset,
    event: Event,
    score: float = 3.0,
    now_ms: int = NOW,
    kind: Kind = "anomaly",
    exceedances: int = 1,
) -> None:
    transition = Transition(kind, event, now_ms, now_ms - 2000, exceedances)
    evidence = Evidence(score, 1.0, 2, SHARES)
    write(ledger, lambda c: alerts.apply(c, asset, transition, evidence, now_ms, [HOOK]))


def listed(store: Store, now_ms: int = NOW) -> list[Alert]:
    rows = store.read_blocking(lambda c: alerts.page(c, "all", None, None, None, 100))
    return [alerts.shown(row, now_ms) for row in rows]


def told(store: Store) -> list[str]:
    """Returns what receivers are told, oldest first."""
    return [delivery.notice for delivery in store.read_blocking(lambda c: outbox.page(c, None, None, 100))][::-1]


def test_an_alarm_opens_an_alert_and_queues_its_notice(ledger: Ledger, store: Store, asset: Asset) -> None:
    apply(ledger, asset, "opened", exceedances=3)
    (alert,) = listed(store)
    assert alert == Alert(
        id=alert.id,
        asset="press-4",
        kind="anomaly",
        state="active",
        severity="major",
        opened_at="2026-01-01T00:00:00.000Z",
        updated_at="2026-01-01T00:00:00.000Z",
        cleared_at=None,
        count=3,
        peak_score=3.0,
        last_score=3.0,
        threshold=1.0,
        model_version=2,
        contributions=SHARES,
        acknowledged=None,
        shelved_until=None,
        feedback=None,
    )
    assert told(store) == ["firing"]


def test_an_open_alert_is_updated_and_nobody_is_told_again(ledger: Ledger, store: Store, asset: Asset) -> None:
    apply(ledger, asset, "opened", 3.0)
    apply(ledger, asset, "updated", 9.0, NOW + 1000)
    apply(ledger, asset, "updated", 0.5, NOW + 2000, exceedances=0)
    (alert,) = listed(store)
    assert (alert.count, alert.peak_score, alert.last_score, alert.severity) == (2, 9.0, 0.5, "critical")
    assert alert.updated_at == "2026-01-01T00:00:02.000Z"
    row = store.read_blocking(lambda c: alerts.find(c, alert.id))
    assert row is not None
    assert (row.first_reading_ms, row.last_reading_ms) == (NOW - 2000, NOW + 1000)
    assert told(store) == ["firing"]


def test_opening_twice_leaves_one_alert(ledger: Ledger, store: Store, asset: Asset) -> None:
    apply(ledger, asset, "opened")
    apply(ledger, asset, "opened", now_ms=NOW + 1)
    assert len(listed(store)) == 1


def test_an_update_without_an_alert_opens_one(ledger: Ledger, store: Store, asset: Asset) -> None:
    apply(ledger, asset, "updated")
    assert [alert.state for alert in listed(store)] == ["active"]


def test_clearing_tells_that_it_is_resolved_and_the_next_alarm_is_a_new_alert(
    ledger: Ledger, store: Store, asset: Asset
) -> None:
    apply(ledger, asset, "opened")
    apply(ledger, asset, "cleared", now_ms=NOW + 1000)
    apply(ledger, asset, "cleared", now_ms=NOW + 2000)
    apply(ledger, asset, "opened", now_ms=NOW + 3000)
    assert [alert.state for alert in listed(store)] == ["active", "cleared"]
    assert listed(store)[1].cleared_at == "2026-01-01T00:00:01.000Z"
    assert told(store) == ["firing", "resolved", "firing"]


def test_kinds_and_assets_have_alerts_of_their_own(ledger: Ledger, store: Store, asset: Asset) -> None:
    other = make_asset(ledger, "press-5")
    apply(ledger, asset, "opened")
    apply(ledger, other, "opened")
    apply(ledger, asset, "opened", kind="input_drift")
    apply(ledger, asset, "cleared")
    open_rows = store.read_blocking(lambda c: alerts.page(c, "open", None, None, None, 100))
    assert [(row.asset, row.kind) for row in open_rows] == [("press-4", "input_drift"), ("press-5", "anomaly")]
    filtered = store.read_blocking(lambda c: alerts.page(c, "all", "press-4", "anomaly", None, 100))
    assert [row.cleared_ms for row in filtered] == [NOW]


@pytest.mark.parametrize(
    ("kind", "score", "severity"),
    [
        ("anomaly", 0.5, "minor"),  # smoothed, it is over the threshold all the same
        ("anomaly", 2.0, "minor"),
        ("anomaly", 4.0, "major"),
        ("anomaly", 4.1, "critical"),
        ("input_drift", 4.0, "minor"),
        ("score_drift", -5.0, "major"),
        ("silent", 99.0, "major"),
    ],
)
def test_severity_tells_how_far(
    ledger: Ledger, store: Store, asset: Asset, kind: Kind, score: float, severity: str
) -> None:
    apply(ledger, asset, "opened", score, kind=kind)
    assert listed(store)[0].severity == severity


def test_evidence_without_numbers_is_minor(ledger: Ledger, store: Store, asset: Asset) -> None:
    transition = Transition("input_drift", "opened", NOW, NOW, 1)
    write(ledger, lambda c: alerts.apply(c, asset, transition, Evidence(), NOW, [HOOK]))
    assert listed(store)[0].severity == "minor"


def test_the_database_itself_refuses_a_second_open_alert(ledger: Ledger, asset: Asset) -> None:
    apply(ledger, asset, "opened")
    row = {"asset_id": asset.id, "kind": "anomaly", "state": "active", "severity": "minor", "count": 1}
    second = sa.insert(table).values(**row, opened_ms=NOW, updated_ms=NOW)
    with pytest.raises(sa.exc.IntegrityError):
        write(ledger, lambda c: c.execute(second).rowcount)


def test_a_refused_operation_leaves_neither_alert_nor_notice(ledger: Ledger, store: Store, asset: Asset) -> None:
    def half(connection: sa.Connection) -> None:
        transition = Transition("anomaly", "opened", NOW, NOW, 1)
        alerts.apply(connection, asset, transition, Evidence(3.0, 1.0), NOW, [HOOK])
        message = "the rest of the operation fails"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        write(ledger, half)
    assert listed(store) == []
    assert told(store) == []


def test_deleting_an_asset_resolves_its_alerts_shelved_ones_too(ledger: Ledger, store: Store, asset: Asset) -> None:
    apply(ledger, asset, "opened")
    apply(ledger, asset, "opened", kind="input_drift")
    write(ledger, lambda c: c.execute(sa.update(table).values(shelved_until_ms=NOW + 10**6)).rowcount)

    def delete(connection: sa.Connection) -> None:
        alerts.resolve_all(connection, asset, NOW + 1, [HOOK])
        connection.execute(sa.delete(assets).where(assets.c.id == asset.id))

    write(ledger, delete)
    assert listed(store) == []
    assert sorted(told(store)) == ["firing", "firing", "resolved", "resolved"]


def test_pages_go_on_where_the_last_one_ended(ledger: Ledger, store: Store) -> None:
    for number in range(5):
        apply(ledger, make_asset(ledger, f"a{number}"), "opened")
    first = store.read_blocking(lambda c: alerts.page(c, "all", None, None, None, 2))
    rest = store.read_blocking(lambda c: alerts.page(c, "all", None, None, first[-1].id, 10))
    assert [row.asset for row in [*first, *rest]] == ["a4", "a3", "a2", "a1", "a0"]

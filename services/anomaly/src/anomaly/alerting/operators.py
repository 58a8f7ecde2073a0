"""What people do to alerts: acknowledge, shelve, unshelve, and say whether it was a true alarm."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from servicekit.problems import quote

from anomaly.alerting import alarms, alerts
from anomaly.alerting.alerts import Row
from anomaly.problems import AlertCleared, UnknownAlert
from anomaly.storage.schema import alerts as table
from anomaly.storage.schema import assets

Verdict = Literal["false_alarm", "true_alarm"]


class Person(msgspec.Struct, frozen=True):
    """Who did it and why."""

    by: str
    note: str = ""


def row_of(connection: sa.Connection, alert_id: int) -> Row:
    """Returns the alert's row; raises UnknownAlert."""
    row = alerts.find(connection, alert_id)
    if row is None:
        raise UnknownAlert(f"there is no alert {quote(alert_id)}")
    return row


def acknowledge(
    connection: sa.Connection, alert_id: int, person: Person, now_ms: int, receivers: Sequence[str]
) -> None:
    """Notes that it was seen, the first time only; a latched alarm that has returned to normal clears by this.

    The caller's transaction holds the asset (`ledger.write(…, assets=…)`), whose alarm state this changes.
    """
    row = _open_row(connection, alert_id, "acknowledge")
    if row.acknowledged is not None:
        return
    _write(connection, row, now_ms, acknowledged={"by": person.by, "at": alarms.iso(now_ms), "note": person.note})
    if row.kind != "anomaly":
        return
    stored = connection.scalar(sa.select(assets.c.state).where(assets.c.id == row.asset_id)) or {}
    state, transition = alarms.acknowledge(alarms.load(stored.get("alarm")), now_ms)
    connection.execute(
        sa.update(assets)
        .where(assets.c.id == row.asset_id)
        .values(state={**stored, "alarm": alarms.dump(state)}, revision=assets.c.revision + 1)
    )
    if transition is not None:
        alerts.clear(connection, row, now_ms, receivers)


def shelve(connection: sa.Connection, alert_id: int, seconds: float, now_ms: int) -> None:
    """Keeps it quiet for so long, and whatever of its kind comes back on the asset meanwhile."""
    row = _open_row(connection, alert_id, "shelve")
    _write(connection, row, now_ms, shelved_until_ms=now_ms + round(seconds * 1000))


def unshelve(connection: sa.Connection, alert_id: int, now_ms: int, receivers: Sequence[str]) -> None:
    """Ends a shelving; an alarm that stands and that nobody has acknowledged is told again."""
    row = row_of(connection, alert_id)
    if row.shelved_until_ms is None:
        return
    same = (table.c.asset_id == row.asset_id) & (table.c.kind == row.kind) & table.c.shelved_until_ms.is_not(None)
    for other in connection.execute(sa.select(table.c.id).where(same).order_by(table.c.id)).all():
        end_shelving(connection, alerts.find(connection, other.id), now_ms, receivers)


def end_shelving(connection: sa.Connection, row: Row | None, now_ms: int, receivers: Sequence[str]) -> None:
    """Takes one row out of shelving; an open, unacknowledged alarm is announced though it was before."""
    if row is None:
        return
    again = row.cleared_ms is None and row.acknowledged is None
    _write(connection, row, now_ms, shelved_until_ms=None, **({"notified": None} if again else {}))
    alerts.announce(connection, row.id, now_ms, receivers)


def give_feedback(connection: sa.Connection, alert_id: int, verdict: Verdict, person: Person, now_ms: int) -> None:
    """Says what it was, also after it has cleared; recalibration uses it, and the last word counts."""
    row = row_of(connection, alert_id)
    feedback = {"verdict": verdict, "by": person.by, "at": alarms.iso(now_ms), "note": person.note}
    _write(connection, row, now_ms, feedback=feedback)


def _open_row(connection: sa.Connection, alert_id: int, verb: str) -> Row:
    row = row_of(connection, alert_id)
    if row.cleared_ms is not None:
        raise AlertCleared(f"alert {alert_id} cleared at {alarms.iso(row.cleared_ms)}, there is nothing to {verb}")
    return row


def _write(connection: sa.Connection, row: Row, now_ms: int, **values: Any) -> None:
    connection.execute(sa.update(table).where(table.c.id == row.id).values(updated_ms=now_ms, **values))
    fresh = alerts.find(connection, row.id)
    assert fresh is not None
    state = alerts.shown(fresh, now_ms).state
    connection.execute(sa.update(table).where(table.c.id == row.id).values(state=state))

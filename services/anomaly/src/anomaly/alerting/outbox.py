"""The queue of notices on disk: one row for each notice and receiver, claimed by a lease."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from anomaly.alerting.alarms import iso
from anomaly.alerting.notices import Notice
from anomaly.storage.schema import deliveries

Status = Literal["pending", "delivered", "failed"]

LEASE_MS = 60_000  # longer than any attempt: a worker that died holds a notice no longer than this
MAX_ERROR_CHARS = 512


class Delivery(msgspec.Struct, frozen=True):
    """One notice on its way to one receiver."""

    id: int
    alert_id: int | None
    receiver: str
    notice: str  # firing, resolved or test
    status: Status
    attempts: int
    created_at: str
    next_attempt_at: str | None
    delivered_at: str | None
    last_error: str | None


@dataclass(frozen=True)
class Claim:
    """A notice that this process, and no other, sends until the lease ends."""

    id: int
    attempt: int  # from 1
    notice: Notice
    lease_until_ms: int


def enqueue(connection: sa.Connection, notice: Notice, receivers: Iterable[str], now_ms: int) -> list[int]:
    """Queues a notice for each receiver and returns the ids of the deliveries."""
    payload = msgspec.to_builtins(notice)
    common = {"alert_id": notice.alert_id, "payload": payload, "status": "pending", "attempts": 0}
    times = {"created_ms": now_ms, "next_attempt_ms": now_ms}
    return [
        _inserted(connection.execute(sa.insert(deliveries).values(receiver=name, **common, **times)))
        for name in receivers
    ]


def next_due_ms(connection: sa.Connection, receiver: str) -> int | None:
    """Returns when the receiver's earliest pending notice is due, or None where nothing waits."""
    next_ms, lease_ms = deliveries.c.next_attempt_ms, deliveries.c.lease_until_ms
    due = sa.case((lease_ms > next_ms, lease_ms), else_=next_ms)
    found = connection.scalar(sa.select(sa.func.min(due)).where(_pending(receiver), ~_overtakes()))
    return None if found is None else int(found)


def claim(connection: sa.Connection, receiver: str, now_ms: int, limit: int) -> list[Claim]:
    """Leases the due notices of a receiver; a resolve never overtakes the alarm that it ends."""
    due = (deliveries.c.next_attempt_ms <= now_ms) & _unleased(now_ms)
    rows = connection.execute(
        sa.select(deliveries.c.id, deliveries.c.attempts, deliveries.c.payload)
        .where(_pending(receiver), due, ~_overtakes())
        .order_by(deliveries.c.next_attempt_ms, deliveries.c.id)
        .limit(limit)
    ).all()
    lease = now_ms + LEASE_MS
    taken = [row for row in rows if _take(connection, row.id, due, lease)]
    return [claimed for row in taken if (claimed := _claimed(connection, row, lease)) is not None]


def delivered(connection: sa.Connection, claimed: Claim, now_ms: int) -> None:
    """Notes a success, also a late one whose lease has ended."""
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == claimed.id, deliveries.c.status != "delivered")
        .values(status="delivered", delivered_ms=now_ms, lease_until_ms=None, last_error=None)
    )


def failed(connection: sa.Connection, claimed: Claim, error: str, retry_ms: int | None) -> None:
    """Notes a failure: due again at `retry_ms`, or given up where that is None; nothing once another has the lease."""
    values: dict[str, Any] = {"lease_until_ms": None, "last_error": error[:MAX_ERROR_CHARS]}
    values |= {"status": "failed"} if retry_ms is None else {"next_attempt_ms": retry_ms}
    held = (deliveries.c.status == "pending") & (deliveries.c.lease_until_ms == claimed.lease_until_ms)
    connection.execute(sa.update(deliveries).where(deliveries.c.id == claimed.id, held).values(**values))


def retry(connection: sa.Connection, delivery_id: int, now_ms: int) -> None:
    """Makes an undelivered notice due at once with all its attempts; one that is being sent is left alone."""
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.status != "delivered", _unleased(now_ms))
        .values(status="pending", attempts=0, next_attempt_ms=now_ms, lease_until_ms=None)
    )


def give_up_on_strangers(connection: sa.Connection, receivers: Sequence[str]) -> int:
    """Fails what waits for receivers that the settings no longer name; returns how many."""
    result = connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.status == "pending", deliveries.c.receiver.not_in(receivers))
        .values(status="failed", lease_until_ms=None, last_error="the settings no longer name this receiver")
    )
    return result.rowcount


def find(connection: sa.Connection, delivery_id: int) -> Delivery | None:
    row = connection.execute(sa.select(deliveries).where(deliveries.c.id == delivery_id)).one_or_none()
    return None if row is None else _shown(row)


def page(connection: sa.Connection, status: Status | None, before: int | None, limit: int) -> list[Delivery]:
    """Returns deliveries, newest first, with ids under `before`."""
    query = sa.select(deliveries).order_by(deliveries.c.id.desc()).limit(limit)
    if status is not None:
        query = query.where(deliveries.c.status == status)
    if before is not None:
        query = query.where(deliveries.c.id < before)
    return [_shown(row) for row in connection.execute(query)]


def prune(connection: sa.Connection, before_ms: int, limit: int = 1000) -> int:
    """Deletes what ended before `before_ms`, at most `limit` rows; returns how many."""
    old = (
        sa.select(deliveries.c.id)
        .where(deliveries.c.status != "pending", deliveries.c.created_ms < before_ms)
        .order_by(deliveries.c.id)
        .limit(limit)
    )
    return connection.execute(sa.delete(deliveries).where(deliveries.c.id.in_(old))).rowcount


def _inserted(result: sa.CursorResult[Any]) -> int:
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def _pending(receiver: str) -> sa.ColumnElement[bool]:
    return sa.and_(deliveries.c.receiver == receiver, deliveries.c.status == "pending")


def _unleased(now_ms: int) -> sa.ColumnElement[bool]:
    return sa.or_(deliveries.c.lease_until_ms.is_(None), deliveries.c.lease_until_ms <= now_ms)


def _overtakes() -> sa.ColumnElement[bool]:
    older = deliveries.alias("older")
    same = (older.c.alert_id == deliveries.c.alert_id) & (older.c.receiver == deliveries.c.receiver)
    return sa.exists().where(same, older.c.status == "pending", older.c.id < deliveries.c.id)


def _take(connection: sa.Connection, delivery_id: int, due: sa.ColumnElement[bool], lease: int) -> bool:
    taken = connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.status == "pending", due)
        # counted before it is sent: a notice that ends the process is not sent forever
        .values(lease_until_ms=lease, attempts=deliveries.c.attempts + 1)
    )
    return taken.rowcount == 1


def _claimed(connection: sa.Connection, row: Any, lease: int) -> Claim | None:
    """Returns the claim, or None for a notice that another release wrote and this one cannot read: it is given up."""
    try:
        return Claim(row.id, row.attempts + 1, msgspec.convert(row.payload, Notice), lease)
    except msgspec.ValidationError as error:
        values = {"status": "failed", "lease_until_ms": None, "last_error": f"not readable: {error}"[:MAX_ERROR_CHARS]}
        connection.execute(sa.update(deliveries).where(deliveries.c.id == row.id).values(**values))
        return None


def _shown(row: sa.Row[Any]) -> Delivery:
    payload = row.payload
    return Delivery(
        id=row.id,
        alert_id=row.alert_id,
        receiver=row.receiver,
        notice="test" if payload.get("kind") == "test" else payload.get("status", "unknown"),
        status=row.status,
        attempts=row.attempts,
        created_at=iso(row.created_ms),
        next_attempt_at=iso(row.next_attempt_ms) if row.status == "pending" else None,
        delivered_at=None if row.delivered_ms is None else iso(row.delivered_ms),
        last_error=row.last_error,
    )

"""Alerts as rows: at most one open for each asset and kind, updated rather than repeated, and who has seen it.

Life cycle after ISA-18.2 / IEC 62682: active, acknowledged, shelved, cleared. What receivers were told last is part of
the row, so that each change of mind is told once: firing on opening, resolved on clearing, nothing while shelved.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec
import sqlalchemy as sa

from anomaly import postprocess
from anomaly.alerting import outbox
from anomaly.alerting.alarms import Kind, Transition, iso, iso_or_none
from anomaly.alerting.notices import Notice, new_id
from anomaly.storage.schema import alerts, assets

State = Literal["active", "acknowledged", "shelved", "cleared"]
Row = sa.Row[Any]

SEVERITIES = ("minor", "major", "critical")
MAX_COUNT = 2**31 - 1  # what the column holds; months of readings


class Asset(Protocol):
    """The part of an asset's row that alerts need."""

    @property
    def id(self) -> Any: ...

    @property
    def name(self) -> Any: ...


class Evidence(msgspec.Struct, frozen=True):
    """The reading behind a transition; for drift the score is the shift and the threshold what is tolerated."""

    score: float | None = None
    threshold: float | None = None
    version: int | None = None
    contributions: list[dict[str, Any]] | None = None


class Alert(msgspec.Struct, frozen=True):
    """An alert as the API shows it."""

    id: int
    asset: str
    kind: Kind
    state: State
    severity: Literal["minor", "major", "critical"]
    opened_at: str
    updated_at: str
    cleared_at: str | None
    count: int
    peak_score: float | None
    last_score: float | None
    threshold: float | None
    model_version: int | None
    contributions: list[dict[str, Any]] | None
    acknowledged: dict[str, Any] | None
    shelved_until: str | None
    feedback: dict[str, Any] | None


def apply(
    connection: sa.Connection,
    asset: Asset,
    transition: Transition,
    evidence: Evidence,
    now_ms: int,
    receivers: Sequence[str],
) -> None:
    """Writes what a reading did to an alert, and queues the notices, in the caller's transaction."""
    row = open_alert(connection, asset.id, transition.kind)
    if transition.event == "cleared":
        if row is not None:
            clear(connection, row, now_ms, receivers)
    elif row is None:  # also for an update, should the row be gone: the alarm stands, so the alert does
        _open(connection, asset, transition, evidence, now_ms, receivers)
    else:
        _update(connection, row, transition, evidence, now_ms)


def open_alert(connection: sa.Connection, asset_id: int, kind: Kind) -> Row | None:
    query = _select().where(alerts.c.asset_id == asset_id, alerts.c.kind == kind, alerts.c.cleared_ms.is_(None))
    return connection.execute(query).one_or_none()


def clear(connection: sa.Connection, row: Row, now_ms: int, receivers: Sequence[str]) -> None:
    """Closes an open alert and tells the receivers, unless it is shelved: then they hear when that ends."""
    _set(connection, row.id, state="cleared", cleared_ms=now_ms, updated_ms=now_ms)
    announce(connection, row.id, now_ms, receivers)


def resolve_all(connection: sa.Connection, asset: Asset, now_ms: int, receivers: Sequence[str]) -> None:
    """Closes every open alert of an asset that is about to be deleted, so that no receiver keeps one forever."""
    query = _select().where(alerts.c.asset_id == asset.id, alerts.c.cleared_ms.is_(None))
    for row in connection.execute(query).all():
        _set(connection, row.id, shelved_until_ms=None)
        clear(connection, row, now_ms, receivers)


def announce(connection: sa.Connection, alert_id: int, now_ms: int, receivers: Sequence[str]) -> None:
    """Queues a notice where what the receivers know differs from what is; the one place that decides it."""
    row = find(connection, alert_id)
    if row is None or is_shelved(row, now_ms):
        return
    firing = row.cleared_ms is None
    told = row.notified == "firing"
    if firing == told or (firing and row.acknowledged is not None):
        return
    status: Literal["firing", "resolved"] = "firing" if firing else "resolved"
    _set(connection, alert_id, notified=status)
    outbox.enqueue(connection, _notice(row, status), receivers, now_ms)


def find(connection: sa.Connection, alert_id: int) -> Row | None:
    """Returns the alert's row with its asset's name."""
    return connection.execute(_select().where(alerts.c.id == alert_id)).one_or_none()


def page(
    connection: sa.Connection,
    state: Literal["open", "cleared", "all"],
    asset: str | None,
    kind: Kind | None,
    before: int | None,
    limit: int,
) -> list[Row]:
    """Returns alerts, newest first, with ids under `before`."""
    query = _select().order_by(alerts.c.id.desc()).limit(limit)
    if state != "all":
        query = query.where(alerts.c.cleared_ms.is_(None) if state == "open" else alerts.c.cleared_ms.is_not(None))
    if asset is not None:
        query = query.where(assets.c.name == asset)
    if kind is not None:
        query = query.where(alerts.c.kind == kind)
    if before is not None:
        query = query.where(alerts.c.id < before)
    return list(connection.execute(query))


def is_shelved(row: Row, now_ms: int) -> bool:
    return row.shelved_until_ms is not None and row.shelved_until_ms > now_ms


def shown(row: Row, now_ms: int) -> Alert:
    """Returns the alert as the API shows it; a shelving that has just ended is over at once."""
    return Alert(
        id=row.id,
        asset=row.asset,
        kind=row.kind,
        state=_state(row, now_ms),
        severity=row.severity,
        opened_at=iso(row.opened_ms),
        updated_at=iso(row.updated_ms),
        cleared_at=iso_or_none(row.cleared_ms),
        count=row.exceedances,
        peak_score=row.peak_score,
        last_score=row.last_score,
        threshold=row.threshold,
        model_version=row.version,
        contributions=row.contributions,
        acknowledged=row.acknowledged,
        shelved_until=iso_or_none(row.shelved_until_ms) if is_shelved(row, now_ms) else None,
        feedback=row.feedback,
    )


def _open(
    connection: sa.Connection,
    asset: Asset,
    transition: Transition,
    evidence: Evidence,
    now_ms: int,
    receivers: Sequence[str],
) -> None:
    # Shelving is about the alarm, not about one occurrence: what comes back meanwhile is shelved as well.
    shelved = connection.scalar(
        sa.select(sa.func.max(alerts.c.shelved_until_ms)).where(
            alerts.c.asset_id == asset.id, alerts.c.kind == transition.kind, alerts.c.shelved_until_ms > now_ms
        )
    )
    result = connection.execute(
        sa.insert(alerts).values(
            asset_id=asset.id,
            kind=transition.kind,
            state="active" if shelved is None else "shelved",
            severity=_severity(transition.kind, evidence),
            opened_ms=now_ms,
            updated_ms=now_ms,
            first_reading_ms=transition.first_ms,
            last_reading_ms=transition.at_ms,
            count=transition.exceedances,
            peak_score=evidence.score,
            last_score=evidence.score,
            threshold=evidence.threshold,
            version=evidence.version,
            contributions=evidence.contributions,
            shelved_until_ms=shelved,
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    announce(connection, int(key[0]), now_ms, receivers)


def _update(connection: sa.Connection, row: Row, transition: Transition, evidence: Evidence, now_ms: int) -> None:
    values: dict[str, Any] = {"updated_ms": now_ms, "last_score": evidence.score, "version": evidence.version}
    values["threshold"] = evidence.threshold
    if transition.exceedances:
        values["last_reading_ms"] = transition.at_ms
        values["count"] = min(row.exceedances + transition.exceedances, MAX_COUNT)
    if evidence.score is not None and (row.peak_score is None or evidence.score > row.peak_score):
        values["peak_score"] = evidence.score
        values["contributions"] = evidence.contributions
    severity = _severity(transition.kind, evidence)
    if SEVERITIES.index(severity) > SEVERITIES.index(row.severity):
        values["severity"] = severity
    _set(connection, row.id, **values)


def _severity(kind: Kind, evidence: Evidence) -> str:
    if kind == "silent":
        return "major"
    if evidence.score is None or evidence.threshold is None:
        return "minor"
    if kind != "anomaly":  # drift needs a person this week, not this minute
        return "minor" if abs(evidence.score) <= 4 * evidence.threshold else "major"
    severity = postprocess.severity(evidence.score, evidence.threshold)
    return "minor" if severity == "none" else severity  # smoothing may raise on a score that is under it again


def _state(row: Row, now_ms: int) -> State:
    if row.cleared_ms is not None:
        return "cleared"
    if is_shelved(row, now_ms):
        return "shelved"
    return "active" if row.acknowledged is None else "acknowledged"


def _notice(row: Row, status: Literal["firing", "resolved"]) -> Notice:
    return Notice(
        id=new_id(),
        status=status,
        asset=row.asset,
        kind=row.kind,
        severity=row.severity,
        opened_ms=row.opened_ms,
        alert_id=row.id,
        cleared_ms=row.cleared_ms,
        score=row.last_score,
        peak_score=row.peak_score,
        threshold=row.threshold,
        count=row.exceedances,
        model_version=row.version,
        contributions=row.contributions,
    )


def _select() -> sa.Select[Any]:
    # A row's own `count` is a method of tuples.
    columns = [column.label("exceedances") if column.name == "count" else column for column in alerts.c]
    return sa.select(*columns, assets.c.name.label("asset")).join(assets, assets.c.id == alerts.c.asset_id)


def _set(connection: sa.Connection, alert_id: int, **values: Any) -> None:
    connection.execute(sa.update(alerts).where(alerts.c.id == alert_id).values(**values))

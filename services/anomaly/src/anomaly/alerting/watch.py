"""Looks every few seconds for what no reading tells: assets gone silent, shelvings that have ended, rows too old."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from servicekit.database.store import Store
from servicekit.problems import Problem

from anomaly.alerting import alerts, operators, outbox
from anomaly.alerting.alarms import Transition
from anomaly.alerting.delivery import Delivery
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from anomaly.storage.schema import alerts as table
from anomaly.storage.schema import assets, deliveries

logger = logging.getLogger(__name__)

INTERVAL_S = 5.0
PRUNE_EVERY = 120  # rounds: ten minutes
DELIVERIES_KEPT_MS = 30 * 86_400_000
MAX_ROWS = 1000  # a round does not hold the ledger for longer


class Settings(Protocol):
    """The part of the service's settings that the watch needs."""

    history_max_age_days: float


class Watch:
    """The periodic check; `open_alerts` and `queue_length` are what its last round counted."""

    def __init__(self, store: Store, ledger: Ledger, settings: Settings, delivery: Delivery) -> None:
        self.open_alerts: Counter[str] = Counter()
        self.queue_length = 0
        self._store = store
        self._ledger = ledger
        self._alerts_kept_ms = round(settings.history_max_age_days * 86_400_000)
        self._delivery = delivery

    async def run(self) -> None:
        """Checks until cancelled; a database that is away costs a round."""
        rounds = 0
        while True:
            try:
                await self.check(prune=rounds % PRUNE_EVERY == 0)
            except (Problem, sa.exc.SQLAlchemyError) as error:
                fields = {"error": type(error).__name__}
                logger.warning("a check for silent assets was not possible", extra={"fields": fields})
            rounds += 1
            await asyncio.sleep(INTERVAL_S)

    async def check(self, *, prune: bool = False) -> None:
        """Makes one round; it writes only where there is something to change."""
        names = await self._store.read(lambda connection: concerned(connection, self._ledger.clock()))
        if names or prune:
            await self._ledger.write(lambda connection: self._change(connection, prune=prune), assets=names)
            self._delivery.wake()
        await self._store.read(self._count)

    def _change(self, connection: sa.Connection, *, prune: bool) -> Reply:
        now_ms, names = self._ledger.clock(), self._delivery.names
        open_silences(connection, now_ms, names)
        clear_silences(connection, now_ms, names)
        end_shelvings(connection, now_ms, names)
        if prune:
            outbox.prune(connection, now_ms - DELIVERIES_KEPT_MS)
            _prune_alerts(connection, now_ms - self._alerts_kept_ms)
        return Reply(204)

    def _count(self, connection: sa.Connection) -> None:
        count = sa.func.count().label("alerts")
        open_ = sa.select(table.c.kind, count).where(table.c.cleared_ms.is_(None)).group_by(table.c.kind)
        self.open_alerts = Counter({row.kind: row.alerts for row in connection.execute(open_)})
        waiting = sa.select(sa.func.count()).select_from(deliveries).where(deliveries.c.status == "pending")
        self.queue_length = connection.scalar(waiting) or 0


def concerned(connection: sa.Connection, now_ms: int) -> list[str]:
    """Returns the names of the assets of which a round would change an alert."""
    queries = (_silent(now_ms), _heard_again(now_ms), _shelved_until(now_ms))
    return sorted({row.name for query in queries for row in connection.execute(query)})


def open_silences(connection: sa.Connection, now_ms: int, names: Sequence[str]) -> None:
    """Opens an alert for each asset without a reading for longer than its own `silence_s`."""
    for row in connection.execute(_silent(now_ms)).all():
        transition = Transition("silent", "opened", now_ms, row.heard_ms, 0)
        quiet_s = (now_ms - row.heard_ms) / 1000
        alerts.apply(connection, row, transition, alerts.Evidence(quiet_s, row.silence_s), now_ms, names)


def clear_silences(connection: sa.Connection, now_ms: int, names: Sequence[str]) -> None:
    """Clears the silence of assets that are heard again, or that nobody listens for any more."""
    for row in connection.execute(_heard_again(now_ms)).all():
        transition = Transition("silent", "cleared", now_ms, now_ms)
        alerts.apply(connection, row, transition, alerts.Evidence(), now_ms, names)


def end_shelvings(connection: sa.Connection, now_ms: int, names: Sequence[str]) -> None:
    """Ends the shelvings whose time is over."""
    for row in connection.execute(_shelved_until(now_ms)).all():
        operators.end_shelving(connection, alerts.find(connection, row.alert_id), now_ms, names)


def _silent(now_ms: int) -> sa.Select[Any]:
    heard, silence_s, watched = _listening()
    quiet = watched & (heard + silence_s * 1000 < now_ms) & ~_open_silence()
    columns = (assets.c.id, assets.c.name, heard.label("heard_ms"), silence_s.label("silence_s"))
    return sa.select(*columns).where(quiet).limit(MAX_ROWS)


def _heard_again(now_ms: int) -> sa.Select[Any]:
    heard, silence_s, watched = _listening()
    over = sa.not_(watched) | (heard + silence_s * 1000 >= now_ms)
    silence = (table.c.asset_id == assets.c.id) & (table.c.kind == "silent") & table.c.cleared_ms.is_(None)
    return sa.select(assets.c.id, assets.c.name).join(table, silence).where(over).limit(MAX_ROWS)


def _shelved_until(now_ms: int) -> sa.Select[Any]:
    return (
        sa.select(table.c.id.label("alert_id"), assets.c.name)
        .join(assets, assets.c.id == table.c.asset_id)
        .where(table.c.shelved_until_ms <= now_ms)
        .limit(MAX_ROWS)
    )


def _listening() -> tuple[sa.ColumnElement[int], sa.ColumnElement[float], sa.ColumnElement[bool]]:
    """Returns when an asset was last heard of (its making, at first), its silence_s, and whether both count."""
    alarm = assets.c.settings["alarm"]
    silence_s = alarm["silence_s"].as_float()
    enabled = sa.func.coalesce(alarm["enabled"].as_boolean(), sa.true())
    heard = sa.func.coalesce(assets.c.newest_ms, assets.c.created_ms)
    return heard, silence_s, sa.and_(silence_s.is_not(None), enabled)


def _open_silence() -> sa.ColumnElement[bool]:
    mine = (table.c.asset_id == assets.c.id) & (table.c.kind == "silent") & table.c.cleared_ms.is_(None)
    return sa.exists().where(mine)


def _prune_alerts(connection: sa.Connection, before_ms: int) -> None:
    old = sa.select(table.c.id).where(table.c.cleared_ms < before_ms).order_by(table.c.id).limit(MAX_ROWS)
    connection.execute(sa.delete(table).where(table.c.id.in_(old)))

"""Looks at the assets that want online adaptation, and gives each that has enough new normal readings its next step."""

import asyncio
import logging
from functools import partial
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from servicekit.database.store import Store
from servicekit.problems import Problem
from servicekit.threads import Pool

from anomaly.lifecycle import adaptation, recent
from anomaly.lifecycle.adaptation import AdaptationSettings
from anomaly.lifecycle.recalibration import store_version
from anomaly.lifecycle.recent import Recent
from anomaly.lifecycle.registry import Active, Registry
from anomaly.model import Model
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply

logger = logging.getLogger(__name__)

POLL_S = 10.0
BY = "adaptation"
DISTURBING = ("anomaly", "input_drift", "score_drift")


class Stretch(NamedTuple):
    """An asset's readings since anything disturbed it."""

    name: str
    settings: AdaptationSettings
    active: Active
    recent: Recent
    newest_received_ms: int


class Adapter:
    """Runs beside ingest, which knows nothing of it; several replicas may run one, the first to write wins."""

    def __init__(self, store: Store, ledger: Ledger, registry: Registry, pool: Pool, poll_s: float = POLL_S) -> None:
        self._store = store
        self._ledger = ledger
        self._registry = registry
        self._pool = pool
        self._poll_s = poll_s
        self._looked_ms: dict[str, int] = {}  # readings up to then needed no step

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                await self.look()
            except Problem as problem:  # the database is away
                logger.warning("adaptation waits: %s", problem.detail)

    async def look(self) -> None:
        """Makes the steps that are due."""
        for name in await self._store.read(_wanting):
            stretch = await self._store.read(partial(self._gather, name=name))
            if stretch:
                await self._adapt(stretch)

    async def _adapt(self, stretch: Stretch) -> None:
        model = await self._pool.run(adaptation.step, stretch.active.model, stretch.recent, stretch.settings)
        if model is None:
            self._looked_ms[stretch.name] = stretch.newest_received_ms
            return
        try:
            await self._ledger.write(
                lambda connection: self._store_step(connection, stretch, model), assets=(stretch.name,)
            )
        except Problem as problem:
            if problem.status >= 500:
                raise
            logger.warning("the asset %s was not adapted: %s", stretch.name, problem.detail)

    def _gather(self, connection: sa.Connection, name: str) -> Stretch | None:
        """Returns what the next step is made from, or None where it is not due, or an alarm or a drift is open."""
        table = schema.assets
        asset = connection.execute(sa.select(table).where(table.c.name == name)).first()
        if asset is None or asset.active_version is None or _is_disturbed(connection, asset.id):
            return None
        settings = msgspec.convert(asset.settings["adaptation"], AdaptationSettings)
        since_ms = max(_quiet_since_ms(connection, asset.id), self._looked_ms.get(name, 0))
        newest_ms = _due_at_ms(connection, asset.id, since_ms, settings.interval_rows)
        if newest_ms is None:
            return None
        active = self._registry.active(connection, name)
        readings = recent.read(connection, asset, active.model, 2 * settings.interval_rows, since_ms)
        return Stretch(name, settings, active, readings, newest_ms)

    def _store_step(self, connection: sa.Connection, stretch: Stretch, model: Model) -> Reply:
        asset = connection.execute(sa.select(schema.assets.c.id).where(schema.assets.c.name == stretch.name)).first()
        if asset is None or _is_disturbed(connection, asset.id):  # meanwhile
            return Reply(204)
        now_ms = self._ledger.clock()
        active, name = stretch.active, stretch.name
        store_version(self._registry, connection, name, model.dump(), "adapted", active.version, now_ms, BY)
        return Reply(204, after=self._registry.change(connection, name))


def _wanting(connection: sa.Connection) -> list[str]:
    table = schema.assets
    enabled = table.c.settings[("adaptation", "enabled")].as_boolean()
    return list(connection.scalars(sa.select(table.c.name).where(enabled, table.c.name.not_like(".%"))))


def _is_disturbed(connection: sa.Connection, asset_id: int) -> bool:
    table = schema.alerts
    disturbing = (table.c.asset_id == asset_id) & table.c.kind.in_(DISTURBING) & table.c.cleared_ms.is_(None)
    return connection.execute(sa.select(table.c.id).where(disturbing).limit(1)).first() is not None


def _quiet_since_ms(connection: sa.Connection, asset_id: int) -> int:
    """Returns when the last alarm or drift was cleared, or a version activated or rolled back."""
    alerts, activations = schema.alerts, schema.activations
    disturbing = (alerts.c.asset_id == asset_id) & alerts.c.kind.in_(DISTURBING)
    cleared = connection.scalar(sa.select(sa.func.max(alerts.c.cleared_ms)).where(disturbing))
    columns = (sa.func.max(activations.c.at_ms), sa.func.max(activations.c.undone_ms))
    changed = connection.execute(sa.select(*columns).where(activations.c.asset_id == asset_id)).one()
    return max(cleared or 0, changed[0] or 0, changed[1] or 0)


def _due_at_ms(connection: sa.Connection, asset_id: int, since_ms: int, interval_rows: int) -> int | None:
    """Returns when the newest reading came, if `interval_rows` normal ones came after `since_ms`."""
    table = schema.readings
    normal = (table.c.asset_id == asset_id) & (table.c.status == "normal") & (table.c.fate == "live")
    newest = sa.select(table.c.received_ms).where(normal).order_by(table.c.at_ms.desc()).limit(interval_rows)
    received = connection.scalars(newest).all()
    if len(received) < interval_rows or min(received) <= since_ms:
        return None
    return int(max(received))

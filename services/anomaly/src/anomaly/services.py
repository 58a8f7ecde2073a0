"""What the routes work with, opened and closed together."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import numpy as np
from servicekit.database.problems import StorageUnavailable
from servicekit.database.store import Store
from servicekit.threads import Pool

from anomaly.alerting.delivery import Delivery
from anomaly.alerting.watch import Watch
from anomaly.ingestion.hub import Hub
from anomaly.ingestion.ingest import Ingest
from anomaly.ingestion.retention import Retention
from anomaly.lifecycle.adapter import Adapter
from anomaly.lifecycle.jobs import Jobs
from anomaly.lifecycle.registry import Registry
from anomaly.problems import ModelDamaged, NoModel
from anomaly.settings import Settings
from anomaly.storage import migrate
from anomaly.storage.ledger import Ledger

logger = logging.getLogger(__name__)

FIRST_TRY_S = 4.0  # then the start goes on, not ready, while a migration runs or the database is waited for
RETRY_S = 2.0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Services:
    """The service's parts; raises ValueError for a setting that only its part can judge."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ended: list[str] = []  # workers that should still run
        self.pool = Pool("scoring")
        self.store = Store(settings.database_url, "lineside-anomaly")
        self.ledger = Ledger(self.store, now_ms, settings.max_queue)
        self.registry = Registry(self.store, self.ledger, max_versions=settings.max_versions, file=settings.model_file)
        self.hub = Hub()
        self.delivery = Delivery(self.store, self.ledger, settings)
        self.ingest = Ingest(
            self.ledger, self.registry, settings, self.delivery.names, self.hub.publish, self.delivery.wake
        )
        self.jobs = Jobs(self.store, self.ledger, self.registry, settings)
        self.watch = Watch(self.store, self.ledger, settings, self.delivery)
        self.workers = (
            self.delivery,
            self.watch,
            Retention(self.store, self.ledger, settings),
            Adapter(self.store, self.ledger, self.registry, self.pool),
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Opens everything; a database that is away is waited for in the background, not ready until then."""
        parts = AsyncExitStack()
        opening = asyncio.create_task(self._open_when_there(parts))
        try:
            await asyncio.wait((opening,), timeout=FIRST_TRY_S)
            if opening.done():
                opening.result()
            yield
        finally:
            await _cancel(opening)
            await parts.aclose()
            self.pool.close()
            self.store.close()

    async def _open_when_there(self, parts: AsyncExitStack) -> None:
        while True:
            try:
                await asyncio.to_thread(migrate.ensure, self.settings.database_url)
                return await self._open(parts)
            except StorageUnavailable as problem:
                logger.warning("the database is waited for: %s", problem.detail)
                self.registry.failure = problem
            except migrate.MigrationError as error:
                self.registry.failure = NoModel(str(error))
                raise
            await asyncio.sleep(RETRY_S)

    async def _open(self, parts: AsyncExitStack) -> None:
        self.ledger.start()
        parts.callback(self.ledger.stop)
        for part in (self.registry, self.jobs):
            await part.open()
            parts.push_async_callback(part.close)
        for worker in self.workers:
            task = asyncio.create_task(worker.run(), name=type(worker).__name__)
            task.add_done_callback(self._note_end)
            parts.push_async_callback(_cancel, task)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        """Health tells of a worker that failed from then on: its work is not done any more."""
        if not task.cancelled() and task.exception():
            logger.error("a worker ended", exc_info=task.exception(), extra={"fields": {"worker": task.get_name()}})
            self.ended.append(task.get_name())

    def probe(self) -> None:
        """Scores one row with the model that answers `POST /`; raises the Problem that says why it cannot."""
        model = self.registry.require_default().model
        if not np.isfinite(model.score_window(np.tile(model.preparation.scaler.center, (model.window, 1)))):
            raise ModelDamaged("the model does not score its own centre")

    def details(self) -> dict[str, Any]:
        """Returns what `/health` tells of this service."""
        active = self.registry.default
        settings = self.settings
        limits = ("max_body_bytes", "max_batch_bytes", "max_rows", "max_train_bytes", "max_assets", "max_queue")
        return {
            "model": active.model.kind if active else None,
            "model_version": active.version if active else None,
            "sha256": active.sha256 if active else None,
            "provider": "numpy",
            "database": self.store.engine.dialect.name,
            "queue_depth": self.ledger.depth,
            "limits": {name: getattr(settings, name) for name in limits},
            "degraded": self._degraded(),
        }

    def _degraded(self) -> list[str]:
        reasons = [f"{name} has ended, the log tells why" for name in self.ended]
        if self.registry.failure:
            reasons.append(self.registry.failure.detail)
        return reasons


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))

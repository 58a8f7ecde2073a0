"""Runs training jobs, `train_workers` at a time, each in a child process, and keeps the database told."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from servicekit.database.store import Store
from servicekit.problems import Problem

from anomaly.lifecycle import child, leases
from anomaly.lifecycle.leases import Lease, LeaseLostError
from anomaly.lifecycle.registry import Registry
from anomaly.lifecycle.versions import activate, add_version, ensure_asset
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply

logger = logging.getLogger(__name__)

T = TypeVar("T")

POLL_S = 2.0  # how soon another replica's job, or a crashed one's, is noticed
REPORT_S = 1.0  # how often progress is written
RENEW_S = 5.0  # how often a lease is renewed without progress
RETRY_S = 2.0
CHECK_TIMEOUT_S = 120.0
LOST = Reply(410)


class TrainingSettings(Protocol):
    """What training takes from the service's settings."""

    max_assets: int
    max_train_bytes: int
    train_memory_mb: int
    train_timeout_s: float
    train_workers: int


class Jobs:
    """Checks tables before they are accepted, and works off the queue."""

    def __init__(self, store: Store, ledger: Ledger, registry: Registry, settings: TrainingSettings) -> None:
        self.store = store
        self.registry = registry
        self.settings = settings
        self._ledger = ledger
        self._changed = asyncio.Event()
        self._checking = asyncio.Semaphore(1)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._workers: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        count = self.settings.train_workers
        self._workers = [asyncio.create_task(self._work(), name=f"trainer-{n}") for n in range(count)]

    async def close(self) -> None:
        """Gives what runs back to the queue, where the next start finds it; the ledger must still be open."""
        tasks = [*self._workers, *self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """Tells the workers that a job was queued."""
        self._changed.set()

    def stop(self, job_id: str) -> None:
        """Ends the child of a job that was cancelled; another replica notices when it next reports."""
        if job_id in self._running:
            self._running[job_id].cancel()

    async def check(self, deflated: bytes, parameters: dict[str, Any]) -> None:
        """Has a child read the whole table; raises TableInvalid or TrainingImpossible."""
        async with self._checking:
            await child.check(self.order("check", parameters), deflated, CHECK_TIMEOUT_S)

    def order(self, task: str, parameters: dict[str, Any]) -> child.Order:
        limits = self.settings.max_train_bytes, self.settings.train_memory_mb << 20
        said = parameters.get("ranges", []), parameters.get("units", [])  # a job of an older version has none
        return child.Order(task, parameters["options"], parameters.get("sensors", []), *limits, *said)

    def now_ms(self) -> int:
        return self._ledger.clock()

    async def change(self, change: Callable[[sa.Connection], T], asset: str | None = None) -> T:
        """Makes a change, shows it where it was to `asset`, and returns its result; raises LeaseLostError."""
        results: list[T] = []

        def operation(connection: sa.Connection) -> Reply:
            try:
                results.append(change(connection))
            except LeaseLostError:  # always from the first statement: nothing has changed
                return LOST
            return Reply(204, after=self.registry.change(connection, asset) if asset else None)

        if (await self._ledger.write(operation, assets=(asset,) if asset else ())) is LOST:
            raise LeaseLostError
        return results[-1]

    async def _work(self) -> None:
        while True:
            self._changed.clear()
            try:
                lease = await self._next()
            except Problem as problem:  # the database is away
                logger.warning("no job can be taken: %s", problem.detail)
                lease = None
            if lease:
                await self._run(lease)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), POLL_S)

    async def _next(self) -> Lease | None:
        now_ms = self.now_ms()
        job_id = await self.store.read(lambda connection: leases.waiting(connection, now_ms))
        if job_id is None:
            return None
        return await self.change(lambda connection: leases.claim(connection, job_id, now_ms))

    async def _run(self, lease: Lease) -> None:
        """Runs one job to its end in a task of its own, which `stop` can cancel without ending the worker."""
        task = asyncio.create_task(_Run(self, lease).run(), name=f"training-{lease.job_id}")
        self._running[lease.job_id] = task
        try:
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()):
                logger.error("the job %s failed", lease.job_id, exc_info=error)
        finally:
            task.cancel()
            del self._running[lease.job_id]


class _Run:
    """One job under one lease."""

    def __init__(self, jobs: Jobs, lease: Lease) -> None:
        self._jobs = jobs
        self._lease = lease
        self._renewed = time.monotonic()
        self._said = (0.0, "")
        self._written = self._said
        self._asset = ""
        self._parameters: dict[str, Any] = {}

    async def run(self) -> None:
        training = asyncio.create_task(self._train())
        try:
            while not training.done():
                await asyncio.wait([training], timeout=REPORT_S)
                await self._report()
            await self._end(training)
        except LeaseLostError:
            logger.warning("the job %s was cancelled or is run elsewhere", self._lease.job_id)
        except asyncio.CancelledError:
            await _stopped(training)
            with contextlib.suppress(LeaseLostError, Problem):  # cancelled by a client; or its lease will lapse
                await self._jobs.change(lambda connection: leases.release(connection, self._lease))
            raise
        finally:
            await _stopped(training)

    async def _train(self) -> tuple[bytes, dict[str, Any]]:
        jobs = self._jobs
        read = await jobs.store.read(lambda connection: leases.read_input(connection, self._lease.job_id))
        self._asset, self._parameters, data = read
        order = jobs.order("train", self._parameters)
        return await child.train(order, data, jobs.settings.train_timeout_s, self._note)

    def _note(self, progress: float, message: str) -> None:
        self._said = (progress, message)

    async def _report(self) -> None:
        """Renews the lease when it is time or there is something to tell; raises LeaseLostError."""
        if self._said == self._written and time.monotonic() - self._renewed < RENEW_S:
            return
        said, now_ms = self._said, self._jobs.now_ms()
        try:
            self._lease = await self._jobs.change(
                lambda connection: leases.renew(connection, self._lease, *said, now_ms)
            )
        except Problem as problem:  # the database is away: training goes on while it may
            logger.warning("the job %s cannot report: %s", self._lease.job_id, problem.detail)
            return
        self._written, self._renewed = said, time.monotonic()

    async def _end(self, training: "asyncio.Task[tuple[bytes, dict[str, Any]]]") -> None:
        """Stores the version and the end of the job in one transaction, or else the reason why there is none."""
        try:
            file, report = training.result()
            await self._insist(lambda connection: self._store(connection, file, report), self._asset)
        except Problem as problem:
            reason = problem
        else:
            return
        await self._insist(lambda connection: leases.fail(connection, self._lease, reason, self._jobs.now_ms()))

    def _store(self, connection: sa.Connection, file: bytes, report: dict[str, Any]) -> None:
        registry, asset, now_ms = self._jobs.registry, self._asset, self._jobs.now_ms()
        lease = leases.renew(connection, self._lease, 1.0, "storing the version", now_ms)
        ensure_asset(connection, asset, now_ms, self._jobs.settings.max_assets)
        number = add_version(connection, asset, file, "trained", None, now_ms, registry.max_versions)
        if self._parameters["activate"]:
            activate(connection, asset, number, self._parameters["by"], now_ms)
        result = {"version": number, "activated": self._parameters["activate"], "report": report}
        leases.succeed(connection, lease, result, now_ms)

    async def _insist(self, change: Callable[[sa.Connection], None], asset: str | None = None) -> None:
        """Repeats a change while the database is away or full; the lease keeps it from being made twice."""
        while True:
            try:
                return await self._jobs.change(change, asset)
            except Problem as problem:
                if problem.status < 500:
                    raise
                logger.warning("the end of the job %s cannot be stored: %s", self._lease.job_id, problem.detail)
            await asyncio.sleep(RETRY_S)


async def _stopped(task: "asyncio.Task[Any]") -> None:
    """Waits until the task, and with it the child process, has ended."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

"""Long batches as jobs, kept in the database: worked off one at a time; another replica goes on after a crash."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Any

from servicekit.problems import InternalError, Problem

from cars import answers
from cars.archive import FileRecord
from cars.archive.jobs import Ending, JobLease, JobRecord, Jobs
from cars.runner import Runner

logger = logging.getLogger(__name__)

KIND = "inference"
OK = 200
POLL_S = 2.0  # how soon another replica's job, or a crashed one's, is noticed
REPORT_S = 1.0  # how often progress is written
RENEW_S = 5.0  # how often a lease is renewed without progress
RETRY_S = 2.0

Item = dict[str, Any]


class Batches:
    """The jobs of this service, and the worker that runs them."""

    def __init__(self, jobs: Jobs, runner: Runner) -> None:
        self.jobs = jobs
        self.runner = runner
        self._changed = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}

    async def submit(self, image_ids: Sequence[int], *, force: bool, owner: str) -> JobRecord:
        """Queues a batch; raises Overloaded while too many wait."""
        job = await self.jobs.submit(KIND, {"image_ids": list(image_ids), "force": force}, owner)
        self._changed.set()
        return job

    async def cancel(self, job_id: str) -> JobRecord:
        """Ends a job that waits or runs; raises UnknownJob and JobFinished."""
        job = await self.jobs.cancel(job_id)
        if task := self._running.get(job_id):
            task.cancel()
        return job

    async def run(self) -> None:
        """Works off the queue until it is cancelled."""
        while True:
            self._changed.clear()
            if lease := await self._next():
                await self._work(lease)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), POLL_S)

    async def _next(self) -> JobLease | None:
        try:
            return await self.jobs.claim()
        except Problem as problem:  # the database is away
            logger.warning("no job can be taken: %s", problem.detail)
            return None

    async def _work(self, lease: JobLease) -> None:
        """Runs one job in a task of its own, which `cancel` can end without ending the worker."""
        task = asyncio.create_task(_Run(self.jobs, self.runner, lease).run(), name=f"job-{lease.job.id}")
        self._running[lease.job.id] = task
        try:
            await asyncio.wait((task,))
            if not task.cancelled() and (error := task.exception()):
                logger.error("the job %s failed", lease.job.id, exc_info=error)
        finally:
            del self._running[lease.job.id]
            task.cancel()
            await asyncio.wait((task,))


class _Run:
    """One job under one lease; what an earlier run had done is not done again."""

    def __init__(self, jobs: Jobs, runner: Runner, lease: JobLease) -> None:
        self.jobs = jobs
        self.runner = runner
        self.lease = lease
        self.ids: list[int] = lease.job.parameters["image_ids"]
        self.items: list[Item] = list((lease.job.result or {}).get("items", ()))
        self.written = len(self.items), time.monotonic()  # items, at

    async def run(self) -> None:
        working = asyncio.create_task(self._infer())
        try:
            while not working.done():
                await asyncio.wait((working,), timeout=REPORT_S)
                if not await self._report():
                    return
            await self._end(working)
        except asyncio.CancelledError:
            with contextlib.suppress(Problem):  # its lease will lapse
                await self.jobs.renew(self.lease, self.progress, self.result)
                await self.jobs.release(self.lease)
            raise
        finally:
            working.cancel()
            await asyncio.wait((working,))

    @property
    def progress(self) -> float:
        return len(self.items) / len(self.ids)

    @property
    def result(self) -> dict[str, Any]:
        return {"items": self.items}

    async def _infer(self) -> None:
        done = {item["id"] for item in self.items}
        left = [image_id for image_id in self.ids if image_id not in done]
        force = self.lease.job.parameters["force"]
        async with contextlib.aclosing(self.runner.infer_each(left, force=force)) as outcomes:
            async for image_id, outcome in outcomes:
                self.items.append(item(image_id, outcome))

    async def _report(self) -> bool:
        """Renews the lease when it is time or there is progress; False where it is lost."""
        items, at = self.written
        if len(self.items) == items and time.monotonic() - at < RENEW_S:
            return True
        count = len(self.items)
        try:
            kept = await self.jobs.renew(self.lease, self.progress, self.result)
        except Problem as problem:  # the database is away: the work goes on while it may
            logger.warning("the job %s cannot report: %s", self.lease.job.id, problem.detail)
            return True
        self.written = count, time.monotonic()
        return kept

    async def _end(self, working: "asyncio.Task[None]") -> None:
        """Writes the end down, however long that takes: the lease keeps it from being written twice."""
        error = working.exception()
        if error:
            logger.error("the job %s failed", self.lease.job.id, exc_info=error)
        problem = InternalError("the job failed; the service's log tells why").document(None) if error else None
        status: Ending = "failed" if error else "succeeded"
        while True:
            try:
                await self.jobs.end(self.lease, status, self.result, problem)
                return
            except Problem as away:
                logger.warning("the end of the job %s cannot be stored: %s", self.lease.job.id, away.detail)
            await asyncio.sleep(RETRY_S)


def item(image_id: int, outcome: FileRecord | Problem) -> Item:
    """Returns a JobItem: what became of one picture."""
    if isinstance(outcome, Problem):
        return {"id": image_id, "status": outcome.status, "error": answers.problem(outcome)}
    return {"id": image_id, "status": OK}

"""Works off the queue, `jobs_at_once` jobs at a time, and keeps the store told page by page."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from pathlib import Path
from typing import Any, Protocol

from servicekit.problems import InternalError, Problem, UploadStorageFull
from servicekit.threads import Pool, effective_cpus

from ocr import pictures
from ocr.jobs.record import Record
from ocr.jobs.spans import written
from ocr.jobs.store import JobGone, Store
from ocr.options import Options
from ocr.reader import DocumentRequest
from ocr.results import PageResult
from ocr.settings import Settings

logger = logging.getLogger(__name__)

RETRY_S = 5.0  # until what could not be read or stored for now is tried again
FOR_NOW = 503


class Reads(Protocol):
    """What the runner takes of a Reader."""

    def frames(self, data: Path, options: Options) -> AsyncGenerator[PageResult, None]: ...

    def read_document(
        self, path: Path, request: DocumentRequest
    ) -> AbstractAsyncContextManager[tuple[list[int], AsyncIterator[PageResult]]]: ...


class Runner:
    """`finish` is called for a job whose pages are read, before its password is wiped; `disk` runs what blocks."""

    def __init__(
        self, settings: Settings, store: Store, reader: Reads, disk: Pool, finish: Callable[[Record], Awaitable[None]]
    ) -> None:
        self.settings = settings
        self.store = store
        self.reader = reader
        self.abreast = max(1, effective_cpus() // 2)
        self._limits = pictures.limits_of(settings)
        self._disk = disk
        self._finish = finish
        self._queued = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._workers = [
            asyncio.create_task(self._work(), name=f"jobs-{number}") for number in range(self.settings.jobs_at_once)
        ]

    async def close(self) -> None:
        """Gives what runs back to the queue, with the pages that it has; the next start goes on after them."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def wake(self) -> None:
        """Tells the workers that a job was queued."""
        self._queued.set()

    async def stop(self, job_id: str) -> None:
        """Ends the work for a job whose end is stored already."""
        if job_id in self._running:
            await _stopped(self._running[job_id])

    async def _work(self) -> None:
        while True:
            self._queued.clear()
            record = self.store.waiting()
            if record is None:
                await self._queued.wait()
                continue
            try:
                claimed = await self._disk.run(self.store.claim, record.id)
            except (OSError, UploadStorageFull) as error:
                logger.error("the job %s cannot be begun for now: %s", record.id, error)
                await asyncio.sleep(RETRY_S)
                continue
            if claimed:
                await self._run(claimed)

    async def _run(self, record: Record) -> None:
        """Runs one job in a task of its own, which `stop` can cancel without ending the worker."""
        task = asyncio.create_task(self._read(record), name=f"job-{record.id}")
        self._running[record.id] = task
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:  # the service stops
            await _stopped(task)
            await self._release(record.id)
            raise
        finally:
            del self._running[record.id]
        if not task.cancelled():
            await self._conclude(record.id, task.exception())

    async def _conclude(self, job_id: str, error: BaseException | None) -> None:
        if error is None:
            await self._end(job_id, None)
        elif isinstance(error, Problem) and error.status == FOR_NOW:
            logger.warning("the job %s waits: %s", job_id, error.detail)
            await self._release(job_id)
            await asyncio.sleep(RETRY_S)
        elif isinstance(error, Problem):
            await self._end(job_id, error)
        elif not isinstance(error, JobGone):
            logger.error("the job %s failed", job_id, exc_info=error)
            await self._end(job_id, InternalError("the service failed; its log tells why under the job's id"))

    async def _end(self, job_id: str, problem: Problem | None) -> None:
        with suppress(Problem):  # UnknownJob: nobody wants it any more
            await self._disk.run(self.store.end, job_id, "failed" if problem else "succeeded", problem)

    async def _release(self, job_id: str) -> None:
        try:
            await self._disk.run(self.store.release, job_id)
        except JobGone:
            return
        except (OSError, UploadStorageFull) as error:  # as it is on the disk it runs, and is found so
            logger.error("the job %s cannot be given back: %s", job_id, error)

    async def _read(self, record: Record) -> None:
        if record.file.kind == "pdf":
            await self._read_document(record)
        else:
            await self._read_image(record)
        await self._finish(record)

    async def _read_document(self, record: Record) -> None:
        left = None if record.numbers is None else record.numbers[record.pages_done :]
        if left == ():
            return
        folder, order = self.store.folder(record.id), record.order
        request = DocumentRequest(
            options=order.options,
            mode=order.mode,
            pages=order.pages if left is None else written(left),
            password=await self._disk.run(folder.read_password),
            dpi=order.dpi,
            max_pages=self.settings.jobs_max_pages,
            abreast=self.abreast,
        )
        async with self.reader.read_document(folder.input, request) as (numbers, pages):
            if left is None:
                await self._disk.run(self.store.begin, record.id, numbers)
            async for page in pages:
                await self._disk.run(self.store.add, record.id, page)

    async def _read_image(self, record: Record) -> None:
        """Reads all frames; those that are stored already are read once more and left out: they are few."""
        path = self.store.folder(record.id).input
        costs = await self._disk.run(pictures.costs, path, self._limits)
        await self._disk.run(self.store.begin, record.id, range(1, len(costs) + 1))
        async with aclosing(self.reader.frames(path, record.order.options)) as pages:
            async for page in pages:
                if page.number > record.pages_done:
                    await self._disk.run(self.store.add, record.id, page)


async def _stopped(task: "asyncio.Task[Any]") -> None:
    """Cancels a task and waits until it has ended."""
    task.cancel()
    await asyncio.wait([task])

"""Recognises stored pictures, each once however many ask for it, and writes down what came of it.

A file is claimed for a lease, which is renewed while it is recognised and lapses with the process: nothing stays in
`processing`. Who asks for a file that is being recognised waits for that result, unless he names a part of it. A file
that is deleted meanwhile is unknown then (404); one that is reset meanwhile is recognised anew, because the result is
of a picture's past.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from servicekit.database.problems import StorageFull, StorageUnavailable
from servicekit.problems import InternalError, NotReady, Overloaded, Problem, UploadStorageFull

from cars.archive import Archive, FileRecord, Lease
from cars.keeper import Keeper
from cars.problems import PicturesUnavailable
from cars.recogniser import Recogniser, cost_bytes, within
from cars.recognition import Box, Recognition

logger = logging.getLogger(__name__)

POLL_S = 0.25  # how soon the result of another replica is seen
RENEW_S = 5.0
Asked = tuple[int, Box | None]  # a file, and the part of it that is to be read
UNDONE = ("pending", "processing")
# What says nothing of the picture: it stays as it was, to be recognised later.
PASSING = (NotReady, Overloaded, PicturesUnavailable, StorageFull, StorageUnavailable, UploadStorageFull)


class Runner:
    """Runs recognitions to their end, also where nobody waits any more; raises Problems only."""

    def __init__(self, archive: Archive, keeper: Keeper, recogniser: Recogniser, abreast: int) -> None:
        self.archive = archive
        self.keeper = keeper
        self.recogniser = recogniser
        self.abreast = abreast  # pictures of one batch that are recognised side by side
        self._running: dict[Asked, asyncio.Task[FileRecord]] = {}

    async def close(self) -> None:
        """Ends what runs; its files are pending again."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def infer(self, file_id: int, *, force: bool = False, bbox: Box | None = None) -> FileRecord:
        """Returns the file with its result, the stored one unless `force`; raises UnknownFile and others.

        With `bbox` it is the result of that part; raises InvalidInput for one outside of the picture.
        """
        asked = file_id, bbox
        running = self._running.get(asked)
        if running is None:
            inference = self._infer_part(file_id, bbox) if bbox else self._infer(file_id, force=force)
            running = asyncio.create_task(inference, name=f"inference-{file_id}")
            self._running[asked] = running
            running.add_done_callback(lambda task: self._ended(asked, task))
        return await asyncio.shield(running)

    async def infer_each(
        self, file_ids: Sequence[int], *, force: bool = False
    ) -> AsyncGenerator[tuple[int, FileRecord | Problem]]:
        """Yields each id's file or problem in the order of the ids; some are recognised side by side."""
        places = asyncio.Semaphore(self.abreast)

        async def one(file_id: int) -> FileRecord | Problem:
            async with places:
                try:
                    return await self.infer(file_id, force=force)
                except Problem as problem:
                    return problem

        tasks = [asyncio.create_task(one(file_id)) for file_id in file_ids]
        try:
            for file_id, task in zip(file_ids, tasks, strict=True):
                yield file_id, await task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, asked: Asked, task: "asyncio.Task[FileRecord]") -> None:
        del self._running[asked]
        if not task.cancelled():
            task.exception()  # nobody may wait for it any more

    async def _infer(self, file_id: int, *, force: bool) -> FileRecord:
        while True:
            lease = await self.archive.claim(file_id, force=force)
            force = False  # what somebody else reads meanwhile is new enough
            done = await self._run(lease) if lease else await self._result(file_id)
            if done:
                return done
            await asyncio.sleep(POLL_S)

    async def _infer_part(self, file_id: int, bbox: Box) -> FileRecord:
        record = await self.archive.get(file_id)
        within(bbox, (record.width, record.height))
        while True:
            lease = await self.archive.claim(file_id, force=True)
            if lease and (done := await self._run(lease, bbox)):
                return done
            await asyncio.sleep(POLL_S)

    async def _result(self, file_id: int) -> FileRecord | None:
        """Returns the file with the result that it has; None while somebody else is at it."""
        record = await self.archive.get(file_id)
        return None if record.status in UNDONE else record

    async def _run(self, lease: Lease, bbox: Box | None = None) -> FileRecord | None:
        """Recognises the file; None where it was reset or deleted meanwhile."""
        try:
            async with self._kept(lease):
                found = await self._recognised(lease.file_id, bbox)
            return await self.archive.finish(lease, found)
        except (*PASSING, asyncio.CancelledError):
            await self._release(lease)
            raise
        except Problem as problem:
            if await self._written(lease, problem):
                raise
            return None
        except Exception as error:  # the fan-out: many may wait for this
            logger.error("the recognition of file %d failed", lease.file_id, exc_info=error)
            failure = InternalError("the recognition failed; the service's log tells why")
            if await self._written(lease, failure):
                raise failure from error
            return None

    async def _recognised(self, file_id: int, bbox: Box | None) -> Recognition:
        record = await self.archive.get(file_id)
        async with self.recogniser.room(cost_bytes(record.size_bytes, record.width * record.height)):
            data = await self.keeper.content(record)
            return await self.recogniser.recognise(data, record.content_type, bbox)

    async def _written(self, lease: Lease, problem: Problem) -> bool:
        """Writes down why the file could not be recognised; False where it was reset or deleted meanwhile."""
        return await self.archive.fail(lease, problem.document(None)) is not None

    async def _release(self, lease: Lease) -> None:
        """Makes the file pending again; where the database is away, the end of the lease does."""
        with suppress(Problem):
            await self.archive.release(lease)

    @asynccontextmanager
    async def _kept(self, lease: Lease) -> AsyncIterator[None]:
        """Renews the lease until the block ends."""
        keeping = asyncio.create_task(self._keep(lease), name=f"lease-{lease.file_id}")
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait((keeping,))

    async def _keep(self, lease: Lease) -> None:
        kept = True
        while kept:
            await asyncio.sleep(RENEW_S)
            try:
                kept = await self.archive.renew(lease)
            except Problem as problem:  # the database is away: it may be back before the lease ends
                logger.warning("the lease of file %d is not renewed: %s", lease.file_id, problem.detail)

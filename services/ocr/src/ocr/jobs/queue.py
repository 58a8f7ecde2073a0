"""Jobs as the routes know them: submitted, looked up, cancelled, deleted, and their results."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from servicekit.problems import UploadStorageFull
from servicekit.threads import Pool
from servicekit.uploads import Upload

from ocr.jobs import disk
from ocr.jobs.lock import StoreInUse
from ocr.jobs.record import File, Key, Kind, Order, Record
from ocr.jobs.results import Results
from ocr.jobs.runner import Reads, Runner
from ocr.jobs.store import Store
from ocr.problems import IdempotencyKeyInUse
from ocr.settings import Settings

logger = logging.getLogger(__name__)

DISK_THREADS = 2
SWEEP_S = 30.0
LEAVING_S = 40.0  # that a process may take to leave, by the settings' own defaults
SOON = {"Retry-After": "1"}


class Jobs:
    """The service's jobs, between `opened()` and the end of that block; `clock` gives epoch seconds."""

    def __init__(self, settings: Settings, reader: Reads, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.store = Store(settings, clock)
        self.disk = Pool("jobs", DISK_THREADS)
        self.results = Results(settings, self.store)
        self.runner = Runner(settings, self.store, reader, self.disk, self.results.finish)
        self._keys_in_use: set[str] = set()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Goes on with the jobs of the folder until the block ends; raises StoreInUse, or OSError for the folder."""
        try:
            await self._open()
            self.runner.start()
            sweeping = asyncio.create_task(self._sweep(), name="jobs-sweep")
            try:
                yield
            finally:
                sweeping.cancel()
                await asyncio.wait([sweeping])
                await self.runner.close()
        finally:
            self.results.close()
            await self.disk.run(self.store.close)
            self.disk.close()

    def tally(self) -> dict[str, int]:
        """Returns how many jobs there are by status."""
        return self.store.tally()

    async def submit(
        self, owner: str, upload: Upload, kind: Kind, order: Order, *, password: str | None, key: str | None
    ) -> tuple[Record, bool]:
        """Keeps a job, durably, and queues it; returns it, and whether it was there by the same Idempotency-Key.

        Raises TooManyJobs, UploadStorageFull, IdempotencyKeyInUse and IdempotencyKeyReused.
        """
        with self._using(named := _name(owner, key)):
            digest = await self.disk.run(disk.sha256, upload.file)
            file = File(upload.name, kind, upload.size, digest)
            known = Key(named, _fingerprint(file, order, password)) if named else None
            if known and (there := self.store.keyed(known)):
                return there, True
            await self.disk.run(self.store.sweep)
            record = await self.disk.run(
                lambda: self.store.create(owner, order, file, upload.file, password=password, key=known)
            )
        self.runner.wake()
        return record, False

    async def remove(self, job_id: str) -> Record | None:
        """Cancels a job that waits or runs and returns it; deletes one that has ended. Raises UnknownJob."""
        if self.store.find(job_id).ended:
            await self.disk.run(self.store.delete, job_id)
            return None
        record = await self.disk.run(self.store.end, job_id, "cancelled")
        await self.runner.stop(job_id)
        return record

    async def _open(self) -> None:
        """Opens the store; an older process that is about to leave may need its time for that."""
        until = time.monotonic() + LEAVING_S
        while True:
            try:
                return await self.disk.run(self.store.open)
            except StoreInUse as error:
                if time.monotonic() >= until:
                    raise
                logger.warning("waiting for the jobs: %s", error)
            await asyncio.sleep(LEAVING_S / 20)

    @contextmanager
    def _using(self, name: str | None) -> Iterator[None]:
        if name in self._keys_in_use:
            raise IdempotencyKeyInUse("the first request with this Idempotency-Key is still running", headers=SOON)
        if name:
            self._keys_in_use.add(name)
        try:
            yield
        finally:
            self._keys_in_use.discard(name or "")

    async def _sweep(self) -> None:
        while True:
            try:
                await self.disk.run(self.store.sweep)
            except (OSError, UploadStorageFull) as error:
                logger.error("jobs whose retention has ended cannot be removed: %s", error)
            self.runner.wake()  # whoever submitted a job may have been cut off before it could
            await asyncio.sleep(SWEEP_S)


def _name(owner: str, key: str | None) -> str | None:
    return key and hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()


def _fingerprint(file: File, order: Order, password: str | None) -> str:
    said = f"{file!r}\n{order!r}\n{password is not None}"
    return hashlib.sha256(said.encode()).hexdigest()

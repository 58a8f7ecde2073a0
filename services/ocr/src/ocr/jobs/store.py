"""All jobs of a folder: their records in memory, and on the disk before anybody is told of a change.

A job is a folder of its own under an id that cannot be guessed. It comes into being by a rename, with its file, its
record and its password in it, and it goes by one; what a process that died left half done begins with a dot. Every
method but the readings of memory (`find`, `newest`, `tally`) blocks, and may be called on any thread.
"""

import contextlib
import logging
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, get_args

import msgspec
from msgspec.structs import replace
from servicekit.problems import Problem, UploadStorageFull, quote

from ocr.jobs import disk
from ocr.jobs.folder import Folder
from ocr.jobs.lock import Lock
from ocr.jobs.record import File, Key, Order, Place, Record, Status
from ocr.problems import IdempotencyKeyReused, JobInterrupted, TooManyJobs, UnknownJob
from ocr.results import PageResult
from ocr.settings import Settings

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3  # a job that takes the process down with it does so this often at one page, not for ever
RETRY_LATER_S = 60  # where no job has ended, whose end of retention could be told
_NEW, _GONE = ".new-", ".gone-"


class JobGone(Exception):  # noqa: N818 - reads as what it says
    """The job was cancelled, or has ended otherwise, while somebody believed that it runs."""


class Store:
    """Opened by one process at a time; `clock` gives epoch seconds."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self.root = settings.jobs_dir
        self.clock = clock
        self._max_stored = settings.jobs_max_stored
        self._retention_s = settings.jobs_retention_s
        self._lock = Lock(self.root / "lock")
        self._changing = threading.RLock()
        self._records: dict[str, Record] = {}
        self._latest_ms = 0  # when the newest job was created

    def open(self) -> None:
        """Reads what is there; jobs that ran are queued again. Raises StoreInUse, and OSError."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._lock.take()
        for path in sorted(self.root.iterdir()):
            if path.name.startswith((_NEW, _GONE)):
                shutil.rmtree(path)
            elif path.is_dir() and (record := self._recovered(Folder(path))):
                self._records[record.id] = record

    def close(self) -> None:
        self._records.clear()
        self._lock.give_back()

    def folder(self, job_id: str) -> Folder:
        return Folder(self.root / job_id)

    def find(self, job_id: str) -> Record:
        """Raises UnknownJob, for one whose retention has ended too."""
        record = self._records.get(job_id)
        if record is None or self._expired(record):
            raise UnknownJob(f"there is no job {quote(job_id)}, or no longer")
        return record

    def newest(self, limit: int, wanted: Callable[[Record], bool], before: Place | None = None) -> list[Record]:
        """Returns at most so many jobs, newest first, those after the place `before` of a list."""
        chosen = [record for record in self._there() if wanted(record) and (not before or record.place < before)]
        return sorted(chosen, key=lambda record: record.place, reverse=True)[:limit]

    def waiting(self) -> Record | None:
        """Returns the queued job that has waited longest."""
        queued = (record for record in self._there() if record.status == "queued")
        return min(queued, key=lambda record: record.place, default=None)

    def tally(self) -> dict[str, int]:
        """Returns how many jobs there are by status."""
        counts = dict.fromkeys(get_args(Status), 0)
        for record in self._there():
            counts[record.status] += 1
        return counts

    def keyed(self, key: Key) -> Record | None:
        """Returns the job that this Idempotency-Key has made; raises IdempotencyKeyReused for another request's."""
        for record in self._there():
            if record.key and record.key.name == key.name:
                if record.key.fingerprint != key.fingerprint:
                    raise IdempotencyKeyReused("this Idempotency-Key has made another job, of another file or options")
                return record
        return None

    def require_room(self) -> None:
        """Raises TooManyJobs where no further job can be kept."""
        there = list(self._there())
        if len(there) < self._max_stored:
            return
        ends = [end for record in there if (end := record.expires_ms(self._retention_s)) is not None]
        wait_s = max(1, round(min(ends) / 1000 - self.clock())) if ends else RETRY_LATER_S
        raise TooManyJobs(
            f"{len(there)} jobs are kept, the limit is {self._max_stored}; delete one, or wait until one expires",
            headers={"Retry-After": str(wait_s)},
        )

    def create(
        self, owner: str, order: Order, file: File, content: BinaryIO, *, password: str | None, key: Key | None
    ) -> Record:
        """Keeps a new job, durably; raises TooManyJobs or UploadStorageFull, and then nothing of it is left."""
        record = Record(secrets.token_hex(16), owner, order, file, self._next_ms(), key)
        staging = Folder(self.root / f"{_NEW}{record.id}")
        try:
            with disk.room():
                staging.path.mkdir(mode=0o700)
                disk.copy(content, staging.input)
                if password is not None:
                    staging.write_password(password)
                staging.write_record(record)
                self._keep(staging, record)
        except BaseException:
            shutil.rmtree(staging.path, ignore_errors=True)
            raise
        return record

    def claim(self, job_id: str) -> Record | None:
        """Takes a queued job to run it; None where it is not queued any more, or has killed too many processes."""
        with self._changing:
            record = self._records.get(job_id)
            if record is None or record.status != "queued":
                return None
            attempts = 1 if record.pages_done > record.done_before else record.attempts + 1
            if attempts > MAX_ATTEMPTS:
                self._fail(record, attempts)
                return None
            started_ms = record.started_ms or self._now_ms()
            changed = {"attempts": attempts, "done_before": record.pages_done, "started_ms": started_ms}
            return self._write(replace(record, status="running", **changed))

    def begin(self, job_id: str, numbers: Iterable[int]) -> Record:
        """Notes which pages of a running job's file are asked for; raises JobGone, or UploadStorageFull."""
        with self._changing:
            return self._write(replace(self._running(job_id), numbers=tuple(numbers)))

    def add(self, job_id: str, page: PageResult) -> None:
        """Keeps a page of a running job, durably; raises JobGone, or UploadStorageFull."""
        self._running(job_id)
        with disk.room():
            self.folder(job_id).append(page)
        with self._changing:
            record = self._running(job_id)
            self._records[job_id] = replace(record, pages_done=record.pages_done + 1)

    def release(self, job_id: str) -> None:
        """Gives a running job back to the queue unharmed, because the service stops or cannot read; raises JobGone."""
        with self._changing:
            record = self._running(job_id)
            self._write(replace(record, status="queued", attempts=record.attempts - 1))

    def end(self, job_id: str, status: Status, problem: Problem | None = None) -> Record:
        """Ends a job that waits or runs and wipes its password; one that has ended stays so. Raises UnknownJob.

        Where the disk is full the end is known until the process ends, and the job runs again after that.
        """
        with self._changing:
            record = self.find(job_id)
            if record.ended:
                return record
            error = problem.document(None) if problem else None
            ended = replace(record, status=status, ended_ms=self._now_ms(), error=error)
            try:
                self._write(ended)
            except (OSError, UploadStorageFull) as failure:
                logger.error("the end of the job %s cannot be stored: %s", job_id, failure)
                self._records[job_id] = ended
            self.folder(job_id).wipe_password()
            return ended

    def delete(self, job_id: str) -> None:
        """Removes a job that has ended with all its files; does nothing where it is gone."""
        with self._changing:
            if self._records.pop(job_id, None) is None:
                return
            gone = self.root / f"{_GONE}{job_id}"
            with contextlib.suppress(FileNotFoundError):  # somebody has removed it by hand
                (self.root / job_id).rename(gone)
                disk.sync_folder(self.root)
        shutil.rmtree(gone, ignore_errors=True)

    def sweep(self) -> int:
        """Removes the jobs whose retention has ended; returns how many."""
        expired = [record.id for record in list(self._records.values()) if self._expired(record)]
        for job_id in expired:
            self.delete(job_id)
        return len(expired)

    def _there(self) -> Iterator[Record]:
        return (record for record in list(self._records.values()) if not self._expired(record))

    def _expired(self, record: Record) -> bool:
        ends = record.expires_ms(self._retention_s)
        return ends is not None and ends <= self._now_ms()

    def _next_ms(self) -> int:
        """Returns now, or a little later: no two jobs are created at the same time, and first come is first served."""
        with self._changing:
            self._latest_ms = max(self._now_ms(), self._latest_ms + 1)
            return self._latest_ms

    def _now_ms(self) -> int:
        return round(self.clock() * 1000)

    def _keep(self, staging: Folder, record: Record) -> None:
        with self._changing:
            self.require_room()
            kept = staging.path.rename(self.root / record.id)
            try:
                disk.sync_folder(self.root)
            except OSError:
                shutil.rmtree(kept, ignore_errors=True)
                raise
            self._records[record.id] = record

    def _running(self, job_id: str) -> Record:
        record = self._records.get(job_id)
        if record is None or record.status != "running":
            raise JobGone
        return record

    def _write(self, record: Record) -> Record:
        with disk.room():
            self.folder(record.id).write_record(record)
        self._records[record.id] = record
        return record

    def _fail(self, record: Record, attempts: int) -> None:
        told = f"the service ended {attempts - 1} times while it read the page after {record.pages_done}"
        self.end(record.id, "failed", JobInterrupted(f"{told}, it is not tried again"))

    def _recovered(self, folder: Folder) -> Record | None:
        """Returns the job of a folder as it can go on; None, and a line in the log, where it is none that is known."""
        try:
            record = folder.read_record()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            logger.warning("%s holds no job that can be read, and is left alone: %s", folder.path, error)
            return None
        if record.id != folder.path.name:
            logger.warning("%s holds the job %s, and is left alone", folder.path, record.id)
            return None
        if record.ended:
            folder.wipe_password()
            return record
        return replace(record, status="queued", pages_done=folder.recover(record.numbers or ()))

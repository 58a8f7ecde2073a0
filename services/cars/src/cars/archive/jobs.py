"""Long batches: rows that survive a crash, of which each has at most one runner.

Whoever runs a job holds a lease and renews it. Every change names the lease it believes in, so that a runner which was
taken for dead finds its lease gone and can change nothing any more.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from servicekit.database import cursors
from servicekit.database.store import Store
from servicekit.problems import InternalError, Overloaded, quote

from cars.archive.ledger import Ledger
from cars.archive.rows import moment
from cars.archive.schema import jobs as table
from cars.problems import JobFinished, UnknownJob

LEASE_MS = 20_000
MAX_CLAIMS = 3  # a job that takes the service down with it does so a few times, not for ever
MAX_WAITING = 100
MAX_KEPT = 1000
RETRY_AFTER = {"Retry-After": "30"}

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Ending = Literal["succeeded", "failed"]
UNFINISHED: tuple[JobStatus, ...] = ("queued", "running")


@dataclass(frozen=True, slots=True)
class JobRecord:
    """`progress` is from 0 to 1, `error` a problem's document."""

    id: str
    kind: str
    owner: str | None
    status: JobStatus
    progress: float
    parameters: dict[str, Any]
    result: Any
    error: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    claims: int


@dataclass(frozen=True, slots=True)
class JobLease:
    """The right to run a job, and the job as it was when it was claimed."""

    job: JobRecord

    @property
    def number(self) -> int:
        return self.job.claims


class Jobs:
    """The queue. Every change is on disk when its call returns."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger

    async def submit(self, kind: str, parameters: dict[str, Any], owner: str | None = None) -> JobRecord:
        """Queues a job; raises Overloaded (503) while too many wait."""

        def operation(connection: sa.Connection) -> JobRecord:
            _refuse_too_many(connection)
            _forget_old(connection)
            job_id = secrets.token_hex(8)
            fresh = {"status": "queued", "progress": 0.0, "claims": 0, "created_ms": self._ledger.clock()}
            row = {"id": job_id, "kind": kind, "owner": owner, "parameters": parameters, **fresh}
            connection.execute(sa.insert(table).values(**row))
            return _find(connection, job_id)

        return await self._ledger.write(operation)

    async def find(self, job_id: str) -> JobRecord:
        """Raises UnknownJob."""
        return await self._store.read(lambda connection: _find(connection, job_id))

    async def list(
        self, status: JobStatus | None = None, limit: int = 50, cursor: str | None = None
    ) -> tuple[Sequence[JobRecord], str | None]:
        """Returns a page, newest first, and the cursor of the next; raises InvalidInput for a cursor of no list."""
        before = cursors.decode(cursor)
        query = sa.select(table).order_by(table.c.number.desc()).limit(limit + 1)
        if status is not None:
            query = query.where(table.c.status == status)
        if before is not None:
            query = query.where(table.c.number < before)
        found = await self._store.read(lambda connection: connection.execute(query).all())
        items = [_record(row) for row in found[:limit]]
        return items, cursors.encode(found[limit - 1].number) if len(found) > limit else None

    async def claim(self) -> JobLease | None:
        """Takes the oldest job that nobody runs, or None."""
        now_ms = self._ledger.clock()
        if await self._store.read(lambda connection: connection.scalar(_oldest_free(now_ms))) is None:
            return None  # looking costs no turn of the writer
        return await self._ledger.write(lambda connection: _claim(connection, self._ledger.clock()))

    async def renew(self, lease: JobLease, progress: float, result: Any = None) -> bool:
        """Keeps the job and notes how far it is; False where it was cancelled, or another runs it."""
        until_ms = self._ledger.clock() + LEASE_MS
        return await self._update(lease, lease_until_ms=until_ms, progress=progress, result=result)

    async def end(self, lease: JobLease, status: Ending, result: Any, error: dict[str, Any] | None = None) -> bool:
        """Ends the job; False as `renew`, and nothing is changed."""
        values = {"finished_ms": self._ledger.clock(), "lease_until_ms": None, "result": result, "error": error}
        done = {"progress": 1.0} if status == "succeeded" else {}
        return await self._update(lease, status=status, **values, **done)

    async def release(self, lease: JobLease) -> bool:
        """Gives the job back unharmed, because the service stops; False as `renew`."""
        return await self._update(lease, status="queued", claims=lease.number - 1, lease_until_ms=None)

    async def cancel(self, job_id: str) -> JobRecord:
        """Ends a job that waits or runs; cancelling twice changes nothing. Raises UnknownJob or JobFinished."""

        def operation(connection: sa.Connection) -> JobRecord:
            status = _find(connection, job_id).status
            if status not in (*UNFINISHED, "cancelled"):
                raise JobFinished(f"the job {job_id} has {status}, only a queued or running one can be cancelled")
            if status != "cancelled":
                ended = {"finished_ms": self._ledger.clock(), "lease_until_ms": None}
                connection.execute(sa.update(table).where(table.c.id == job_id).values(status="cancelled", **ended))
            return _find(connection, job_id)

        return await self._ledger.write(operation)

    async def _update(self, lease: JobLease, **values: Any) -> bool:
        held = (table.c.id == lease.job.id) & (table.c.status == "running") & (table.c.claims == lease.number)
        statement = sa.update(table).where(held).values(**values)
        return await self._ledger.write(lambda connection: bool(connection.execute(statement).rowcount))


def _find(connection: sa.Connection, job_id: str) -> JobRecord:
    if "\0" not in job_id and job_id.isprintable():  # PostgreSQL takes no other text
        row = connection.execute(sa.select(table).where(table.c.id == job_id)).first()
        if row is not None:
            return _record(row)
    raise UnknownJob(f"there is no job {quote(job_id)}")


def _record(row: Any) -> JobRecord:
    started, finished = row.started_ms, row.finished_ms
    return JobRecord(
        row.id,
        row.kind,
        row.owner,
        row.status,
        row.progress,
        row.parameters,
        row.result,
        row.error,
        moment(row.created_ms),
        None if started is None else moment(started),
        None if finished is None else moment(finished),
        row.claims,
    )


def _oldest_free(now_ms: int) -> sa.Select[str]:
    lapsed = (table.c.status == "running") & (table.c.lease_until_ms <= now_ms)
    free = (table.c.status == "queued") | lapsed
    return sa.select(table.c.id).where(free).order_by(table.c.number).limit(1)


def _claim(connection: sa.Connection, now_ms: int) -> JobLease | None:
    job_id = connection.scalar(_oldest_free(now_ms))
    if job_id is None:
        return None
    if _find(connection, job_id).claims >= MAX_CLAIMS:
        _give_up(connection, job_id, now_ms)
        return _claim(connection, now_ms)
    started = sa.func.coalesce(table.c.started_ms, now_ms)
    values = {"status": "running", "claims": table.c.claims + 1, "lease_until_ms": now_ms + LEASE_MS}
    connection.execute(sa.update(table).where(table.c.id == job_id).values(**values, started_ms=started))
    return JobLease(_find(connection, job_id))


def _give_up(connection: sa.Connection, job_id: str, now_ms: int) -> None:
    reason = InternalError(f"the service ended {MAX_CLAIMS} times while this job ran, it is not tried again")
    ended = {"status": "failed", "finished_ms": now_ms, "lease_until_ms": None, "error": reason.document(None)}
    connection.execute(sa.update(table).where(table.c.id == job_id).values(**ended))


def _refuse_too_many(connection: sa.Connection) -> None:
    query = sa.select(sa.func.count()).select_from(table).where(table.c.status.in_(UNFINISHED))
    waiting = connection.execute(query).scalar_one()
    if waiting >= MAX_WAITING:
        raise Overloaded(f"{waiting} jobs wait, the limit is {MAX_WAITING}", headers=RETRY_AFTER)


def _forget_old(connection: sa.Connection) -> None:
    finished = table.c.status.not_in(UNFINISHED)
    kept = sa.select(table.c.number).where(finished).order_by(table.c.number.desc()).limit(MAX_KEPT)
    connection.execute(sa.delete(table).where(finished, table.c.number.not_in(kept)))

"""The queue of jobs: rows that survive a crash, in which each job has at most one runner.

Whoever runs a job holds a lease and renews it. Every change names the lease it believes in, so that a runner which
was taken for dead (a long pause, a database that was away) finds its lease gone and can change nothing any more.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from servicekit.problems import Overloaded, Problem, quote

from anomaly.lifecycle.versions import Row
from anomaly.problems import JobFinished, TrainingFailed, UnknownJob
from anomaly.storage import schema

LEASE_MS = 20_000
MAX_ATTEMPTS = 2  # a job that takes the service down with it does so twice, not for ever
MAX_QUEUED = 16  # each keeps its CSV in the database
MAX_KEPT = 1000
RETRY_AFTER_PER_JOB_S = 10
JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
UNFINISHED: tuple[JobStatus, ...] = ("queued", "running")
Place = tuple[int, str]  # created_ms and id: where a list goes on

table = schema.jobs
SHOWN = [column for column in table.c if column.name != "input"]


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run a job, until somebody else holds another one."""

    job_id: str
    until_ms: int


class LeaseLostError(Exception):
    """The job was cancelled, or another process runs it."""


def submit(
    connection: sa.Connection, kind: str, asset: str, parameters: dict[str, Any], data: bytes, now_ms: int
) -> str:
    """Queues a job with its input and returns its id; raises Overloaded while too many wait."""
    waiting = connection.execute(sa.select(sa.func.count()).where(table.c.status.in_(UNFINISHED))).scalar_one()
    if waiting >= MAX_QUEUED:
        raise Overloaded(
            f"{waiting} jobs wait, the limit is {MAX_QUEUED}",
            headers={"Retry-After": str(RETRY_AFTER_PER_JOB_S * waiting)},
        )
    _forget_old(connection)
    job_id = secrets.token_hex(8)
    connection.execute(
        sa.insert(table).values(
            id=job_id,
            kind=kind,
            asset=asset,
            status="queued",
            created_ms=now_ms,
            parameters=parameters,
            input=data,
        )
    )
    return job_id


def find(connection: sa.Connection, job_id: str) -> Row:
    """Returns the job without its input; raises UnknownJob."""
    row = connection.execute(sa.select(*SHOWN).where(table.c.id == job_id)).first()
    if row is None:
        raise UnknownJob(f"there is no job {quote(job_id)}")
    return row


def newest(
    connection: sa.Connection, limit: int, asset: str | None, status: JobStatus | None, before: Place | None
) -> Sequence[Row]:
    """Returns at most `limit` jobs without their input, newest first."""
    query = sa.select(*SHOWN).order_by(table.c.created_ms.desc(), table.c.id.desc()).limit(limit)
    if asset is not None:
        query = query.where(table.c.asset == asset)
    if status is not None:
        query = query.where(table.c.status == status)
    if before is not None:
        query = query.where(sa.tuple_(table.c.created_ms, table.c.id) < before)
    return connection.execute(query).all()


def waiting(connection: sa.Connection, now_ms: int) -> str | None:
    """Returns the id of the oldest job that nobody runs."""
    query = sa.select(table.c.id).where(_is_free(now_ms)).order_by(table.c.created_ms, table.c.id).limit(1)
    job_id: str | None = connection.scalar(query)
    return job_id


def claim(connection: sa.Connection, job_id: str, now_ms: int) -> Lease | None:
    """Takes a free job; None where another was faster, or where it took the service down too often and now fails."""
    query = sa.select(table.c.attempts).where(table.c.id == job_id, _is_free(now_ms))
    attempts = connection.scalar(query.with_for_update(skip_locked=True))
    if attempts is None:
        return None
    lease = Lease(job_id, now_ms + LEASE_MS)
    started = {"started_ms": sa.func.coalesce(table.c.started_ms, now_ms), "lease_until_ms": lease.until_ms}
    if attempts >= MAX_ATTEMPTS:
        _update(connection, table.c.id == job_id, status="running", **started)
        reason = TrainingFailed(f"the service ended {attempts} times while this job ran, it is not tried again")
        fail(connection, lease, reason, now_ms)
        return None
    _update(connection, table.c.id == job_id, status="running", attempts=attempts + 1, progress=0.0, **started)
    return lease


def read_input(connection: sa.Connection, job_id: str) -> tuple[str, dict[str, Any], bytes]:
    """Returns a job's asset, parameters and input."""
    query = sa.select(table.c.asset, table.c.parameters, table.c.input).where(table.c.id == job_id)
    row = connection.execute(query).one()
    return row.asset, row.parameters, bytes(row.input or b"")


def renew(connection: sa.Connection, lease: Lease, progress: float, message: str, now_ms: int) -> Lease:
    """Keeps the job and notes how far it is; raises LeaseLostError."""
    until_ms = max(now_ms + LEASE_MS, lease.until_ms + 1)  # a clock that went back makes no lease twice
    _update(connection, _held(lease), lease_until_ms=until_ms, progress=progress, message=message[:256])
    return Lease(lease.job_id, until_ms)


def succeed(connection: sa.Connection, lease: Lease, result: dict[str, Any], now_ms: int) -> None:
    """Ends the job with its result; raises LeaseLostError."""
    _end(connection, lease, now_ms, status="succeeded", progress=1.0, result=result)


def fail(connection: sa.Connection, lease: Lease, problem: Problem, now_ms: int) -> None:
    """Ends the job with a reason; raises LeaseLostError."""
    _end(connection, lease, now_ms, status="failed", error=problem.document(None))


def release(connection: sa.Connection, lease: Lease) -> None:
    """Gives the job back unharmed, because the service stops; raises LeaseLostError."""
    attempts = table.c.attempts - 1
    _update(connection, _held(lease), status="queued", attempts=attempts, lease_until_ms=None, progress=0.0)


def cancel(connection: sa.Connection, job_id: str, now_ms: int) -> None:
    """Ends a job that waits or runs; cancelling twice changes nothing. Raises UnknownJob or JobFinished."""
    status = find(connection, job_id).status
    if status == "cancelled":
        return
    if status not in UNFINISHED:
        raise JobFinished(f"the job {job_id} has {status}, only a queued or running one can be cancelled")
    values = {"status": "cancelled", "finished_ms": now_ms, "lease_until_ms": None, "input": None}
    _update(connection, (table.c.id == job_id) & table.c.status.in_(UNFINISHED), **values)


def _end(connection: sa.Connection, lease: Lease, now_ms: int, **values: Any) -> None:
    _update(connection, _held(lease), finished_ms=now_ms, lease_until_ms=None, input=None, **values)


def _update(connection: sa.Connection, where: sa.ColumnElement[bool], **values: Any) -> None:
    if connection.execute(sa.update(table).where(where).values(**values)).rowcount != 1:
        raise LeaseLostError


def _held(lease: Lease) -> sa.ColumnElement[bool]:
    return (table.c.id == lease.job_id) & (table.c.status == "running") & (table.c.lease_until_ms == lease.until_ms)


def _is_free(now_ms: int) -> sa.ColumnElement[bool]:
    return (table.c.status == "queued") | ((table.c.status == "running") & (table.c.lease_until_ms < now_ms))


def _forget_old(connection: sa.Connection) -> None:
    finished = table.c.status.not_in(UNFINISHED)
    kept = sa.select(table.c.id).where(finished).order_by(table.c.created_ms.desc(), table.c.id).limit(MAX_KEPT)
    connection.execute(sa.delete(table).where(finished, table.c.id.not_in(kept)))

"""A job as it is told to clients: nothing of where it lies, and no password."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from ocr.jobs.record import Kind, Record, Status


class Job(msgspec.Struct):
    """Long work: queued, running, then succeeded with a `result` to fetch, failed with an `error`, or cancelled.

    `pages_total` is null until the file was opened; `expires_at` is when an ended job is removed.
    """

    id: str
    status: Status
    progress: float
    pages_done: int
    pages_total: int | None
    filename: str
    kind: Kind
    size_bytes: int
    sha256: str
    error: dict[str, Any] | None
    result: str | None
    created_at: str | None
    started_at: str | None
    finished_at: str | None
    expires_at: str | None


class JobList(msgspec.Struct):
    """Jobs, newest first."""

    items: list[Job]
    next_cursor: str | None


def view(record: Record, address: str, retention_s: float) -> Job:
    """Returns the job; `address` is its own, as the client knows it."""
    return Job(
        id=record.id,
        status=record.status,
        progress=record.progress,
        pages_done=record.pages_done,
        pages_total=None if record.numbers is None else len(record.numbers),
        filename=record.file.name,
        kind=record.file.kind,
        size_bytes=record.file.size_bytes,
        sha256=record.file.sha256,
        error=record.error,
        result=f"{address}/result?format={record.order.format}" if record.status == "succeeded" else None,
        created_at=iso(record.created_ms),
        started_at=iso(record.started_ms),
        finished_at=iso(record.ended_ms),
        expires_at=iso(record.expires_ms(retention_s)),
    )


def iso(at_ms: int | None) -> str | None:
    """Returns epoch milliseconds as the API shows a time: `2026-01-31T08:00:00.000Z`."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Training over HTTP: a CSV of normal rows begins a job; how far it is, how it ended, and how to stop it."""

from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from servicekit import media
from servicekit.auth import ADMIN, client_name
from servicekit.database.problems import StorageUnavailable
from servicekit.limits import allow_body
from servicekit.openapi import answers, binary_body
from servicekit.responses import json_response
from starlette.responses import Response

from anomaly.alerting.alarms import iso, iso_or_none
from anomaly.learning.folds import Holdback
from anomaly.lifecycle import leases
from anomaly.lifecycle.leases import JobStatus
from anomaly.lifecycle.upload import take_in
from anomaly.lifecycle.versions import Row, find_version
from anomaly.preprocess import MAX_WINDOW
from anomaly.problems import WRITING, JobFinished, TableInvalid, TrainingFailed, TrainingImpossible, UnknownJob
from anomaly.routes.models import AssetName, location
from anomaly.storage import schema
from anomaly.storage.idempotency import Idempotency
from anomaly.storage.reply import Reply

router = APIRouter(tags=["jobs"])

JobId = Annotated[str, Path(min_length=1, max_length=64, description="As the answer that began the job gives it.")]

Said = Annotated[str, Field(max_length=256)]


class JobResult(msgspec.Struct):
    """The version that a training made, and how well it does on the rows that it did not see."""

    version: int
    activated: bool
    report: dict[str, Any]


class Job(msgspec.Struct):
    """Long work: queued, running, then succeeded with a result, failed with an error, or cancelled."""

    id: str
    kind: str
    asset: str
    status: JobStatus
    progress: float
    message: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    error: dict[str, Any] | None
    result: JobResult | None


class JobList(msgspec.Struct):
    """Jobs, newest first."""

    items: list[Job]
    next_cursor: str | None


def view(row: Row) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        asset=row.asset,
        status=row.status,
        progress=row.progress,
        message=row.message,
        created_at=iso(row.created_ms),
        started_at=iso_or_none(row.started_ms),
        finished_at=iso_or_none(row.finished_ms),
        error=row.error,
        result=JobResult(**row.result) if row.result else None,
    )


class TrainingQuery(BaseModel):
    """How to train; the defaults suit most tables."""

    model_config = ConfigDict(extra="forbid")

    activate: bool = Field(False, description="Make the new version the one that answers.")
    kind: Literal["auto", "autoencoder", "pca"] = Field("auto", description="`auto`: the better on held-back rows.")
    window: int = Field(1, ge=1, le=MAX_WINDOW, description="Rows that a score looks at, the newest one included.")
    features: str = Field("auto", max_length=32, description="What is taken from a window.")
    hidden: list[Annotated[int, Field(ge=1, le=1024)]] = Field(
        [], max_length=5, description="Widths of the encoder, the bottleneck last; none: chosen by the data."
    )
    epochs: int = Field(200, ge=1, le=10_000, description="Passes over the rows at most.")
    seed: int = Field(0, ge=0, lt=2**32, description="The same seed, rows and options make the same file.")
    holdback: Holdback = Field("auto", description="Which rows are held back to find the threshold.")
    method: Literal["automatic", "percentile", "false_alarm_rate", "extreme_value"] = Field(
        "automatic", description="How the threshold is found."
    )
    percentile: float | None = Field(None, ge=95, le=99.9, description="For the method `percentile`.")
    margin: float | None = Field(None, ge=0.1, le=10, description="Factor for the method `percentile`.")
    rate: float | None = Field(None, ge=1e-6, le=0.2, description="False-alarm rate for the other methods.")
    trim: bool = Field(True, description="Leave out bursts of rows that are clearly not normal.")
    tolerance: bool = Field(True, description="Forgive sensors whose spread the rows are too few to tell.")
    ranges: list[Said] = Field(
        [], alias="range", max_length=1024, description="Physical range as `NAME=LOW:HIGH`; a side may be empty."
    )
    units: list[Said] = Field([], alias="unit", max_length=1024, description="Unit as `NAME=TEXT`.")

    def parameters(self) -> dict[str, Any]:
        """Returns what a job keeps of it."""
        options = self.model_dump(exclude={"activate", "ranges", "units"})
        return {"options": options, "ranges": self.ranges, "units": self.units}


@router.post(
    "/models/{asset}/train",
    status_code=202,
    dependencies=[ADMIN],
    openapi_extra=binary_body("text/csv", description="Rows of normal operation in the order of time."),
    responses=answers({202: Job}, (TableInvalid, TrainingImpossible, TrainingFailed, *WRITING)),
    response_class=Response,
)
async def train(request: Request, asset: AssetName, query: Annotated[TrainingQuery, Query()]) -> Response:
    """Reads the whole CSV, then trains in a process of its own: 202 and a job, whose result is a new version."""
    services = request.app.state.services
    media.require(request, "text/csv")
    allow_body(request, services.settings.max_train_bytes)
    upload = await take_in(request.stream(), services.pool)
    idempotency = Idempotency.of(request, upload.digest)
    known = await services.store.read(lambda connection: _known_sensors(connection, asset))
    await services.jobs.check(upload.deflated, {**query.parameters(), "sensors": known})
    parameters = {**query.parameters(), "activate": query.activate, "by": client_name(request)}

    def operation(connection: sa.Connection) -> Reply:
        now_ms = services.ledger.clock()
        sensors = _known_sensors(connection, asset)
        job_id = leases.submit(connection, "train", asset, {**parameters, "sensors": sensors}, upload.deflated, now_ms)
        job = view(leases.find(connection, job_id))
        return Reply.of(job, 202, location(request, f"/jobs/{job_id}"))

    reply: Reply = await services.ledger.write(operation, idempotency=idempotency)
    services.jobs.wake()
    return reply.response()


def _known_sensors(connection: sa.Connection, asset: str) -> list[dict[str, Any]]:
    """Returns the active version's sensors: the new one takes their units and ranges over, by name."""
    row = connection.execute(sa.select(schema.assets).where(schema.assets.c.name == asset)).first()
    if row is None or row.active_version is None:
        return []
    sensors: list[dict[str, Any]] = find_version(connection, row, row.active_version).summary["sensors"]
    return sensors


@router.get("/jobs", responses=answers({200: JobList}, (StorageUnavailable,)), response_class=Response)
async def list_jobs(
    request: Request,
    asset: Annotated[str | None, Query(max_length=128)] = None,
    status: JobStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,15}-[0-9a-f]{1,32}$")] = None,
) -> Response:
    """Lists jobs, newest first."""
    before = _place(cursor) if cursor else None
    rows = await request.app.state.services.store.read(
        lambda connection: leases.newest(connection, limit + 1, asset, status, before)
    )
    last = rows[limit - 1] if len(rows) > limit else None
    return json_response(JobList([view(row) for row in rows[:limit]], last and f"{last.created_ms}-{last.id}"))


def _place(cursor: str) -> leases.Place:
    created_ms, _, job_id = cursor.partition("-")
    return int(created_ms), job_id


@router.get("/jobs/{job_id}", responses=answers({200: Job}, (UnknownJob, StorageUnavailable)), response_class=Response)
async def get_job(request: Request, job_id: JobId) -> Response:
    """Tells how far a job is, and how it ended."""
    row = await request.app.state.services.store.read(lambda connection: leases.find(connection, job_id))
    return json_response(view(row))


@router.delete(
    "/jobs/{job_id}",
    dependencies=[ADMIN],
    responses=answers({200: Job}, (UnknownJob, JobFinished, *WRITING)),
    response_class=Response,
)
async def cancel_job(request: Request, job_id: JobId) -> Response:
    """Cancels a job that is queued or running: its process is ended, no version is made."""
    services = request.app.state.services

    def operation(connection: sa.Connection) -> Reply:
        leases.cancel(connection, job_id, services.ledger.clock())
        return Reply.of(view(leases.find(connection, job_id)))

    reply: Reply = await services.ledger.write(operation, idempotency=Idempotency.of(request, await request.body()))
    services.jobs.stop(job_id)
    return reply.response()

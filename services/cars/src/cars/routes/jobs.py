"""`/jobs`: long batches. A job is kept in the database and outlives the process."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from servicekit import query
from servicekit.responses import json_response
from starlette.responses import Response

from cars import answers, schemas
from cars.problems import JobFinished, UnknownJob
from cars.routes import document, paths
from cars.routes.parts import services_of

router = APIRouter(tags=["jobs"])

JobId = Annotated[str, Path(max_length=64, description="As the answer that began the job gives it.")]
EXAMPLES = {200: document.JOB}


@paths.add(
    router,
    "GET",
    "/jobs",
    responses=document.answers({200: schemas.JobList}, document.READING),
    response_class=Response,
)
async def list_jobs(
    request: Request,
    status: schemas.JobStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Lists jobs, newest first."""
    query.parse(request.scope, "status", "limit", "cursor")
    records, following = await services_of(request).batches.jobs.list(status, limit, cursor)
    return json_response(schemas.JobList([answers.job(record) for record in records], following))


@paths.add(
    router,
    "GET",
    "/jobs/{job_id}",
    responses=document.answers({200: schemas.Job}, (UnknownJob,), document.READING, examples=EXAMPLES),
    response_class=Response,
)
async def get_job(request: Request, job_id: JobId) -> Response:
    """Tells how far a job is, and what became of the pictures that are done."""
    query.parse(request.scope)
    return json_response(answers.job(await services_of(request).batches.jobs.find(job_id)))


@paths.add(
    router,
    "DELETE",
    "/jobs/{job_id}",
    responses=document.answers({200: schemas.Job}, (UnknownJob, JobFinished), document.WRITING, examples=EXAMPLES),
    response_class=Response,
)
async def cancel_job(request: Request, job_id: JobId) -> Response:
    """Cancels a job that is queued or running; the results of the pictures that are done stay."""
    query.parse(request.scope)
    return json_response(answers.job(await services_of(request).batches.cancel(job_id)))


def address(request: Request, job_id: str) -> str:
    root: str = request.scope.get("root_path", "")
    return f"{root}/jobs/{job_id}"

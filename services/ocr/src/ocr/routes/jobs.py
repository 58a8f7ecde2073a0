"""`/jobs`: documents that take longer than a call should. A job is kept on the disk and outlives the process."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from servicekit import context, problems, query, uploads
from servicekit.auth import client_name
from servicekit.connected import while_connected
from servicekit.limits import allow_body, leave_place
from servicekit.openapi import answers, multipart_body
from servicekit.problems import InvalidInput, quote
from servicekit.responses import json_response
from servicekit.uploads import Uploads
from starlette.responses import FileResponse, Response

from ocr import drawing, schemas
from ocr.documents import DocumentError
from ocr.drawing import PictureRequest
from ocr.jobs import Jobs
from ocr.jobs.answer import Job, JobList, view
from ocr.jobs.record import Kind, Order, Place, Record, Status
from ocr.problems import (
    DocumentEncrypted,
    DocumentInvalid,
    DocumentTooLarge,
    DocumentTooSlow,
    IdempotencyKeyInUse,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    ImageTooLarge,
    NoResult,
    NotAnImage,
    PagesInvalid,
    TooManyJobs,
    UnknownJob,
)
from ocr.reader import Reader
from ocr.routes import document, fields, forms, reading, replies
from ocr.routes.forms import Form
from ocr.routes.streams import Stream

router = APIRouter(tags=["jobs"])

ENVELOPE_BYTES = 131_072  # of the form around the file
MAX_KEY_CHARS = 255
SOON = {"Retry-After": "1"}
REPLAYED = {"Idempotency-Replayed": "true"}
FIELDS = {
    **fields.DOCUMENT,
    forms.PARAMETER: f"The form of a result that is asked for without one: {', '.join(forms.FORMS)}.",
}
JobId = Annotated[str, Path(max_length=64, description="As the answer that began the job gives it.")]
Number = Annotated[int, Path(ge=1, description="The page, counted from 1 in the file.")]
Dpi = Annotated[str | None, Query(description=fields.PICTURE["dpi"])]
OWN = {"Cache-Control": "private, max-age=300", "Vary": "Authorization, X-API-Key"}  # a job's file stays as it is
RESULT = (NoResult, UnknownJob, problems.NotReady, problems.UploadStorageFull)
PICTURE = (
    DocumentEncrypted,
    DocumentInvalid,
    DocumentTooLarge,
    DocumentTooSlow,
    ImageTooLarge,
    NotAnImage,
    PagesInvalid,
    UnknownJob,
    problems.NotReady,
)
POSTING = (
    IdempotencyKeyInUse,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    NotAnImage,
    TooManyJobs,
    problems.FileMissing,
    problems.FileTooLarge,
    problems.MultipartInvalid,
    problems.NotReady,
    problems.TooManyFiles,
    problems.UnsupportedMediaType,
    problems.UploadStorageFull,
)


@router.post(
    "/jobs",
    status_code=202,
    openapi_extra=multipart_body("file", description="A PDF, or an image as /upload takes it.", fields=FIELDS),
    responses=answers({202: Job}, POSTING),
    response_class=Response,
)
async def create_job(request: Request) -> Response:
    """Keeps the file on the disk and reads it beside other calls: 202, and the job's address in `Location`.

    A 202 is a promise: the job is read though the service, or its machine, is restarted, and goes on after the last
    page that was done. A document's password is kept beside it, readable for the service alone, until the job ends; it
    is in no answer and no log. With an `Idempotency-Key` a repetition gets the job that is there.
    """
    query.parse(request.scope)
    jobs = _jobs(request)
    key = _idempotency_key(request)
    jobs.store.require_room()
    most = jobs.settings.jobs_max_file_size
    allow_body(request, most + ENVELOPE_BYTES)
    async with uploads.read(request, field="file", max_file_bytes=most, fields=FIELDS) as received:
        kind = await jobs.disk.run(reading.kind, received.files[0])
        order, password = _order(received, jobs, kind)
        record, replayed = await jobs.submit(
            client_name(request), received.files[0], kind, order, password=password, key=key
        )
    place = {"Location": _address(request, record.id)}
    return json_response(_view(request, record), 202, {**place, **REPLAYED} if replayed else place)


def _order(received: Uploads, jobs: Jobs, kind: Kind) -> tuple[Order, str | None]:
    """Returns what is asked for, and the document's password; raises InvalidInput."""
    texts = dict(received.fields)
    form = _form(texts.pop(forms.PARAMETER, "json"))
    request, words = fields.document(texts, jobs.settings)
    if kind == "image" and (given := [name for name in ("pages", "password", "dpi", "mode") if name in texts]):
        raise InvalidInput(f"{given[0]} is for PDFs, the file is an image")
    order = Order(request.options, words, request.mode, request.pages, request.dpi, form.name)
    return order, request.password


def _form(name: str) -> Form:
    if name not in forms.FORMS:
        raise InvalidInput(f"format is {quote(name)}, it can be {', '.join(forms.FORMS)}")
    return forms.FORMS[name]


def _idempotency_key(request: Request) -> str | None:
    """Returns the optional header; raises IdempotencyKeyInvalid unless it is one line of visible ASCII."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not 0 < len(keys[0]) <= MAX_KEY_CHARS or not all("!" <= char <= "~" for char in keys[0]):
        raise IdempotencyKeyInvalid(
            f"Idempotency-Key must be one header of 1 to {MAX_KEY_CHARS} visible ASCII characters without spaces"
        )
    return keys[0]


@router.get(
    "/jobs",
    responses=answers({200: JobList}, (problems.NotReady,)),
    response_class=Response,
)
async def list_jobs(
    request: Request,
    status: Status | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,15}-[0-9a-f]{32}$")] = None,
) -> Response:
    """Lists jobs, newest first; with API keys, those that the same key has made, or all for one of the scope admin."""
    query.parse(request.scope, "status", "limit", "cursor")
    mine = _visible(request)
    records = _jobs(request).store.newest(
        limit + 1,
        lambda record: mine(record) and status in (None, record.status),
        _place(cursor) if cursor else None,
    )
    last = records[limit - 1] if len(records) > limit else None
    items = [_view(request, record) for record in records[:limit]]
    return json_response(JobList(items, f"{last.created_ms}-{last.id}" if last else None))


@router.get("/jobs/{job_id}", responses=answers({200: Job}, (UnknownJob, problems.NotReady)), response_class=Response)
async def get_job(request: Request, job_id: JobId) -> Response:
    """Tells how far a job is, and how it ended."""
    query.parse(request.scope)
    return json_response(_view(request, _find(request, job_id)))


@router.get(
    "/jobs/{job_id}/result",
    responses=document.answers(schemas.DocumentAnswer, document.DOCUMENT_ANSWER, RESULT, every_form=True),
    response_class=Response,
)
async def get_result(request: Request, job_id: JobId, format: document.Format = None) -> Response:  # noqa: A002, ARG001 - for the document
    """Gives the result: `json` is the answer of `/upload_pdf`, `pdf` the original pages with selectable text.

    `ndjson` gives the pages that are done so far, whatever the status of the job, and as its last line the problem of a
    job that failed; the other forms are there when the job has succeeded (409 before). Without `format` it is the one
    that the job was begun with. The `pdf` is made when it is asked for first; that of an encrypted document, whose
    password is not kept, at the end of the job; it is encrypted as that is.
    """
    asked = query.parse(request.scope, forms.PARAMETER)
    jobs, record = _jobs(request), _find(request, job_id)
    form = _form(asked.get(forms.PARAMETER, record.order.format))
    if record.status != "succeeded" and form is not forms.NDJSON:
        raise _no_result(record)
    headers = form.headers(record.file.name)
    if form is forms.PDF:
        return FileResponse(await jobs.results.searchable(record), headers=headers, media_type=form.media_type)
    leave_place(request)
    await request.body()  # none, but what is received after it is that the client has left
    return Stream(jobs.results.stream(record, form.name), AsyncExitStack(), form.media_type, headers)


def _no_result(record: Record) -> NoResult:
    if record.ended:
        why = f": {record.error['detail']}" if record.error else ""
        return NoResult(f"the job has {record.status}{why}; format=ndjson gives the pages that were done")
    total = len(record.numbers) if record.numbers else "an unknown number of"
    return NoResult(f"the job is {record.status}, {record.pages_done} of {total} pages are done", headers=SOON)


@router.get(
    "/jobs/{job_id}/pages/{number}/image",
    responses=document.picture_answers(PICTURE),
    response_class=Response,
)
async def get_picture(request: Request, job_id: JobId, number: Number, dpi: Dpi = None) -> Response:  # noqa: ARG001 - for the document
    """Draws a page of the job's file, as JPEG, or PNG where `Accept` says so, while the job is kept.

    Of an image `number` is the frame. The password of an encrypted document is gone when the job has ended: its pages
    cannot be drawn from then on (422).
    """
    asked = query.parse(request.scope, "dpi")
    jobs, record = _jobs(request), _find(request, job_id)
    reader, folder = reading.reader_of(request), jobs.store.folder(record.id)
    password = await jobs.disk.run(folder.read_password)
    texts = {**asked, "page": str(number), **({"password": password} if password else {})}
    wanted = fields.picture(texts, replies.encoding(request))
    await request.body()  # none, but what is received after it is that the client has left
    try:
        file = await while_connected(request.receive, _drawn(reader, folder.input, record.file.kind, wanted))
    except (DocumentError, FileNotFoundError):
        _find(request, job_id)  # deleted while it was drawn: that is what is told then
        raise
    return replies.picture(file, wanted.encoding, OWN)


async def _drawn(reader: Reader, path: FilePath, kind: Kind, wanted: PictureRequest) -> bytes:
    if kind == "pdf":
        return await drawing.document_page(reader, path, wanted)
    return await drawing.image_page(reader, path, wanted)


@router.delete(
    "/jobs/{job_id}",
    responses=answers({200: Job, 204: None}, (UnknownJob, problems.NotReady)),
    response_class=Response,
)
async def delete_job(request: Request, job_id: JobId) -> Response:
    """Cancels a job that is queued or running (200, the job); deletes one that has ended with its files (204)."""
    query.parse(request.scope)
    record = await _jobs(request).remove(_find(request, job_id).id)
    return json_response(_view(request, record)) if record else Response(status_code=204)


def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.services.jobs
    return jobs


def _find(request: Request, job_id: str) -> Record:
    """Raises UnknownJob, for another client's job too."""
    record = _jobs(request).store.find(job_id)
    if not _visible(request)(record):
        raise UnknownJob(f"there is no job {quote(job_id)}, or no longer")
    return record


def _visible(request: Request) -> Callable[[Record], bool]:
    client = context.of(request.scope)
    return lambda record: "admin" in client.scopes or record.owner == client.client


def _place(cursor: str) -> Place:
    created_ms, _, job_id = cursor.partition("-")
    return int(created_ms), job_id


def _address(request: Request, job_id: str) -> str:
    root: str = request.scope.get("root_path", "")
    return f"{root}/jobs/{job_id}"


def _view(request: Request, record: Record) -> Job:
    return view(record, _address(request, record.id), _jobs(request).settings.jobs_retention_s)

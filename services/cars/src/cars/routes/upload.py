"""`POST /upload/` and `/upload/batch`: pictures in a form, durable when they are answered."""

from fastapi import APIRouter, Request
from servicekit import limits, query, uploads
from servicekit.openapi import multipart_body
from servicekit.problems import InternalError, Problem
from servicekit.responses import json_response
from servicekit.uploads import Upload
from starlette.responses import Response

from cars import answers, schemas
from cars.archive import FileRecord
from cars.keeper import Keeper
from cars.routes import document, paths
from cars.routes.parts import services_of

router = APIRouter(tags=["upload"])

Outcome = tuple[FileRecord, bool] | Problem

ENVELOPE_BYTES = 65_536  # of the form around the file


@paths.add(
    router,
    "POST",
    "/upload/",
    status_code=201,
    openapi_extra=multipart_body("file", description="A JPEG or PNG."),
    responses=document.answers(
        {201: schemas.Uploaded, 200: schemas.Uploaded},
        document.FORM,
        document.WRITING,
        document.PICTURES,
        examples={201: document.UPLOADED, 200: {**document.FILE, "duplicate": True}},
    ),
    response_class=Response,
)
async def upload(request: Request) -> Response:
    """Stores a picture: 201, and it is on the disk, without the place and the time that a camera wrote into it.

    The same picture again is the same file: 200 with `duplicate: true` and what is known of it by now.
    """
    query.parse(request.scope)
    keeper = services_of(request).keeper
    most = keeper.max_file_bytes
    limits.allow_body(request, most + ENVELOPE_BYTES)
    async with uploads.read(request, field="file", max_file_bytes=most) as received:
        record, duplicate = await keeper.keep(received.files[0])
    return json_response(answers.uploaded(record, duplicate=duplicate), 200 if duplicate else 201)


@paths.add(
    router,
    "POST",
    "/upload/batch",
    status_code=207,
    openapi_extra=multipart_body("files", description="JPEGs and PNGs.", many=True),
    responses=document.answers(
        {207: schemas.UploadBatch},
        document.FORM,
        document.WRITING,
        document.PICTURES,
        examples={207: document.UPLOADS},
    ),
    response_class=Response,
)
async def upload_batch(request: Request) -> Response:
    """Stores pictures, each for itself: what is refused keeps none of the others out.

    Where none can be stored because the disk is full or the database away, the call itself is refused (507, 503).
    """
    query.parse(request.scope)
    services = services_of(request)
    most = services.settings.max_upload_bytes
    limits.allow_body(request, most)
    form = uploads.read(request, field="files", max_file_bytes=most, max_files=services.settings.max_files)
    async with form as received:
        outcomes = [await _outcome(services.keeper, file) for file in received.files]
        refused = [each for each in outcomes if isinstance(each, Problem) and each.status >= InternalError.status]
        if len(refused) == len(outcomes):
            raise refused[0]
        items = [_item(file, outcome) for file, outcome in zip(received.files, outcomes, strict=True)]
    return json_response(schemas.UploadBatch(items), 207)


async def _outcome(keeper: Keeper, file: Upload) -> Outcome:
    try:
        return await keeper.keep(file)
    except Problem as problem:
        return problem


def _item(file: Upload, outcome: Outcome) -> schemas.UploadItem:
    if isinstance(outcome, Problem):
        return schemas.UploadItem(file.name, outcome.status, error=answers.problem(outcome))
    record, duplicate = outcome
    status = 200 if duplicate else 201
    return schemas.UploadItem(file.name, status, file=answers.uploaded(record, duplicate=duplicate))

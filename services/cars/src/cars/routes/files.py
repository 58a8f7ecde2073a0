"""`/files/`: what is stored, its metadata, its pictures, and how it goes."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from servicekit import query
from servicekit.auth import ADMIN
from servicekit.problems import Forbidden
from servicekit.responses import json_response
from starlette.responses import Response

from cars import answers, schemas
from cars.routes import document, filters, parameters, paths
from cars.routes.filters import Chosen
from cars.routes.parameters import ImageId
from cars.routes.parts import services_of

router = APIRouter(tags=["files"])

EXAMPLES = {200: document.FILE}


@paths.add(
    router,
    "GET",
    "/files/",
    responses=document.answers(
        {200: schemas.FileList},
        document.READING,
        examples={200: {"items": [document.FILE], "next_cursor": "YjE"}},
    ),
    response_class=Response,
)
async def list_files(
    request: Request,
    chosen: Chosen,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Lists files, newest first. A page stays as it is while files come and go: the cursor is a place, not a number."""
    query.parse(request.scope, *filters.PARAMETERS, "limit", "cursor")
    records, following = await services_of(request).archive.list(chosen, limit, cursor)
    return json_response(schemas.FileList([answers.file(record) for record in records], following))


@paths.add(
    router,
    "GET",
    "/files/{image_id}",
    responses=document.answers({200: schemas.File}, document.ONE, document.READING, examples=EXAMPLES),
    response_class=Response,
)
async def get_file(request: Request, image_id: ImageId) -> Response:
    """Tells what is known of a file."""
    query.parse(request.scope)
    record = await services_of(request).archive.get(parameters.file_id(image_id))
    return json_response(answers.file(record))


@paths.add(
    router,
    "DELETE",
    "/files/{image_id}",
    status_code=204,
    dependencies=[ADMIN],
    responses=document.answers({204: None}, document.ONE, document.WRITING, (Forbidden,)),
    response_class=Response,
)
async def delete_file(request: Request, image_id: ImageId) -> Response:
    """Deletes a file with its picture and all that is known of it; its id is not used again.

    Where it is being recognised, that result is dropped, and who waits for it is told that the file is unknown.
    """
    query.parse(request.scope)
    await services_of(request).keeper.drop(parameters.file_id(image_id))
    return Response(status_code=204)


@paths.add(
    router,
    "POST",
    "/files/{image_id}/reprocess",
    responses=document.answers({200: schemas.File}, document.ONE, document.WRITING, examples={200: document.PENDING}),
    response_class=Response,
)
async def reprocess(request: Request, image_id: ImageId) -> Response:
    """Resets the results to pending, for the next `POST /inference/{image_id}`; a correction stays.

    Where it is being recognised, that result is dropped and the picture recognised once more.
    """
    query.parse(request.scope)
    record = await services_of(request).archive.reset(parameters.file_id(image_id))
    return json_response(answers.file(record))

"""`/files/{image_id}/correction`: what a person says that the picture shows, kept beside what the model said."""

from fastapi import APIRouter, Request
from servicekit import media, openapi, query, strict
from servicekit.responses import json_response
from starlette.responses import Response

from cars import answers, schemas
from cars.routes import document, parameters, paths
from cars.routes.parameters import ImageId
from cars.routes.parts import services_of

router = APIRouter(tags=["files"])

EXAMPLE = {
    **document.FILE,
    "correction": {
        "label": "Tesla Roadster 2010",
        "make": "Tesla",
        "model": "Roadster",
        "body": None,
        "year": 2010,
        "corrected_at": "2026-03-14T10:02:11.000Z",
    },
}


@paths.add(
    router,
    "PUT",
    "/files/{image_id}/correction",
    openapi_extra=openapi.json_body(schemas.CorrectionRequest, example={"label": "Tesla Roadster 2010"}),
    responses=document.answers(
        {200: schemas.File}, document.ONE, document.JSON, document.WRITING, examples={200: EXAMPLE}
    ),
    response_class=Response,
)
async def correct(request: Request, image_id: ImageId) -> Response:
    """Keeps a correction, by which filters and statistics go. A label tells make, model, body and year."""
    query.parse(request.scope)
    file_id = parameters.file_id(image_id)
    media.require(request, "application/json")
    label = strict.decode(await request.body(), schemas.CorrectionRequest).label
    return json_response(answers.file(await services_of(request).archive.correct(file_id, label)))


@paths.add(
    router,
    "DELETE",
    "/files/{image_id}/correction",
    responses=document.answers({200: schemas.File}, document.ONE, document.WRITING, examples={200: document.FILE}),
    response_class=Response,
)
async def withdraw(request: Request, image_id: ImageId) -> Response:
    """Takes the correction back; harmless where there is none."""
    query.parse(request.scope)
    record = await services_of(request).archive.correct(parameters.file_id(image_id), None)
    return json_response(answers.file(record))

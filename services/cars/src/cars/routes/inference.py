"""`POST /inference/{image_id}` and `/inference/batch`: stored pictures are recognised."""

from typing import Any

from fastapi import APIRouter, Request
from servicekit import limits, media, openapi, query, strict
from servicekit.auth import client_name
from servicekit.problems import InvalidInput, Problem, TooManyFiles
from servicekit.responses import json_response
from starlette.responses import Response

from cars import answers, schemas
from cars.archive import FileRecord
from cars.routes import boxes, document, jobs, parameters, paths
from cars.routes.parameters import ImageId
from cars.routes.parts import services_of
from cars.settings import Settings

router = APIRouter(tags=["inference"])

BYTES_PER_ID = 24  # a number of 20 digits, a comma and some space
ENVELOPE_BYTES = 4096
FORCE = {
    "name": "force",
    "in": "query",
    "required": False,
    "description": "Recognise anew where there is a result.",
    "schema": {"type": "boolean", "default": False},
}
BBOX = {
    "name": boxes.NAME,
    "in": "query",
    "required": False,
    "description": boxes.ABOUT,
    "schema": {"type": "string"},
    "example": "40,80,640,360",
}
PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`respond-async`: answer with a job, however few ids there are (RFC 7240).",
    "schema": {"type": "string"},
}
IDS = openapi.json_body(schemas.ImageIds, example={"image_ids": [1, 2, 3]})
BODY: dict[str, Any] = IDS["requestBody"]["content"]["application/json"]
BODY["schema"] = {"anyOf": [BODY["schema"], {"type": "array", "items": {"type": "integer"}}]}


# Before the route of one picture, which would take "batch" for an id.
@paths.add(
    router,
    "POST",
    "/inference/batch",
    status_code=207,
    openapi_extra={**IDS, "parameters": [FORCE, PREFER]},
    responses=document.answers(
        {207: schemas.InferenceBatch, 202: schemas.Job},
        document.JSON,
        document.WRITING,
        (TooManyFiles,),
        examples={207: document.INFERENCES, 202: document.JOB},
    ),
    response_class=Response,
)
async def infer_batch(request: Request) -> Response:
    """Recognises stored pictures: `[1,2,3]` or `{"image_ids":[1,2,3]}`; each id has its file or its problem.

    A long batch, or any with `Prefer: respond-async`, is a job: 202, with its address in `Location`. The job outlives
    connections and restarts.
    """
    force = query.truth(query.parse(request.scope, "force"), "force")
    services = services_of(request)
    image_ids = await _image_ids(request, services.settings)
    if len(image_ids) > services.settings.job_after or _prefers_job(request):
        job = await services.batches.submit(image_ids, force=force, owner=client_name(request))
        return json_response(answers.job(job), 202, {"Location": jobs.address(request, job.id)})
    items = [_item(*each) async for each in services.runner.infer_each(image_ids, force=force)]
    return json_response(schemas.InferenceBatch(items), 207)


@paths.add(
    router,
    "POST",
    "/inference/{image_id}",
    openapi_extra={"parameters": [FORCE, BBOX]},
    responses=document.answers(
        {200: schemas.File},
        document.ONE,
        document.RECOGNISING,
        document.WRITING,
        document.PICTURES,
        examples={200: document.FILE},
    ),
    response_class=Response,
)
async def infer(request: Request, image_id: ImageId) -> Response:
    """Recognises a stored picture, and keeps the result; answers with the one that is kept where there is one.

    Who asks while it is being recognised gets that result. A file that is deleted meanwhile is unknown (404); one that
    is reset meanwhile is recognised anew. With `bbox` it is recognised anew from that part, whose result is kept in
    place of the one that there was.
    """
    values = query.parse(request.scope, "force", boxes.NAME)
    force, bbox = query.truth(values, "force"), boxes.box(values)
    record = await services_of(request).runner.infer(parameters.file_id(image_id), force=force, bbox=bbox)
    return json_response(answers.file(record))


async def _image_ids(request: Request, settings: Settings) -> list[int]:
    """Returns each id once; raises InvalidInput where there is none, and TooManyFiles."""
    media.require(request, "application/json")
    limits.allow_body(request, ENVELOPE_BYTES + BYTES_PER_ID * settings.max_files)
    body = strict.decode(await request.body(), schemas.ImageIds | list[int])  # type: ignore[arg-type] # a union is no type
    given = body if isinstance(body, list) else body.image_ids
    if not given:
        raise InvalidInput("there is no id in the list")
    if len(given) > settings.max_files:
        raise TooManyFiles(f"the list has {len(given)} ids, the limit is {settings.max_files}")
    return list(dict.fromkeys(given))


def _prefers_job(request: Request) -> bool:
    preferences = ",".join(request.headers.getlist("prefer")).lower()
    return "respond-async" in (preference.partition(";")[0].strip() for preference in preferences.split(","))


def _item(image_id: int, outcome: FileRecord | Problem) -> schemas.InferenceItem:
    if isinstance(outcome, Problem):
        return schemas.InferenceItem(image_id, outcome.status, error=answers.problem(outcome))
    return schemas.InferenceItem(image_id, 200, file=answers.file(outcome))

"""`GET /models` and `/labels`: what recognises, and the cars that it can name."""

from fastapi import APIRouter, Request
from servicekit import query
from servicekit.problems import NotReady
from servicekit.responses import json_response
from starlette.responses import Response

from cars import schemas
from cars.labels import LABELS
from cars.routes import document, paths
from cars.routes.parts import services_of

router = APIRouter(tags=["models"])


@paths.add(
    router,
    "GET",
    "/models",
    responses=document.answers({200: schemas.ModelList}, (NotReady,)),
    response_class=Response,
)
async def list_models(request: Request) -> Response:
    """Tells what recognises: the backend that is configured, its model, and where it computes."""
    query.parse(request.scope)
    recogniser = services_of(request).recogniser
    recogniser.check()
    details = recogniser.details()
    item = schemas.ModelItem(
        backend=recogniser.backend.name,
        model=details.get("model"),
        model_version=details.get("model_version"),
        details={name: value for name, value in details.items() if name != "degraded"},
    )
    return json_response(schemas.ModelList([item]))


@paths.add(
    router,
    "GET",
    "/labels",
    responses=document.answers({200: schemas.LabelList}),
    response_class=Response,
)
async def list_labels(request: Request) -> Response:
    """Lists the cars that the shipped model tells apart; a correction best takes the words of one of them."""
    query.parse(request.scope)
    items = [
        schemas.Label(label.index, label.name, label.make, label.model, label.body, label.year) for label in LABELS
    ]
    return json_response(schemas.LabelList(items))

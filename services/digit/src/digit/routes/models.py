"""`GET /models`: the models and how right they were measured to be."""

from fastapi import APIRouter, Request
from servicekit.openapi import answers
from servicekit.problems import NotReady
from servicekit.responses import json_response
from starlette.responses import Response

from digit.model import Model, Models
from digit.schemas import ModelItem, ModelList

router = APIRouter(tags=["models"])


@router.get("/models", responses=answers({200: ModelList}, (NotReady,)), response_class=Response)
async def list_models(request: Request) -> Response:
    """Lists the models with their measured accuracy on named sets of pictures."""
    return json_response(_list(request.app.state.services.reader.models))


def _list(models: Models) -> ModelList:
    return ModelList([_item(models.find(name), models.default) for name in models.names])


def _item(model: Model, default: str) -> ModelItem:
    return ModelItem(
        name=model.name,
        default=model.name == default,
        framework=model.framework,
        parameters=model.parameters,
        size_bytes=model.size_bytes,
        sha256=model.sha256,
        accuracy=model.record.accuracy,
    )

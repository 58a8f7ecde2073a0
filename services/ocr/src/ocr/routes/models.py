"""`GET /models`: the networks, and which files they are."""

from fastapi import APIRouter, Request
from servicekit import query
from servicekit.openapi import answers
from servicekit.problems import NotReady
from servicekit.responses import json_response
from starlette.responses import Response

from ocr.model.networks import Network
from ocr.pipeline import Pipeline
from ocr.routes import reading
from ocr.schemas import ModelItem, ModelList, Role, Stage

router = APIRouter(tags=["models"])

ROLES: dict[Stage, Role] = {"det": "detection", "cls": "orientation", "rec": "recognition"}
LICENCE = "Apache-2.0"  # PP-OCR's; of an operator's own models nothing is known


@router.get("/models", responses=answers({200: ModelList}, (NotReady,)), response_class=Response)
async def list_models(request: Request) -> Response:
    """Lists the networks: one finds lines, one tells which way up they are, one reads them."""
    query.parse(request.scope)
    pipeline = reading.reader_of(request).pipeline
    return json_response(ModelList([_item(stage, pipeline.networks[stage], pipeline) for stage in ROLES]))


def _item(stage: Stage, network: Network, pipeline: Pipeline) -> ModelItem:
    return ModelItem(
        stage=stage,
        role=ROLES[stage],
        name=network.file.name,
        version=pipeline.version,
        sha256=network.file.sha256,
        size_bytes=len(network.file.data),
        provider=network.provider,
        precision="int8" if ".int8." in network.file.name else "float",
        languages=list(pipeline.languages) if stage == "rec" else [],
        licence=None if pipeline.version == "custom" else LICENCE,
    )

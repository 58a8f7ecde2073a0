"""`POST /v1/ocr`: an image in JSON, with this service's own options."""

import msgspec
from fastapi import APIRouter, Request
from servicekit import query
from starlette.responses import Response

from ocr import schemas
from ocr.routes import body, document, reading

router = APIRouter(tags=["reading"])

ROUTE = "/v1/ocr"
NAMES = {name: name for name in ("use_det", "use_cls", "use_rec", "text_score", "box_thresh", "unclip_ratio")}


@router.post(
    ROUTE,
    openapi_extra=document.body(schemas.Request, use_det=True, use_cls=True, use_rec=True, text_score=0.5),
    responses=document.answers(schemas.Answer, document.ANSWER, document.JSON),
    response_class=Response,
)
async def ocr(request: Request) -> Response:
    """Reads an image: PNG, JPEG, TIFF with all its pages, WebP, BMP, or the first picture of a GIF."""
    query.parse(request.scope)
    reader = reading.reader_of(request)
    async with body.read(request, schemas.Request, reader) as (asked, image):
        options = reading.options(reader.settings, NAMES, msgspec.structs.asdict(asked))
        return await reading.answer(request, reader, image, options, route=ROUTE, words=asked.return_word_box)

"""`POST /paddleocr`: an image in JSON, with the members that PaddleOCR's clients know."""

import msgspec
from fastapi import APIRouter, Request
from servicekit import query
from starlette.responses import Response

from ocr import languages, schemas
from ocr.problems import UnknownLanguage
from ocr.routes import body, document, reading

router = APIRouter(tags=["reading"])

ROUTE = "/paddleocr"
NAMES = {
    "use_angle_cls": "use_cls",
    "det_db_thresh": "det_thresh",
    "det_db_box_thresh": "box_thresh",
    "det_db_unclip_ratio": "unclip_ratio",
}


@router.post(
    ROUTE,
    openapi_extra=document.body(schemas.PaddleRequest, lang="ch", det_db_thresh=0.3),
    responses=document.answers(schemas.Answer, document.ANSWER, (*document.JSON, UnknownLanguage)),
    response_class=Response,
)
async def paddleocr(request: Request) -> Response:
    """Reads an image for clients of PaddleOCR.

    One network reads all languages of `GET /health` at once: `lang` is checked against them and changes nothing else.
    """
    query.parse(request.scope)
    reader = reading.reader_of(request)
    async with body.read(request, schemas.PaddleRequest, reader) as (asked, image):
        options = reading.options(reader.settings, NAMES, msgspec.structs.asdict(asked))
        reading.check_languages(reader, "lang", [asked.lang], languages.PADDLE)
        return await reading.answer(request, reader, image, options, route=ROUTE)

"""`POST /easyocr`: an image in JSON, with the members that EasyOCR's clients know."""

import msgspec
from fastapi import APIRouter, Request
from servicekit import query
from servicekit.problems import InvalidInput
from starlette.responses import Response

from ocr import languages, schemas
from ocr.problems import UnknownLanguage
from ocr.routes import body, document, reading

router = APIRouter(tags=["reading"])

ROUTE = "/easyocr"
NAMES = {"text_threshold": "box_thresh"}


@router.post(
    ROUTE,
    openapi_extra=document.body(schemas.EasyRequest, languages=["ch_sim", "en"], text_threshold=0.7),
    responses=document.answers(schemas.Answer, document.ANSWER, (*document.JSON, UnknownLanguage)),
    response_class=Response,
)
async def easyocr(request: Request) -> Response:
    """Reads an image for clients of EasyOCR.

    One network reads all languages of `GET /health` at once: `languages` is checked against them and changes nothing
    else. `gpu` is a wish, as it is in EasyOCR: OCR_USE_GPU decides where this service computes. `text_threshold` is how
    sure the detector has to be that a box holds text.
    """
    query.parse(request.scope)
    reader = reading.reader_of(request)
    async with body.read(request, schemas.EasyRequest, reader) as (asked, image):
        options = reading.options(reader.settings, NAMES, msgspec.structs.asdict(asked))
        if not asked.languages:
            raise InvalidInput("languages is empty, it can be names like ch_sim and en")
        reading.check_languages(reader, "languages", asked.languages, languages.EASYOCR)
        return await reading.answer(request, reader, image, options, route=ROUTE)

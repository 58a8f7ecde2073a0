"""`POST /recognize`: a picture is recognised, and nothing of it is kept."""

import re

from fastapi import APIRouter, Request
from servicekit import limits, uploads
from servicekit.openapi import multipart_body
from servicekit.problems import InvalidInput, quote
from servicekit.responses import json_response
from servicekit.uploads import Upload
from starlette.responses import Response

from cars import answers, schemas
from cars.keeper import upload_bytes
from cars.recognition import Box
from cars.routes import document, paths, query
from cars.routes.parts import Parts, services_of

router = APIRouter(tags=["inference"])

ENVELOPE_BYTES = 131_072  # of the form around the file
BBOX = "bbox"
FIELDS = {BBOX: "The part to read, as `x,y,width,height` in pixels of the upright picture; none: it is looked for."}
BOX = re.compile(r"\s*\[?\s*([0-9]{1,6})\s*,\s*([0-9]{1,6})\s*,\s*([0-9]{1,6})\s*,\s*([0-9]{1,6})\s*\]?\s*", re.ASCII)
EXAMPLE = {
    **{name: document.STORED[name] for name in ("filename", "sha256", "width", "height")},
    **document.READ,
}


@paths.add(
    router,
    "POST",
    "/recognize",
    openapi_extra=multipart_body("file", description="A JPEG or PNG.", fields=FIELDS),
    responses=document.answers({200: schemas.Answer}, document.FORM, document.RECOGNISING, examples={200: EXAMPLE}),
    response_class=Response,
)
async def recognize(request: Request) -> Response:
    """Recognises a picture without storing it, the car in it wherever it is, or the part that `bbox` names."""
    query.parse(request)
    services = services_of(request)
    services.recogniser.check()
    most = services.settings.max_file_bytes
    limits.allow_body(request, most + ENVELOPE_BYTES)
    async with uploads.read(request, field="file", max_file_bytes=most, fields=FIELDS) as received:
        bbox = _box(received.fields[BBOX]) if BBOX in received.fields else None
        return json_response(await _answer(services, received.files[0], bbox))


async def _answer(services: Parts, upload: Upload, bbox: Box | None) -> schemas.Answer:
    async with services.recogniser.room(upload_bytes(upload, recognise=True)):
        picture = await services.keeper.take(upload)
        found = await services.recogniser.recognise(picture.data, picture.content_type, bbox)
    return schemas.Answer(
        filename=picture.filename,
        sha256=picture.sha256,
        width=picture.width,
        height=picture.height,
        **answers.recognised(found),
    )


def _box(text: str) -> Box:
    """Returns a box; whether it lies in the picture is seen when that is known. Raises InvalidInput."""
    match = BOX.fullmatch(text)
    if not match:
        raise InvalidInput(f"bbox is {quote(text)}, expected x,y,width,height in whole pixels, as 40,80,640,360")
    return Box(*(int(number) for number in match.groups()))

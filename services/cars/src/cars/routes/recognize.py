"""`POST /recognize`: a picture is recognised, and nothing of it is kept."""

from fastapi import APIRouter, Request
from servicekit import limits, query, uploads
from servicekit.openapi import multipart_body
from servicekit.responses import json_response
from servicekit.uploads import Upload
from starlette.responses import Response

from cars import answers, schemas
from cars.keeper import upload_bytes
from cars.recognition import Box
from cars.routes import boxes, document, paths
from cars.routes.parts import Parts, services_of

router = APIRouter(tags=["inference"])

ENVELOPE_BYTES = 131_072  # of the form around the file
FIELDS = {boxes.NAME: boxes.ABOUT}
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
    query.parse(request.scope)
    services = services_of(request)
    services.recogniser.check()
    most = services.settings.max_file_bytes
    limits.allow_body(request, most + ENVELOPE_BYTES)
    async with uploads.read(request, field="file", max_file_bytes=most, fields=FIELDS) as received:
        return json_response(await _answer(services, received.files[0], boxes.box(received.fields)))


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

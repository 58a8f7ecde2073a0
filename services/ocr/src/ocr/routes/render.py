"""`POST /render`: the picture of one page of a PDF, or of an image that a browser cannot show."""

from fastapi import APIRouter, Request
from servicekit import limits, query, uploads
from servicekit.connected import while_connected
from servicekit.uploads import Upload
from starlette.responses import Response

from ocr import drawing
from ocr.drawing import PictureRequest
from ocr.reader import Reader
from ocr.routes import document, fields, reading, replies

router = APIRouter(tags=["reading"])

ROUTE = "/render"
ENVELOPE_BYTES = 65_536  # of the form around the file
UNSTORED = {"Cache-Control": "no-store"}


@router.post(
    ROUTE,
    openapi_extra=document.picture_body(),
    responses=document.picture_answers(document.PICTURE),
    response_class=Response,
)
async def render(request: Request) -> Response:
    """Draws one page as JPEG, or as PNG where `Accept` says so: what the boxes of an answer lie over.

    The page is upright, as the places in an answer are; where both were made at other resolutions, places are to be
    multiplied by the quotient of the widths. A page with more pixels than the limits allow is drawn at a lower
    resolution. Of an image `page` is the frame, and its pixels stay as they are.
    """
    query.parse(request.scope)
    reader = reading.reader_of(request)
    most = reader.settings.max_file_size
    limits.allow_body(request, most + ENVELOPE_BYTES)
    async with uploads.read(request, field="file", max_file_bytes=most, fields=fields.PICTURE) as received:
        wanted = fields.picture(received.fields, replies.encoding(request))
        file = await while_connected(request.receive, _page(reader, received.files[0], wanted))
    return replies.picture(file, wanted.encoding, UNSTORED)


async def _page(reader: Reader, file: Upload, wanted: PictureRequest) -> bytes:
    with reader.counts.refusing():
        kind = await reader.run(reading.kind, file)
    if kind == "image":
        return await drawing.image_page(reader, file, wanted)
    async with replies.stored(reader, file) as path:
        return await drawing.document_page(reader, path, wanted)

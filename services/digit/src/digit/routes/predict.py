"""`POST /predict`, the hot path: one picture in, its digit out.

It is served by an ASGI callable tried before FastAPI's router, whose own layers cost more than the inference; the route
below is only its entry in the OpenAPI document, and a test holds the two together.
"""

import msgspec
from fastapi import APIRouter, Request
from servicekit import query, uploads
from servicekit.context import KEY, RequestContext
from servicekit.openapi import multipart_body
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from digit.commands.rows import members
from digit.picture import Picture
from digit.postprocess import Reading
from digit.reader import Reader
from digit.routes import document
from digit.schemas import DetailedPrediction, Prediction

router = APIRouter(tags=["reading"])

ROUTE = "/predict"
PARAMETERS = ("model", "detail")
ENVELOPE_BYTES = 16_384  # of the form around the file
CONTENT_TYPE = (b"content-type", b"application/json")
IS_DIGIT = ((b"x-is-digit", b"false"), (b"x-is-digit", b"true"))
BRIEF = [b'{"prediction":%d}' % digit for digit in range(10)]
_encode = msgspec.json.Encoder().encode


class HotPredict:
    """Answers `POST /predict`, and False to what is not its own."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.form = uploads.Form("file", reader.settings.max_file_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> bool:
        request: RequestContext = scope[KEY]
        if request.path != ROUTE or scope["method"] != "POST":
            return False
        request.route = ROUTE
        request.max_body_bytes = self.form.max_file_bytes + ENVELOPE_BYTES
        values = query.parse(scope, *PARAMETERS)
        detail = query.truth(values, "detail")
        try:
            reading = await self._read(scope, receive, self.reader.choose(values.get("model")))
        except ClientDisconnect:
            return True
        body = _encode(members(reading)) if detail else BRIEF[reading.prediction]
        headers = [CONTENT_TYPE, IS_DIGIT[reading.is_digit], (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return True

    async def _read(self, scope: Scope, receive: Receive, model: str) -> Reading:
        async with uploads.Reading(scope, receive, self.form) as received:
            file = received.files[0]
            return await self.reader.read(Picture(file, file.name), model, ROUTE)


@router.post(
    ROUTE,
    openapi_extra=multipart_body("file", description="A PNG or JPEG picture of one handwritten digit."),
    responses=document.answers(Prediction, DetailedPrediction, document.READING),
    response_class=Response,
)
async def predict(
    request: Request,  # noqa: ARG001 - what the document shows
    model: document.ModelName = None,  # noqa: ARG001
    detail: document.Detail = False,  # noqa: ARG001
) -> Response:
    """Reads the digit in a picture of any size, colours and paper; transparency and EXIF are respected.

    With `detail=true` the answer is a DetailedPrediction. The prediction is the likeliest digit even where the picture
    shows none; the header `X-Is-Digit` tells that.
    """
    raise AssertionError("served by HotPredict")

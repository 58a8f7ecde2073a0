"""`POST /predict_number`: a picture of a written number in, its digits from left to right out."""

from collections.abc import Callable
from functools import partial

from fastapi import APIRouter, Request
from PIL.Image import Image
from servicekit import limits, query, uploads
from servicekit.openapi import multipart_body
from servicekit.problems import Problem
from servicekit.responses import json_response
from starlette.responses import Response

from digit import schemas
from digit.numbers import reading
from digit.numbers.reading import Number
from digit.picture import Picture
from digit.postprocess import Box
from digit.problems import NoDigits, NoInk, NumberTooLong, SeveralNumbers
from digit.reader import Reader
from digit.routes import document
from digit.schemas import DetailedNumber, DetailedNumberDigit, NumberDigit

router = APIRouter(tags=["reading"])

ROUTE = "/predict_number"
PARAMETERS = ("model", "detail")
ENVELOPE_BYTES = 16_384  # of the form around the file
DECIMALS = 6
Enlarged = Callable[[Box], Box]  # from the decoded picture's pixels to the file's

REFUSALS: dict[type[reading.UnreadError], type[Problem]] = {
    reading.BlankError: NoInk,
    reading.NoDigitsError: NoDigits,
    reading.SeveralError: SeveralNumbers,
    reading.TooLongError: NumberTooLong,
}


@router.post(
    ROUTE,
    openapi_extra=multipart_body("file", description="A PNG or JPEG picture of one handwritten number."),
    responses=document.answers(
        schemas.Number, DetailedNumber, (*document.READING, NoDigits, NumberTooLong, SeveralNumbers)
    ),
    response_class=Response,
)
async def predict_number(
    request: Request, model: document.ModelName = None, detail: document.Detail = False
) -> Response:
    """Reads a number of several digits: one line, also slanted, with digits that touch, on ruled paper.

    Points, commas, signs and letters are left out; `detail=true` tells where. The header `X-Is-Digit` tells whether all
    of its digits look like one.
    """
    query.parse(request.scope, *PARAMETERS)
    reader: Reader = request.app.state.services.reader
    chosen = reader.choose(model)
    most = reader.settings.max_file_bytes
    limits.allow_body(request, most + ENVELOPE_BYTES)
    async with uploads.read(request, field="file", max_file_bytes=most) as received:
        file = received.files[0]
        picture = Picture(file, file.name)
        number, size = await reader.look(picture, lambda image: _look(image, reader, chosen, picture), reading.BOUND)
    threshold = reader.models.find(chosen).record.digit_threshold
    are_digits = all(digit.digitness >= threshold for digit in number.digits)
    reader.counts.read(chosen, ROUTE, is_digit=are_digits)
    enlarged = partial(picture.enlarged, size=size)
    answer = _detailed(number, chosen, threshold, enlarged) if detail else _brief(number, chosen, enlarged)
    return json_response(answer, headers={"X-Is-Digit": str(are_digits).lower()})


def _look(image: Image, reader: Reader, model: str, picture: Picture) -> tuple[Number, tuple[int, int]]:
    """Returns the number and the size of the decoded picture; raises NoInk, NoDigits, NumberTooLong, SeveralNumbers."""
    try:
        return reading.read(image, lambda pixels: reader.predict(pixels, model), reader.settings.max_digits), image.size
    except reading.UnreadError as error:
        raise REFUSALS[type(error)](picture.named(str(error))) from None


def _brief(number: Number, model: str, enlarged: Enlarged) -> schemas.Number:
    digits = [NumberDigit(digit.prediction, _rounded(digit.confidence), enlarged(digit.box)) for digit in number.digits]
    return schemas.Number(number.text, digits, model)


def _detailed(number: Number, model: str, threshold: float, enlarged: Enlarged) -> DetailedNumber:
    digits = [
        DetailedNumberDigit(
            digit.prediction,
            _rounded(digit.confidence),
            enlarged(digit.box),
            [_rounded(probability) for probability in digit.probabilities],
            digit.digitness >= threshold,
        )
        for digit in number.digits
    ]
    return DetailedNumber(number.text, digits, model, [enlarged(box) for box in number.left_out])


def _rounded(probability: float) -> float:
    return round(probability, DECIMALS)

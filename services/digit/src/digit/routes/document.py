"""What the OpenAPI document says alike of the routes that take pictures."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query
from servicekit import openapi, problems
from servicekit.problems import Problem

from digit.problems import ImageTooLarge, NoInk, NotAnImage, UnknownModel
from digit.routes.replies import CSV, NDJSON

ModelName = Annotated[str | None, Query(description="One of the models that `GET /models` lists.")]
Detail = Annotated[bool, Query(description="Whether to tell confidence, probabilities, model and place as well.")]
OnError = Annotated[
    Literal["refuse", "skip"], Query(description="What a picture that cannot be read does to the others.")
]
# What every call that reads an uploaded picture can refuse.
READING: tuple[type[Problem], ...] = (
    ImageTooLarge,
    NoInk,
    NotAnImage,
    UnknownModel,
    problems.FileMissing,
    problems.FileTooLarge,
    problems.MultipartInvalid,
    problems.NotReady,
    problems.TooManyFiles,
    problems.UnsupportedMediaType,
    problems.UploadStorageFull,
)
IS_DIGIT = {
    "description": "Whether the picture looks like a digit.",
    "schema": {"type": "string", "enum": ["true", "false"]},
}
CSV_EXAMPLE = (
    "name,prediction,confidence,is_digit,model,error\r\n"
    "a.png,7,0.998164,true,cnn_transformer,\r\n"
    "b.gif,,,,,it is a GIF image; this call takes PNG or JPEG\r\n"
)
NDJSON_EXAMPLE = (
    '{"name":"a.png","prediction":7,"confidence":0.998164,"is_digit":true}\n'
    '{"name":"b.gif","error":"it is a GIF image; this call takes PNG or JPEG"}\n'
    '{"done":true,"total":2,"failed":1}\n'
)


def answers(
    brief: type[msgspec.Struct], detailed: type[msgspec.Struct], refusals: Iterable[type[Problem]]
) -> dict[int | str, Any]:
    """Returns `responses` of a route that answers with `detailed` where that is asked for."""
    responses = openapi.answers({200: brief}, refusals)
    schemas = [_json(openapi.answers({200: type_}))["schema"] for type_ in (brief, detailed)]
    _json(responses)["schema"] = {"anyOf": schemas}
    responses[200]["headers"] = {"X-Is-Digit": IS_DIGIT}
    return responses


def batch_answers(
    brief: type[msgspec.Struct], detailed: type[msgspec.Struct], refusals: Iterable[type[Problem]]
) -> dict[int | str, Any]:
    """The same of a batch, which also answers in CSV and NDJSON."""
    responses = answers(brief, detailed, refusals)
    del responses[200]["headers"]
    for media_type, example in ((CSV, CSV_EXAMPLE), (NDJSON, NDJSON_EXAMPLE)):
        responses[200]["content"][media_type] = {"schema": {"type": "string"}, "example": example}
    return responses


def _json(responses: dict[int | str, Any]) -> dict[str, Any]:
    media: dict[str, Any] = responses[200]["content"]["application/json"]
    return media

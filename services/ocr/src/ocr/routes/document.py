"""What the OpenAPI document says alike of the routes that read."""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from fastapi import Query
from servicekit import openapi, problems
from servicekit.problems import Problem

from ocr.pictures import JPEG, PNG
from ocr.problems import (
    DocumentEncrypted,
    DocumentInvalid,
    DocumentTooLarge,
    DocumentTooLong,
    DocumentTooSlow,
    ImageTooLarge,
    NotAnImage,
    NotAPdf,
    NotBase64,
    PagesInvalid,
    ReadingFailed,
)
from ocr.routes import fields, forms

Format = Annotated[str | None, Query(description=forms.DESCRIPTION, json_schema_extra={"enum": list(forms.FORMS)})]
COMMON = (
    ReadingFailed,
    problems.FileTooLarge,
    problems.NotReady,
    problems.UnsupportedMediaType,
    problems.UploadStorageFull,
)
IMAGE: tuple[type[Problem], ...] = (*COMMON, ImageTooLarge, NotAnImage)
JSON: tuple[type[Problem], ...] = (*IMAGE, NotBase64, problems.InvalidInput, problems.MalformedJSON)
FORM = (problems.FileMissing, problems.InvalidInput, problems.MultipartInvalid, problems.TooManyFiles)
UPLOAD: tuple[type[Problem], ...] = (*IMAGE, *FORM)
DOCUMENT: tuple[type[Problem], ...] = (
    *COMMON,
    *FORM,
    DocumentEncrypted,
    DocumentInvalid,
    DocumentTooLarge,
    DocumentTooLong,
    DocumentTooSlow,
    NotAPdf,
    PagesInvalid,
)
PICTURE: tuple[type[Problem], ...] = (
    *IMAGE,
    *(problem for problem in DOCUMENT if problem not in (*IMAGE, DocumentTooLong)),
)
EXAMPLE_IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ITEM: dict[str, Any] = {
    "text": "Total amount 38.50",
    "confidence": 0.9871,
    "bbox": [[40, 92], [371, 92], [371, 126], [40, 126]],
}
PAGE: dict[str, Any] = {
    "page": 1,
    "index": 0,
    "result": [ITEM],
    "bbox_image": [40, 92, 331, 34],
    "processing_time": 0.2143,
    "image_size": {"width": 640, "height": 180},
    "source": "ocr",
    "reason": "no text",
}
ANSWER = {
    "success": True,
    "results": [ITEM],
    "processing_time": 0.1234,
    "image_size": {"width": 640, "height": 180},
}
DOCUMENT_ANSWER = {"success": True, "results": [PAGE]}
PICTURE_EXAMPLE = {"page": "3", "dpi": "150", "password": "open sesame"}
PICTURE_STARTS = {JPEG: "\u00ff\u00d8\u00ff\u00e0 \u2026", PNG: "\u0089PNG \u2026"}  # of a file, as examples
NDJSON = "One object of `results` a line, as each page is done; a page that fails is a last line: a problem."


def body(type_: type[msgspec.Struct], **members: object) -> dict[str, Any]:
    """Returns `openapi_extra` of a JSON call."""
    return openapi.json_body(type_, example={"image": EXAMPLE_IMAGE, **members})


def answers(
    type_: type[msgspec.Struct], example: object, refusals: Iterable[type[Problem]], *, every_form: bool = False
) -> dict[int | str, Any]:
    """Returns `responses` of a call; with `every_form` in all forms that `format` knows."""
    responses = openapi.answers({200: type_}, refusals)
    content = responses[200]["content"]
    content["application/json"]["example"] = example
    if every_form:
        for form in forms.FORMS.values():
            binary = {"format": "binary"} if form is forms.PDF else {}
            content.setdefault(form.media_type, {"schema": {"type": "string", **binary}})
        content[forms.NDJSON.media_type]["schema"]["description"] = NDJSON
    return responses


def picture_body() -> dict[str, Any]:
    """Returns `openapi_extra` of a call that draws a page."""
    described = openapi.multipart_body(
        "file", description="A PDF, or an image as /upload takes it.", fields=fields.PICTURE
    )
    properties = described["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    for name, example in PICTURE_EXAMPLE.items():
        properties[name]["examples"] = [example]
    return described


def picture_answers(refusals: Iterable[type[Problem]]) -> dict[int | str, Any]:
    """Returns `responses` of a call that answers with a picture."""
    responses = openapi.answers({200: None}, refusals)
    schema = {"type": "string", "format": "binary"}
    content = {form.media_type: {"schema": schema, "example": start} for form, start in PICTURE_STARTS.items()}
    responses[200] = {"description": "The page upright, as places in it are told.", "content": content}
    return responses

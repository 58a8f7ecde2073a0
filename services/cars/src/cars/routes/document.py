"""What the OpenAPI document says alike of several routes: refusals and examples."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from servicekit import openapi, problems
from servicekit.database.problems import StorageFull, StorageUnavailable
from servicekit.problems import Problem

from cars.problems import (
    BackendAnswerInvalid,
    BackendMisconfigured,
    BackendRefused,
    BackendTimeout,
    BackendUnavailable,
    ImageTooLarge,
    NotAnImage,
    PicturesUnavailable,
    UnknownFile,
)

Problems = tuple[type[Problem], ...]

READING: Problems = (StorageUnavailable,)
WRITING: Problems = (StorageFull, StorageUnavailable, problems.NotReady)
ONE: Problems = (UnknownFile,)
FORM: Problems = (
    ImageTooLarge,
    NotAnImage,
    problems.FileMissing,
    problems.FileTooLarge,
    problems.InvalidInput,
    problems.MultipartInvalid,
    problems.TooManyFiles,
    problems.UnsupportedMediaType,
    problems.UploadStorageFull,
)
JSON: Problems = (problems.InvalidInput, problems.MalformedJSON, problems.UnsupportedMediaType)
RECOGNISING: Problems = (
    BackendAnswerInvalid,
    BackendMisconfigured,
    BackendRefused,
    BackendTimeout,
    BackendUnavailable,
    NotAnImage,
    problems.NotReady,
)
PICTURES: Problems = (PicturesUnavailable,)

CANDIDATE: dict[str, Any] = {
    "label": "Tesla Model S Sedan 2012",
    "make": "Tesla",
    "model": "Model S",
    "body": "Sedan",
    "year": 2012,
    "confidence": 0.9412,
}
READ: dict[str, Any] = {
    "predictions": [CANDIDATE],
    "recognized": True,
    "reason": None,
    "car": {
        "make": {"value": "Tesla", "confidence": 0.9412},
        "model": {"value": "Model S", "confidence": 0.9412},
        "body": {"value": "Sedan", "confidence": 0.9689},
        "year": {"value": 2012, "confidence": 0.9703},
    },
    "region": {"x": 112, "y": 240, "width": 1380, "height": 702},
    "backend": "local",
    "model": "lineside-cars",
    "model_version": "0f8fad5bd9cb",
}
UNREAD: dict[str, Any] = {**dict.fromkeys(READ), "predictions": []}
STORED: dict[str, Any] = {
    "id": 1,
    "filename": "car.jpg",
    "sha256": "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea",
    "size_bytes": 284_113,
    "width": 1600,
    "height": 1067,
    "content_type": "image/jpeg",
    "uploaded_at": "2026-03-14T09:26:53.589Z",
}
PENDING: dict[str, Any] = {
    **STORED,
    **UNREAD,
    "status": "pending",
    "recognized_at": None,
    "error": None,
    "correction": None,
}
FILE: dict[str, Any] = {**PENDING, **READ, "status": "recognized", "recognized_at": "2026-03-14T09:26:54.013Z"}
UPLOADED: dict[str, Any] = {**PENDING, "duplicate": False}
REFUSED: dict[str, Any] = {
    key: value
    for key, value in NotAnImage('"note.txt" cannot be taken: it is text; JPEG and PNG are taken')
    .document(None)
    .items()
    if key != "request_id"
}
GONE: dict[str, Any] = {
    key: value for key, value in UnknownFile("there is no file 9").document(None).items() if key != "request_id"
}
UPLOADS: dict[str, Any] = {
    "items": [
        {"filename": "car.jpg", "status": 201, "file": UPLOADED},
        {"filename": "note.txt", "status": 422, "error": REFUSED},
    ]
}
INFERENCES: dict[str, Any] = {
    "items": [{"id": 1, "status": 200, "file": FILE}, {"id": 9, "status": 404, "error": GONE}]
}
JOB: dict[str, Any] = {
    "id": "9f86d081884c7d65",
    "kind": "inference",
    "status": "running",
    "progress": 0.5,
    "total": 2,
    "created_at": "2026-03-14T09:26:53.589Z",
    "started_at": "2026-03-14T09:26:53.702Z",
    "finished_at": None,
    "error": None,
    "result": {"items": [{"id": 1, "status": 200}]},
}


def answers(
    types: Mapping[int, type[msgspec.Struct] | None],
    *refusals: Iterable[type[Problem]],
    examples: Mapping[int, object] | None = None,
) -> dict[int | str, Any]:
    """Returns `responses` of a call, with an example of each success."""
    responses = openapi.answers(types, dict.fromkeys(each for group in refusals for each in group))
    for status, example in (examples or {}).items():
        responses[status]["content"]["application/json"]["example"] = example
    return responses

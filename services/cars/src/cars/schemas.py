"""Requests and answers, as the documentation describes them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from servicekit.health import Summary

Id = Annotated[int, Meta(description="Counted from 1; never used twice.")]
Confidence = Annotated[float, Meta(extra_json_schema={"minimum": 0, "maximum": 1})]
Time = Annotated[str, Meta(description="UTC, as RFC 3339 has it.")]
Sha256 = Annotated[
    str, Meta(description="Of the picture as it is kept: without what a camera wrote of place and time.")
]
Pixels = Annotated[int, Meta(description="Of the upright picture.")]
Status = Literal["pending", "processing", "recognized", "unrecognized", "failed"]
JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Reason = Literal["no_car", "unknown_model", "low_confidence"]
BackendName = Literal["local", "huggingface", "folder"]
Problem = Annotated[dict[str, Any], Meta(description="A problem as RFC 9457 has it.")]

MAX_LABEL_CHARS = 128


class Prediction(msgspec.Struct):
    """A class that the picture may show; what its name does not tell is null."""

    label: str
    make: str | None
    model: str | None
    body: str | None
    year: int | None
    confidence: Confidence


class Named(msgspec.Struct):
    """A make, a model or a body, with the confidence of all classes that share it."""

    value: str
    confidence: Confidence


class Dated(msgspec.Struct):
    """A model year, with the confidence of all classes that share it."""

    value: int
    confidence: Confidence


class Car(msgspec.Struct):
    """What the classes agree on, summed over all that share it: make and model never contradict each other."""

    make: Named | None
    model: Named | None
    body: Named | None
    year: Dated | None


class Region(msgspec.Struct):
    """The part of the picture that was read, in pixels of the upright picture."""

    x: int
    y: int
    width: int
    height: int


class Correction(msgspec.Struct):
    """What somebody says that the picture shows; it stands beside the predictions and changes none."""

    label: str
    make: str | None
    model: str | None
    body: str | None
    year: int | None
    corrected_at: Time


class Stored(msgspec.Struct, kw_only=True):
    """A picture."""

    id: Id
    filename: str
    sha256: Sha256
    size_bytes: Annotated[int, Meta(description="Of the picture as it is kept.")]
    width: Pixels
    height: Pixels
    content_type: Literal["image/jpeg", "image/png"]
    uploaded_at: Time
    status: Status


class File(Stored, kw_only=True):
    """A picture and what one model says of it; `recognized` is null while none has been asked."""

    predictions: list[Prediction]
    recognized: bool | None
    reason: Reason | None
    car: Car | None
    region: Region | None
    backend: BackendName | None
    model: Annotated[str | None, Meta(description="The model that was asked, by its name.")]
    model_version: str | None
    recognized_at: Time | None
    error: Problem | None
    correction: Correction | None


class Uploaded(File, kw_only=True):
    """The picture's metadata; `duplicate` where the same bytes had come before: then it is the file of that time."""

    duplicate: bool


class FileList(msgspec.Struct):
    """Files, newest first."""

    items: list[File]
    next_cursor: str | None


class UploadItem(msgspec.Struct):
    """One of the files: stored (201), there already (200), or refused with a problem."""

    filename: str
    status: int
    file: Uploaded | UnsetType = UNSET
    error: Problem | UnsetType = UNSET


class UploadBatch(msgspec.Struct):
    """What became of each file, in the order of the form."""

    items: list[UploadItem]


class ImageIds(msgspec.Struct, forbid_unknown_fields=True):
    """The pictures to recognise."""

    image_ids: list[int]


class InferenceItem(msgspec.Struct):
    """One of the ids: its file with its predictions (200), or the problem."""

    id: int
    status: int
    file: File | UnsetType = UNSET
    error: Problem | UnsetType = UNSET


class InferenceBatch(msgspec.Struct):
    """What became of each id, in the order of the request; an id that is repeated is answered once."""

    items: list[InferenceItem]


class JobItem(msgspec.Struct):
    """One of the ids that are done: 200, `GET /files/{id}` has the predictions; else the problem."""

    id: int
    status: int
    error: Problem | UnsetType = UNSET


class JobResult(msgspec.Struct):
    """What is done so far."""

    items: list[JobItem]


class Job(msgspec.Struct):
    """Long work: queued, running, then succeeded with a result, failed with an error, or cancelled."""

    id: str
    kind: str
    status: JobStatus
    progress: Confidence
    total: Annotated[int, Meta(description="Pictures.")]
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    error: Problem | None
    result: JobResult | None


class JobList(msgspec.Struct):
    """Jobs, newest first."""

    items: list[Job]
    next_cursor: str | None


class Sent(msgspec.Struct, kw_only=True):
    """A picture that is not kept."""

    filename: str
    sha256: Sha256
    width: Pixels
    height: Pixels


class Answer(Sent, kw_only=True):
    """What the picture shows; nothing of it is kept."""

    predictions: list[Prediction]
    recognized: bool
    reason: Reason | None
    car: Car | None
    region: Region | None
    backend: BackendName
    model: Annotated[str, Meta(description="The model that was asked, by its name.")]
    model_version: str


class CorrectionRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What the picture shows, best in the words of a label: `Honda Civic Sedan 2012`."""

    label: Annotated[str, Meta(min_length=1, max_length=MAX_LABEL_CHARS)]


class Label(msgspec.Struct):
    """A car that the model can name."""

    index: int
    name: str
    make: str | None
    model: str | None
    body: str | None
    year: int | None


class LabelList(msgspec.Struct):
    """The cars that the model tells apart."""

    items: list[Label]
    next_cursor: None = None


class ModelItem(msgspec.Struct):
    """What recognises: the backend, its model, and what else it tells of itself."""

    backend: BackendName
    model: str | None
    model_version: str | None
    details: dict[str, Any]


class ModelList(msgspec.Struct):
    """The recogniser that answers."""

    items: list[ModelItem]
    next_cursor: None = None


class Health(Summary):
    """The status, what recognises, the database and the pictures' storage, and the limits."""

    version: str
    backend: BackendName
    model: str | None
    model_version: str | None
    recogniser: dict[str, Any]
    database: str
    storage: str
    files: dict[str, int]
    queue_depth: int
    limits: dict[str, float]

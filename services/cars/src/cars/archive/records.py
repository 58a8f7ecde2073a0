"""What the archive tells and is told: plain values, without a database behind them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Literal, get_args

from cars.recognition import BackendName, Box, Candidate, Reason, Share

Status = Literal["pending", "processing", "recognized", "unrecognized", "failed"]
STATUSES: tuple[Status, ...] = get_args(Status)
CONFIDENCE_STEPS = 10  # counts by confidence are of steps of a tenth


@dataclass(frozen=True, slots=True)
class NewFile:
    """A picture that lies in the storage under `key`, a key of this upload alone."""

    filename: str
    sha256: str
    size_bytes: int
    width: int  # upright, pixels
    height: int
    content_type: str
    key: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says the picture shows."""

    label: str
    make: str | None
    model: str | None
    body: str | None
    year: int | None
    corrected_at: datetime


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A stored picture and what is known of it; everything from `error` on is empty until it was recognised."""

    id: int
    filename: str
    sha256: str
    key: str
    size_bytes: int
    width: int
    height: int
    content_type: str
    uploaded_at: datetime  # UTC, as all times
    status: Status
    error: dict[str, Any] | None  # a problem's document
    recognized_at: datetime | None
    recognized: bool | None
    reason: Reason | None
    backend: BackendName | None
    model_name: str | None
    model_version: str | None
    region: Box | None
    make: Share | None
    model: Share | None
    body: Share | None
    year: Share | None
    predictions: tuple[Candidate, ...]  # the most certain first
    correction: Correction | None

    @property
    def thumbnail_key(self) -> str:
        return thumbnail_key(self.key)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to recognise a file, until it lapses, or until the file is reset or deleted."""

    file_id: int
    number: int


@dataclass(frozen=True, slots=True)
class Filters:
    """Which files: all that is given has to hold. Times in epoch milliseconds, the end of the range not included.

    Make and model are those of the correction, else of the first prediction of a recognized file; `q` is a part of the
    file's name or of that label, in any case.
    """

    status: Status | None = None
    make: str | None = None
    model: str | None = None
    q: str | None = None
    uploaded_from_ms: int | None = None
    uploaded_to_ms: int | None = None
    confidence_min: float | None = None
    confidence_max: float | None = None


@dataclass(frozen=True, slots=True)
class ModelCount:
    make: str | None
    model: str
    count: int


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of files, the largest first; makes and models are those that `Filters` finds."""

    files: int
    size_bytes: int
    predictions: int
    corrections: int
    by_status: dict[Status, int]  # all of them
    by_make: dict[str, int]
    by_model: tuple[ModelCount, ...]
    by_confidence: tuple[int, ...]  # (CONFIDENCE_STEPS,) of the first prediction, the least certain first
    by_reason: dict[str, int]
    by_backend: dict[str, int]
    by_day: dict[str, int]  # of the upload, in UTC, oldest first


def thumbnail_key(key: str) -> str:
    """Returns where the thumbnail of the picture at `key` lies."""
    path = PurePosixPath(key)
    return str(PurePosixPath("thumbnails", *path.parts[1:]).with_suffix(".jpg"))

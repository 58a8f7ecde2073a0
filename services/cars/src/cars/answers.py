"""The members of answers, as schemas.py describes them, out of what the archive and the backends tell."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import msgspec
from servicekit.problems import Problem

from cars import schemas
from cars.archive import Correction, FileRecord
from cars.archive.jobs import JobRecord
from cars.recognition import Box, Candidate, Recognition, Share

DECIMALS = 6  # of confidences
UNREAD: dict[str, Any] = {
    "predictions": [],
    "recognized": None,
    "reason": None,
    "car": None,
    "region": None,
    "backend": None,
    "model": None,
    "model_version": None,
}


def time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def file(record: FileRecord) -> schemas.File:
    """Returns a stored picture and what is known of it."""
    return schemas.File(**_file(record))


def uploaded(record: FileRecord, *, duplicate: bool) -> schemas.Uploaded:
    return schemas.Uploaded(**_file(record), duplicate=duplicate)


def problem(problem: Problem) -> dict[str, Any]:
    """Returns a problem as a member of an answer: the request's id is that of the answer."""
    return {name: value for name, value in problem.document(None).items() if name != "request_id"}


def recognised(found: Recognition) -> dict[str, Any]:
    """Returns the members of a Recognised."""
    return _recognised(found.predictions, found, found.recognized)


def _file(record: FileRecord) -> dict[str, Any]:
    read = UNREAD if record.recognized is None else _recognised(record.predictions, record, record.recognized)
    return {
        **read,
        "id": record.id,
        "filename": record.filename,
        "sha256": record.sha256,
        "size_bytes": record.size_bytes,
        "width": record.width,
        "height": record.height,
        "content_type": record.content_type,
        "uploaded_at": time(record.uploaded_at),
        "status": record.status,
        "recognized_at": record.recognized_at and time(record.recognized_at),
        "error": record.error,
        "correction": record.correction and _correction(record.correction),
    }


def _recognised(
    predictions: tuple[Candidate, ...], found: FileRecord | Recognition, recognized: bool
) -> dict[str, Any]:
    return {
        "predictions": [_prediction(candidate) for candidate in predictions],
        "recognized": recognized,
        "reason": found.reason,
        "car": _car(found),
        "region": found.region and _region(found.region),
        "backend": found.backend,
        "model": found.model_name,
        "model_version": found.model_version,
    }


def _prediction(candidate: Candidate) -> schemas.Prediction:
    return schemas.Prediction(**{**asdict(candidate), "confidence": round(candidate.confidence, DECIMALS)})


def _car(found: FileRecord | Recognition) -> schemas.Car | None:
    named = {name: _share(getattr(found, name)) for name in ("make", "model", "body", "year")}
    return msgspec.convert(named, schemas.Car) if any(named.values()) else None


def _share(share: Share | None) -> dict[str, Any] | None:
    return None if share is None else {"value": share.value, "confidence": round(share.confidence, DECIMALS)}


def _region(box: Box) -> schemas.Region:
    return schemas.Region(*box)


def _correction(correction: Correction) -> schemas.Correction:
    return schemas.Correction(**{**asdict(correction), "corrected_at": time(correction.corrected_at)})


def job(record: JobRecord) -> schemas.Job:
    """Returns a long batch, how far it is and what is done of it."""
    return schemas.Job(
        id=record.id,
        kind=record.kind,
        status=record.status,
        progress=record.progress,
        total=len(record.parameters["image_ids"]),
        created_at=time(record.created_at),
        started_at=time(record.started_at) if record.started_at else None,
        finished_at=time(record.finished_at) if record.finished_at else None,
        error=record.error,
        result=record.result and msgspec.convert(record.result, schemas.JobResult),
    )

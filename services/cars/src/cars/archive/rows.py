"""Between rows and records."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from servicekit import names

from cars.archive.records import Correction, FileRecord, NewFile
from cars.archive.schema import SEARCH_BYTES
from cars.recognition import Box, Candidate, Recognition, Share

WORDS = ("make", "model", "body")
SHARED = (*WORDS, "year")
WORD_CHARS, LABEL_CHARS = 64, 200
Row = Mapping[Any, Any]

UNRECOGNISED: dict[str, Any] = {
    "lease_until_ms": None,
    "recognized_ms": None,
    "reason": None,
    "error": None,
    "backend": None,
    "model_name": None,
    "model_version": None,
    "region": None,
    "shares": None,
    "prediction_count": 0,
    "confidence": None,
}  # the columns of a file of which no model has said anything


def record(rows: Sequence[Row]) -> FileRecord:
    """Returns the record of one file, of which there is a row for each prediction, in order, or a single one."""
    row = rows[0]
    recognized = {"recognized": True, "unrecognized": False}.get(row["status"])
    return FileRecord(
        **{name: row[name] for name in ("id", "filename", "sha256", "key", "size_bytes", "width", "height")},
        **{name: row[name] for name in ("content_type", "status", "error", "reason")},
        **{name: row[name] for name in ("backend", "model_name", "model_version")},
        **_shares(row["shares"] or {}),
        uploaded_at=moment(row["uploaded_ms"]),
        recognized_at=None if row["recognized_ms"] is None else moment(row["recognized_ms"]),
        recognized=recognized,
        region=Box(*row["region"]) if row["region"] else None,
        predictions=tuple(_candidate(each) for each in rows if each["prediction_rank"] is not None),
        correction=_correction(row),
    )


def moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def file_values(new: NewFile, now_ms: int) -> dict[str, Any]:
    """Returns the row of a picture that nobody has recognised yet."""
    filename = names.clean(new.filename)
    return {
        **{name: getattr(new, name) for name in ("sha256", "key", "size_bytes", "width", "height", "content_type")},
        **UNRECOGNISED,
        "filename": filename,
        "uploaded_ms": now_ms,
        "status": "pending",
        "claims": 0,
        "corrected": False,
        **shown(filename, None),
    }


def recognition_values(recognition: Recognition, now_ms: int) -> dict[str, Any]:
    """Returns the columns that a recognition fills."""
    shares = {name: getattr(recognition, name) for name in SHARED}
    first = recognition.predictions[0] if recognition.predictions else None
    return {
        **UNRECOGNISED,
        "status": "recognized" if recognition.recognized else "unrecognized",
        "recognized_ms": now_ms,
        "reason": recognition.reason,
        "backend": recognition.backend,
        "model_name": names.clean(recognition.model_name),
        "model_version": names.clean(recognition.model_version),
        "region": None if recognition.region is None else [int(side) for side in recognition.region],
        "shares": {name: _share_values(share) for name, share in shares.items() if share},
        "prediction_count": len(recognition.predictions),
        "confidence": first.confidence if first else None,
    }


def _share_values(share: Share) -> list[str | int | float]:
    value = names.clean(share.value) if isinstance(share.value, str) else int(share.value)
    return [value, float(share.confidence)]


def prediction_values(file_id: int, rank: int, candidate: Candidate) -> dict[str, Any]:
    car = car_values(candidate)
    return {"file_id": file_id, "rank": rank, **car, "confidence": candidate.confidence}


def car_values(car: Any) -> dict[str, Any]:
    """Returns the columns of what has a label, make, model, body and year; texts are such that any database keeps."""
    words = {name: None if (text := getattr(car, name)) is None else names.clean(text)[:WORD_CHARS] for name in WORDS}
    return {"label": names.clean(car.label)[:LABEL_CHARS], **words, "year": car.year}


def shown(filename: str, car: Row | None) -> dict[str, Any]:
    """Returns what filters look at: `car` is the correction, or the first prediction of a recognized file."""
    car = car or {"label": "", "make": None, "model": None}
    text = f"{filename}\n{car['label']}" if car["label"] else filename
    return {"shown_make": car["make"], "shown_model": car["model"], "search": _bounded(text.casefold())}


def _bounded(text: str) -> str:
    return text.encode()[:SEARCH_BYTES].decode(errors="ignore")


def _candidate(row: Row) -> Candidate:
    names_ = ("label", "make", "model", "body", "year", "confidence")
    return Candidate(**{name: row[f"prediction_{name}"] for name in names_})


def _shares(shares: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Share(*shares[name]) if name in shares else None for name in SHARED}


def _correction(row: Row) -> Correction | None:
    if row["correction_label"] is None:
        return None
    car = {name: row[f"correction_{name}"] for name in ("label", *SHARED)}
    return Correction(**car, corrected_at=moment(row["correction_corrected_ms"]))

"""The columns of a table of files, the same in CSV and XLSX."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from servicekit.sheets import Cell

from cars.archive import FileRecord
from cars.recognition import Share

RANKS = 5  # predictions of a file
DIGITS = 4  # of a confidence


class Column(NamedTuple):
    name: str
    about: str  # for the documentation
    cell: Callable[[FileRecord], Cell]


def _plain(name: str, about: str) -> Column:
    return Column(name, about, lambda file: getattr(file, name))


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shared(name: str) -> list[Column]:
    def share(file: FileRecord) -> Share | None:
        found: Share | None = getattr(file, name)
        return found

    return [
        Column(name, f"the {name}", lambda file: _value(share(file))),
        Column(f"{name}_confidence", f"summed over the classes that share the {name}", lambda file: _sum(share(file))),
    ]


def _value(share: Share | None) -> Cell:
    return share.value if share else None


def _sum(share: Share | None) -> float | None:
    return round(share.confidence, DIGITS) if share else None


def _ranked(rank: int) -> list[Column]:
    def label(file: FileRecord) -> str | None:
        return file.predictions[rank].label if rank < len(file.predictions) else None

    def confidence(file: FileRecord) -> float | None:
        return round(file.predictions[rank].confidence, DIGITS) if rank < len(file.predictions) else None

    number = "" if rank == 0 else f"_{rank + 1}"
    which = "most certain class" if rank == 0 else f"class that is number {rank + 1} by certainty"
    return [
        Column(f"label{number}", f"the {which}", label),
        Column(f"confidence{number}", "its confidence, 0 to 1", confidence),
    ]


def _correction(file: FileRecord) -> str | None:
    return file.correction.label if file.correction else None


def _error(file: FileRecord) -> str | None:
    return str(file.error.get("detail") or file.error.get("title")) if file.error else None


def _region(at: int, name: str) -> Column:
    return Column(
        f"region_{name}", f"{name} of the part that was read, in pixels", lambda file: file.region and file.region[at]
    )


COLUMNS: tuple[Column, ...] = (
    _plain("id", "the file's number"),
    _plain("filename", "its name as it was sent"),
    _plain("status", "pending, processing, recognized, unrecognized or failed"),
    _plain("recognized", "true or false; empty while no model has said anything"),
    _plain("reason", "why it is not recognized: no_car, unknown_model or low_confidence"),
    *_ranked(0),
    *(column for name in ("make", "model", "body", "year") for column in _shared(name)),
    Column("correction", "what a person says that it shows", _correction),
    *(column for rank in range(1, RANKS) for column in _ranked(rank)),
    *(_region(at, name) for at, name in enumerate(("x", "y", "width", "height"))),
    _plain("backend", "what recognised: local, folder or huggingface"),
    _plain("model_name", "the model that was asked"),
    _plain("model_version", "its version"),
    Column("error", "why it failed", _error),
    _plain("width", "pixels of the upright picture"),
    _plain("height", "pixels of the upright picture"),
    _plain("size_bytes", "size of the picture as it is kept"),
    _plain("content_type", "image/jpeg or image/png"),
    _plain("sha256", "of the picture as it is kept"),
    Column("uploaded_at", "UTC", lambda file: _time(file.uploaded_at)),
    Column("recognized_at", "UTC", lambda file: _time(file.recognized_at)),
)
NAMES = tuple(column.name for column in COLUMNS)


def cells(file: FileRecord) -> list[Cell]:
    """Returns the row of a file."""
    return [column.cell(file) for column in COLUMNS]

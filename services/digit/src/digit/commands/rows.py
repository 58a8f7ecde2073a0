"""What is told of each picture that was read, alike in files and in answers: CSV, JSON, NDJSON."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from servicekit import sheets

from digit.postprocess import Reading

Format = Literal["csv", "json", "ndjson"]
COLUMNS = ("name", "prediction", "confidence", "is_digit", "model", "error")
DETAIL_COLUMNS = (*(f"p{digit}" for digit in range(10)), "x", "y", "width", "height")
PLACES = 6  # of a probability; more say nothing


@dataclass(frozen=True, slots=True)
class Row:
    """One picture: what was read in it, or why nothing was."""

    name: str
    reading: Reading | None = None
    error: str = ""


def written(rows: Iterable[Row], form: Format, *, detail: bool) -> Iterator[str]:
    """Yields the text of a whole file, piece by piece and in the order of the rows."""
    return {"csv": _csv, "json": _json, "ndjson": _ndjson}[form](rows, detail)


def csv_header(detail: bool) -> str:
    return sheets.line((*COLUMNS, *DETAIL_COLUMNS) if detail else COLUMNS)


def csv_line(row: Row, detail: bool) -> str:
    """Returns a row of CSV with its CRLF; no name in it is a formula."""
    reading = row.reading
    cells: list[sheets.Cell] = [row.name, None, None, None, None, row.error or None]
    more: list[sheets.Cell] = [None] * len(DETAIL_COLUMNS)
    if reading:
        cells[1:5] = reading.prediction, _rounded(reading.confidence), reading.is_digit, reading.model
        more = [*map(_rounded, reading.probabilities), *reading.box]
    return sheets.line([*cells, *more] if detail else cells)


def json_line(row: Row, detail: bool) -> dict[str, Any]:
    """Returns the members of one line of NDJSON."""
    if row.reading is None:
        return {"name": row.name, "error": row.error}
    known = members(row.reading)
    shown = known if detail else {name: known[name] for name in ("prediction", "confidence", "is_digit")}
    return {"name": row.name, **shown}


def last_line(total: int, failed: int) -> dict[str, Any]:
    """Returns the members of the line that ends an NDJSON, without which it is not whole."""
    return {"done": True, "total": total, "failed": failed}


def members(reading: Reading) -> dict[str, Any]:
    """Returns a reading with all its detail."""
    return {
        "prediction": reading.prediction,
        "confidence": _rounded(reading.confidence),
        "probabilities": [_rounded(probability) for probability in reading.probabilities],
        "model": reading.model,
        "is_digit": reading.is_digit,
        "box": reading.box,
    }


def _csv(rows: Iterable[Row], detail: bool) -> Iterator[str]:
    yield csv_header(detail)
    for row in rows:
        yield csv_line(row, detail)


def _json(rows: Iterable[Row], detail: bool) -> Iterator[str]:
    """In the shape of `/predict_batch`: `predictions` as they come, and the few `errors` at the end."""
    errors: dict[str, str] = {}
    yield '{"predictions":{'
    separator = "\n"
    for row in rows:
        if row.reading is None:
            errors[row.name] = row.error
            continue
        value = members(row.reading) if detail else row.reading.prediction
        yield f"{separator}{_encoded(row.name)}:{_encoded(value)}"
        separator = ",\n"
    yield f'\n}},"errors":{_encoded(errors)}}}\n'


def _ndjson(rows: Iterable[Row], detail: bool) -> Iterator[str]:
    total = failed = 0
    for row in rows:
        total += 1
        failed += row.reading is None
        yield _encoded(json_line(row, detail)) + "\n"
    yield _encoded(last_line(total, failed)) + "\n"


def _rounded(probability: float) -> float:
    return round(probability, PLACES)


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()

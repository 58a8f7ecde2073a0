"""Which column is what: names and units, a time, a quality, sensors; from the first lines of a table."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from anomaly.detector.modelfile import Sensor
from anomaly.formats import cells
from anomaly.formats.tables import TableError, shown

ALWAYS_TIME = frozenset({"timestamp", "datetime"})
PERHAPS_TIME = frozenset({"time", "date", "date_time", "ts"})  # where the first value is a time
QUALITY = "quality"
MAX_NAME_CHARS = 128
DELIMITERS = (";", "\t", ",")
UNIT = re.compile(r"(?P<name>.*\S)\s*\[(?P<unit>[^\[\]]{1,32})\]")


@dataclass(frozen=True)
class Choice:
    """Columns by name, or by number from 1: only `keep` are sensors where it is not empty, and never `drop`."""

    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """The places of sensors, time and quality in a row of `width` cells; `sensors` is None without a header."""

    width: int
    labels: tuple[str, ...]
    sensors: tuple[Sensor, ...] | None
    places: tuple[int, ...]
    time: int | None
    quality: int | None


def delimiter_of(first: str, second: str) -> str:
    """Returns what separates cells: the first of `;`, tab and `,` that stands equally often in the first two lines."""
    for delimiter in DELIMITERS:
        count = first.count(delimiter)
        if count and (not second or second.count(delimiter) == count):
            return delimiter
    return next((delimiter for delimiter in DELIMITERS if delimiter in first), ",")


def has_names(first: Sequence[str], decimal_comma: bool) -> bool:
    """A header holds no number at all; a row of values with one bad cell is refused by its cell instead."""
    return any(cell.strip() for cell in first) and not any(
        cells.number(cell, decimal_comma) is not None or cells.moment(cell) is not None for cell in first
    )


def named_columns(names: Sequence[str], sample: Sequence[str], row: int, choice: Choice) -> Columns:
    """Tells the columns of a header; `sample` are the cells below it. Raises TableError for unusable names."""
    labels = tuple(name.strip(" ") for name in names)
    _check_names(labels, row)
    plain = [label.casefold() for label in labels]
    dropped = _chosen(labels, choice.drop, row)
    kept = _chosen(labels, choice.keep, row) if choice.keep else set(range(len(labels)))
    time = next((i for i, name in enumerate(plain) if i not in dropped and _is_time(name, sample, i)), None)
    quality = next((i for i, name in enumerate(plain) if i not in dropped and name == QUALITY), None)
    places = tuple(i for i in sorted(kept - dropped) if i not in (time, quality))
    return _sound(Columns(len(labels), labels, _sensors(labels, places), places, time, quality), row)


def numbered_columns(first: Sequence[str], row: int, choice: Choice) -> Columns:
    """Tells the columns of a table without a header: a first column of times, the others sensors."""
    labels = tuple(str(i + 1) for i in range(len(first)))
    dropped = _chosen(labels, choice.drop, row)
    kept = _chosen(labels, choice.keep, row) if choice.keep else set(range(len(labels)))
    time = 0 if 0 not in dropped and cells.moment(first[0]) is not None else None
    places = tuple(i for i in sorted(kept - dropped) if i != time)
    return _sound(Columns(len(labels), labels, None, places, time, None), row)


def _is_time(name: str, sample: Sequence[str], place: int) -> bool:
    value = sample[place] if place < len(sample) else ""
    return name in ALWAYS_TIME or (name in PERHAPS_TIME and cells.moment(value) is not None)


def _sound(columns: Columns, row: int) -> Columns:
    if not columns.places:
        raise TableError("there is no column with sensor values", row)
    return columns


def _check_names(labels: Sequence[str], row: int) -> None:
    seen: set[str] = set()
    for i, label in enumerate(labels):
        if not label:
            raise TableError(f"column {i + 1} has no name", row)
        if len(label) > MAX_NAME_CHARS:
            raise TableError(
                f"the name of column {i + 1} has {len(label)} characters, the limit is {MAX_NAME_CHARS}", row
            )
        if not label.isprintable():
            raise TableError(f"the name of column {i + 1}, {shown(label)}, holds control characters", row)
        if label in seen:
            raise TableError(f"two columns have the name {shown(label)}", row)
        seen.add(label)


def _chosen(labels: Sequence[str], asked: Sequence[str], row: int) -> set[int]:
    """Returns the places of columns asked for by full name, or by name without unit; raises TableError."""
    bare = [_split(label)[0] for label in labels]
    found = {i for i, label in enumerate(labels) if label in asked or bare[i] in asked}
    for name in asked:
        if name not in labels and name not in bare:
            raise TableError(
                f"there is no column {shown(name)}; the columns are {', '.join(map(shown, labels[:12]))}", row
            )
    return found


def _sensors(labels: Sequence[str], places: Sequence[int]) -> tuple[Sensor, ...]:
    """Splits `temperature [K]` into name and unit, unless two names would then be the same."""
    split = [_split(labels[i]) for i in places]
    if len({name for name, _ in split}) < len(split):
        split = [(labels[i], "") for i in places]
    return tuple(Sensor(name, unit) for name, unit in split)


def _split(label: str) -> tuple[str, str]:
    found = UNIT.fullmatch(label)
    return (found["name"], found["unit"].strip()) if found else (label, "")

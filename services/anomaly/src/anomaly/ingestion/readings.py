"""What a client sent as readings: parsed and checked as far as that needs no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from servicekit.problems import InvalidInput, quote
from servicekit.strict import decode

from anomaly.formats import readers
from anomaly.formats.tables import Limits, TableError
from anomaly.ingestion import timestamps
from anomaly.model import Sensor
from anomaly.preprocess import Array
from anomaly.problems import TableInvalid, TooManyRows, UnknownSensor, WrongDimension

Quality = Literal["good", "uncertain", "bad"]


class Reading(msgspec.Struct, forbid_unknown_fields=True):
    """One reading: `values` in the order of the model's sensors, or `sensors` by name; null where there is no value."""

    values: list[float | None] | UnsetType = UNSET
    sensors: dict[str, float | None] | UnsetType = UNSET
    timestamp: str | int | None = None
    quality: Quality = "good"


class ReadingRows(msgspec.Struct, forbid_unknown_fields=True):
    """Many readings; timestamps and qualities, where they are given, one for each row."""

    rows: list[list[float | None]]
    timestamps: list[str | int] | None = None
    qualities: list[Quality] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Incoming:
    """Readings in the client's order: rows (n, k) with NaN for null, n >= 1; `names` (k) where the client gave them."""

    rows: Array
    names: Sequence[str] | None = None
    timestamps_ms: Sequence[int] | None = None
    qualities: Sequence[Quality] | None = None
    numbers: Sequence[int] | None = None  # of the rows, in refusals; None for a single reading

    def quality(self, i: int) -> Quality:
        return self.qualities[i] if self.qualities else "good"

    def place(self, i: int) -> str:
        """Returns how a refusal of row i begins."""
        return "" if self.numbers is None else f"row {self.numbers[i]}: "

    def aligned(self, sensors: Sequence[Sensor]) -> Array:
        """Returns the rows (n, d) in the order of the model's sensors; raises UnknownSensor or WrongDimension."""
        if self.names is not None:
            return self._by_name([sensor.name for sensor in sensors])
        if self.rows.shape[1] != len(sensors):
            raise WrongDimension(f"{self.place(0)}{self.rows.shape[1]} values came, the model takes {len(sensors)}")
        return self.rows

    def _by_name(self, sensors: list[str]) -> Array:
        places = {name: i for i, name in enumerate(sensors)}
        aligned = np.full((len(self.rows), len(sensors)), np.nan)
        for column, name in enumerate(self.names or ()):
            if name not in places:
                known = ", ".join(quote(sensor) for sensor in sensors[:10])
                raise UnknownSensor(f"the model has no sensor {quote(name)}, it has {known}")
            aligned[:, places[name]] = self.rows[:, column]
        return aligned


def parse_one(body: bytes) -> Incoming:
    """Reads a JSON body with one reading; raises the Problem that says what is wrong with it."""
    reading = decode(body, Reading)
    times = None if reading.timestamp is None else [timestamps.parse(reading.timestamp)]
    qualities = None if reading.quality == "good" else [reading.quality]
    if isinstance(reading.values, list) and reading.sensors is UNSET:
        return Incoming(_array([reading.values]), None, times, qualities)
    if isinstance(reading.sensors, dict) and reading.values is UNSET:
        if not reading.sensors:
            raise InvalidInput("`sensors` is empty, give at least one value")
        return Incoming(_array([list(reading.sensors.values())]), list(reading.sensors), times, qualities)
    raise InvalidInput("give either `values` or `sensors`")


def parse_rows(body: bytes, max_rows: int) -> Incoming:
    """Reads a JSON body with many readings."""
    sent = decode(body, ReadingRows)
    check_count(len(sent.rows), max_rows)
    for name, others in (("timestamps", sent.timestamps), ("qualities", sent.qualities)):
        if others is not None and len(others) != len(sent.rows):
            raise InvalidInput(f"there are {len(others)} {name} for {len(sent.rows)} rows")
    width = len(sent.rows[0])
    for number, row in enumerate(sent.rows, start=1):
        if len(row) != width:
            raise WrongDimension(f"row {number}: {len(row)} values came, row 1 has {width}")
    times = None if sent.timestamps is None else [timestamps.parse(at) for at in sent.timestamps]
    return Incoming(_array(sent.rows), None, times, sent.qualities, range(1, len(sent.rows) + 1))


def parse_csv(body: bytes, max_rows: int) -> Incoming:
    """Reads CSV whose header names the sensors, in any order; without one, the columns are the model's own."""
    try:
        table = readers.read_csv(body, Limits(max_rows=max_rows), allow_empty=True)
    except TableError as error:
        raise TableInvalid(str(error), row=error.row) from None
    times = None if table.timestamps_ms is None else [timestamps.parse(at) for at in table.timestamps_ms.tolist()]
    qualities = cast("Sequence[Quality] | None", table.qualities)  # the reader checks them
    numbers = range(1, len(table.rows) + 1) if table.row_numbers is None else table.row_numbers.tolist()
    return Incoming(table.rows, table.names, times, qualities, numbers)


def check_count(count: int, max_rows: int) -> None:
    """Raises InvalidInput for no rows and TooManyRows for more than the limit."""
    if not count:
        raise InvalidInput("there are no rows")
    if count > max_rows:
        raise TooManyRows(f"there are {count} rows, the limit is {max_rows}")


def _array(rows: Sequence[Sequence[float | None]]) -> Array:
    """Returns (n, k) with NaN for null, which JSON itself cannot hold."""
    return np.array(rows, dtype=np.float64)

"""A table of sensor values, the limits under which one is read, and the error that refuses one."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anomaly.detector.modelfile import Sensor

MAX_SHOWN_CHARS = 64


class TableError(ValueError):
    """A table cannot be read; the text says why, `row` where: lines counted from 1, the header included."""

    def __init__(self, reason: str, row: int | None = None) -> None:
        super().__init__(f"row {row}: {reason}" if row is not None else reason)
        self.row = row


@dataclass(frozen=True)
class Limits:
    """What is read at most; a larger table is refused by the number that is too large."""

    max_rows: int = 1_000_000
    max_columns: int = 1024
    max_line_bytes: int = 128 * 1024
    max_values: int = 20_000_000  # rows times sensors: 160 MB


@dataclass(frozen=True, eq=False)
class Table:
    """Rows (n, d) of float64 in the order of the file; NaN only where empty cells were allowed.

    `sensors` is None for a table without a header; `timestamps_ms` (n,) and `qualities` where there was such a column;
    `row_numbers` (n,) are the lines the rows came from; `notes` say what was assumed.
    """

    rows: NDArray[np.float64]
    sensors: tuple[Sensor, ...] | None = None
    timestamps_ms: NDArray[np.int64] | None = None
    qualities: tuple[str, ...] | None = None
    row_numbers: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...] | None:
        return tuple(sensor.name for sensor in self.sensors) if self.sensors else None

    @property
    def first_row_number(self) -> int:
        return int(self.row_numbers[0]) if self.row_numbers is not None and len(self.row_numbers) else 1


def shown(text: str) -> str:
    """Returns text for an error: escaped, so that it cannot forge a line, and cut."""
    escaped = ascii(text)
    return escaped if len(escaped) <= MAX_SHOWN_CHARS else escaped[:MAX_SHOWN_CHARS] + "..."


def usable(table: Table) -> Table:
    """Returns the rows of good quality in the order of time, and notes what that changed."""
    rows, times, numbers, notes = table.rows, table.timestamps_ms, table.row_numbers, list(table.notes)
    order = np.arange(len(rows))
    if table.qualities is not None:
        order = np.flatnonzero(np.array(table.qualities) == "good")
        if len(order) < len(rows):
            notes.append(f"{len(rows) - len(order)} rows of another quality than good were left out.")
    if times is not None and (np.diff(times[order]) < 0).any():
        order = order[np.argsort(times[order], kind="stable")]
        notes.append("The rows were put in the order of their timestamps.")
    return replace(
        table,
        rows=rows[order],
        timestamps_ms=None if times is None else times[order],
        qualities=None if table.qualities is None else ("good",) * len(order),
        row_numbers=None if numbers is None else numbers[order],
        notes=tuple(notes),
    )

"""A table of sensor values, the limits under which one is read, and the error that refuses one."""

from dataclasses import dataclass

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

"""Scores a table read from a file: its columns matched to the model's sensors, and the verdicts as CSV."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from anomaly.formats.tables import Table, TableError, shown
from anomaly.model import Model
from anomaly.postprocess import severity, status
from anomaly.preprocess import Array

HEADER = "row,timestamp,score,status,severity"


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores (n,) in the order of the table, NaN where one is unknown: bad, incomplete, or before the first window."""

    table: Table
    scores: Array
    threshold: float

    @property
    def alarms(self) -> int:
        return int(np.sum(self.scores > self.threshold))

    @property
    def unknown(self) -> int:
        return int(np.isnan(self.scores).sum())

    def lines(self) -> Iterator[str]:
        """Yields CSV with its header. No cell is text from the table, so that none can be a formula."""
        yield HEADER
        numbers = self.table.row_numbers if self.table.row_numbers is not None else np.arange(1, len(self.scores) + 1)
        times = self.table.timestamps_ms
        for i, (number, score) in enumerate(zip(numbers.tolist(), self.scores.tolist(), strict=True)):
            at = moment_text(int(times[i])) if times is not None else ""
            if score != score:
                yield f"{number},{at},,unknown,"
            else:
                yield f"{number},{at},{score:.6g},{status(score, self.threshold)},{severity(score, self.threshold)}"


def score_table(model: Model, table: Table) -> Scored:
    """Scores a table; rows of bad quality or with empty cells are unknown and no part of a window.

    Raises TableError where the columns are not the model's sensors.
    """
    rows = matched(model, table)
    usable = np.isfinite(rows).all(axis=1) & _not_bad(table)
    scores = np.full(len(rows), np.nan)
    if usable.any():
        scores[usable] = model.scores(rows[usable])
    return Scored(table, scores, model.threshold)


def matched(model: Model, table: Table) -> Array:
    """Returns the rows with their columns in the model's order: by name where both have names, else by place."""
    wanted = [sensor.name for sensor in model.sensors]
    if table.names and set(wanted) <= set(table.names):
        return table.rows[:, [table.names.index(name) for name in wanted]]
    unnamed = wanted == [f"sensor_{i + 1}" for i in range(len(wanted))]
    if table.names and not unnamed:
        missing = [name for name in wanted if name not in table.names]
        raise TableError(
            f"the column {shown(missing[0])} is missing; the model's sensors are {shown(', '.join(wanted))}", 1
        )
    if table.rows.shape[1] != len(wanted):
        raise TableError(
            f"the rows have {table.rows.shape[1]} sensors, the model takes {len(wanted)}", table.first_row_number
        )
    return table.rows


def moment_text(at_ms: int) -> str:
    """Returns epoch milliseconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at_ms % 1000:03d}Z"


def _not_bad(table: Table) -> NDArray[np.bool_]:
    if table.qualities is None:
        return np.ones(len(table.rows), dtype=np.bool_)
    return np.array([quality != "bad" for quality in table.qualities])

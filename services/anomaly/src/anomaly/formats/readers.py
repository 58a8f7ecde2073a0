"""Reads tables of sensor values: CSV as spreadsheets and loggers write it, and NumPy's .npy without pickle.

What is not understood is refused by row, never guessed: `1_000`, full-width digits and `nan` are no numbers here.
"""

import csv
import io
import math
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, islice, pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np

from anomaly.formats import cells, headers
from anomaly.formats.headers import Choice, Columns
from anomaly.formats.tables import Limits, Table, TableError, shown

__all__ = ["Choice", "Limits", "Table", "TableError", "read_csv", "read_npy"]

QUALITIES = ("good", "uncertain", "bad")
LINE_END = "\r\n"
BOM_8, BOMS_16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
NPY_MAGIC, MAX_NPY_HEADER = b"\x93NUMPY", 4096
NPY_DTYPE = re.compile(r"'descr'\s{0,8}:\s{0,8}'([<>|=]?(?:f[248]|[iu][1248]))'", re.ASCII)
NPY_ORDER = re.compile(r"'fortran_order'\s{0,8}:\s{0,8}(True|False)\b", re.ASCII)
NPY_SHAPE = re.compile(r"'shape'\s{0,8}:\s{0,8}\((\d{1,12}(?:,\s{0,8}\d{1,12})*)?,?\)", re.ASCII)


def read_csv(
    source: bytes | Path | BinaryIO,
    limits: Limits | None = None,
    *,
    choice: Choice | None = None,
    allow_empty: bool = False,
) -> Table:
    """Reads CSV with `,`, `;` or tab, with or without a header, a time column and a quality column, as UTF-8.

    With `allow_empty` an empty cell is NaN. Raises TableError, whose text and `row` say what is wrong where.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return read_csv(file, limits, choice=choice, allow_empty=allow_empty)
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    return _Reading(limits or Limits(), choice or Choice(), allow_empty).read(stream)


@dataclass
class _Reading:
    """One table being read."""

    limits: Limits
    choice: Choice
    allow_empty: bool
    values: "array[float]" = field(default_factory=lambda: array("d"))
    times: list[int] = field(default_factory=list)
    qualities: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    zoneless: bool = False

    def read(self, stream: BinaryIO) -> Table:
        lines = _lines(stream, self.limits)
        first = list(islice(lines, 2))
        if not first:
            raise TableError("the table is empty")
        delimiter = headers.delimiter_of(first[0][1], first[1][1] if len(first) > 1 else "")
        rows = ((number, _cells(line, delimiter, number)) for number, line in chain(first, lines))
        number, head = next(rows)
        below = next(rows, None)
        if len(head) > self.limits.max_columns:
            raise TableError(f"there are {len(head)} columns, the limit is {self.limits.max_columns}", number)
        decimal_comma = delimiter != ","
        rest = chain([below] if below else [], rows)
        if headers.has_names(head, decimal_comma):
            columns = headers.named_columns(head, below[1] if below else (), number, self.choice)
        else:
            columns = headers.numbered_columns(head, number, self.choice)
            rest = chain([(number, head)], rest)
        for number, row in rest:
            self._add(row, number, columns, decimal_comma)
        return self._table(columns)

    def _add(self, row: Sequence[str], number: int, columns: Columns, decimal_comma: bool) -> None:
        if len(row) != columns.width:
            raise TableError(f"it has {len(row)} cells, the first row has {columns.width}", number)
        if len(self.numbers) >= self.limits.max_rows:
            raise TableError(f"there are more than {self.limits.max_rows} rows, which is the limit", number)
        self.numbers.append(number)
        for place in columns.places:
            value = cells.number(row[place], decimal_comma)
            if value is None or not math.isfinite(value):
                value = self._unusual(row[place], value, number, columns.labels[place])
            self.values.append(value)
        if len(self.values) > self.limits.max_values:
            raise TableError(f"there are more than {self.limits.max_values} values, which is the limit", number)
        if columns.time is not None:
            self._add_time(row[columns.time], number, columns.labels[columns.time])
        if columns.quality is not None:
            self._add_quality(row[columns.quality], number)

    def _unusual(self, cell: str, value: float | None, number: int, label: str) -> float:
        if value is not None:
            raise TableError(f"column {shown(label)} holds {shown(cell)}, which is too large a number", number)
        if cell.strip(" "):
            raise TableError(f"column {shown(label)} holds {shown(cell)}, which is no number", number)
        if not self.allow_empty:
            raise TableError(f"column {shown(label)} is empty: every sensor needs a number in every row", number)
        return math.nan

    def _add_time(self, cell: str, number: int, label: str) -> None:
        found = cells.moment(cell)
        if found is None:
            raise TableError(
                f"column {shown(label)} holds {shown(cell)}, which is no time: expected 2026-01-31T12:00:00Z, "
                "2026-01-31 12:00:00 (taken as UTC) or epoch milliseconds",
                number,
            )
        self.times.append(found[0])
        self.zoneless |= not found[1]

    def _add_quality(self, cell: str, number: int) -> None:
        quality = cell.strip(" ").casefold() or QUALITIES[0]
        if quality not in QUALITIES:
            raise TableError(f"the quality is {shown(cell)}, it must be good, uncertain or bad", number)
        self.qualities.append(quality)

    def _table(self, columns: Columns) -> Table:
        if not self.numbers:
            raise TableError("the table has a header and no rows")
        rows = np.frombuffer(self.values, dtype=np.float64).reshape(len(self.numbers), len(columns.places))
        return Table(
            rows,
            columns.sensors,
            np.array(self.times, dtype=np.int64) if columns.time is not None else None,
            tuple(self.qualities) if columns.quality is not None else None,
            np.array(self.numbers, dtype=np.int64),
            self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        found = ["Times without a zone were taken as UTC."] if self.zoneless else []
        late = sum(later < earlier for earlier, later in pairwise(self.times))
        if late:
            found.append(f"{late} rows are older than the row before them; rows are taken in the order of the file.")
        return tuple(found)


def _lines(stream: BinaryIO, limits: Limits) -> Iterator[tuple[int, str]]:
    """Yields the number and the text of each line that is not blank, decoded singly so that a bad byte has a row."""
    for number in count(1):
        raw = stream.readline(limits.max_line_bytes + 1)
        if not raw:
            return
        if number == 1:
            if raw.startswith(BOMS_16):
                raise TableError("it is UTF-16: save the table as UTF-8", 1)
            raw = raw.removeprefix(BOM_8)
        if len(raw) > limits.max_line_bytes:
            raise TableError(f"the line is longer than {limits.max_line_bytes} bytes, which is the limit", number)
        if b"\0" in raw:
            raise TableError("it holds a NUL byte: this is no text in UTF-8", number)
        try:
            line = raw.decode("utf-8").rstrip(LINE_END)
        except UnicodeDecodeError as error:
            raise TableError(f"byte {error.start + 1} is not valid UTF-8", number) from None
        if line.strip():
            yield number, line


def _cells(line: str, delimiter: str, number: int) -> list[str]:
    """Splits one line; a cell never goes on in the next line, so that an open quote is found where it is."""
    if "\r" in line:
        raise TableError("it holds a carriage return: lines must end with LF or CR LF", number)
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        opened = "unexpected end" in str(error)
        reason = (
            "a quote is opened and not closed in the same line" if opened else f"its quotes are not a CSV's ({error})"
        )
        raise TableError(reason, number) from None


def read_npy(data: bytes, limits: Limits | None = None, *, allow_empty: bool = False) -> Table:
    """Reads a two-dimensional .npy of numbers (rows, sensors); never unpickles. NaN is refused unless `allow_empty`.

    Raises TableError; the shape is checked against the bytes before any memory is taken.
    """
    limits = limits or Limits()
    shape, fortran, dtype, start = _npy_header(data)
    if len(shape) != 2 or not shape[0] or not shape[1]:
        raise TableError(f"the array has the shape {shown(str(shape))}, expected (rows, sensors)")
    if shape[0] > limits.max_rows or shape[1] > limits.max_columns or shape[0] * shape[1] > limits.max_values:
        raise TableError(f"the array has the shape {shape}, the limit is ({limits.max_rows}, {limits.max_columns})")
    if len(data) - start != shape[0] * shape[1] * dtype.itemsize:
        raise TableError(
            f"the array's shape {shape} needs other than the {len(data) - start} bytes that follow its header"
        )
    flat = np.frombuffer(data, dtype, offset=start)
    rows = np.ascontiguousarray(flat.reshape(shape, order="F" if fortran else "C"), dtype=np.float64)
    sound = np.isfinite(rows) | (np.isnan(rows) if allow_empty else False)
    if not sound.all():
        raise TableError("a value is not a finite number", int(np.flatnonzero(~sound.all(axis=1))[0]) + 1)
    return Table(rows)


def _npy_header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype[np.generic], int]:
    """Returns shape, Fortran order, dtype and where the numbers begin; the header is matched, never evaluated."""
    if data[:6] != NPY_MAGIC or len(data) < 12:
        raise TableError("this is not a .npy array: it does not begin as one")
    if data[6:8] not in (b"\x01\x00", b"\x02\x00"):
        raise TableError(f"the .npy has the version {data[6]}.{data[7]}, 1.0 and 2.0 are read")
    start = 10 if data[6] == 1 else 12
    length = int.from_bytes(data[8:start], "little")
    header = data[start : start + min(length, MAX_NPY_HEADER)].decode("latin-1")
    dtype, order, shape = (pattern.search(header) for pattern in (NPY_DTYPE, NPY_ORDER, NPY_SHAPE))
    if length > MAX_NPY_HEADER or not (dtype and order and shape) or start + length > len(data):
        raise TableError("this is not a .npy array of plain numbers: its header cannot be read")
    sides = tuple(int(side) for side in (shape[1] or "").split(",") if side)
    return sides, order[1] == "True", np.dtype(dtype[1]), start + length

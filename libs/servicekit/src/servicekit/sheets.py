"""Lines of CSV (RFC 4180) that no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")

Cell = str | int | float | bool | None


def line(cells: Sequence[Cell]) -> str:
    """Returns one line with its CRLF; None is an empty cell, a truth is `true` or `false`."""
    stream = io.StringIO()
    csv.writer(stream).writerow([_written(cell) for cell in cells])
    return stream.getvalue()


def harmless(text: str) -> str:
    """Returns a client's text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _written(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return str(cell).lower()
    return harmless(cell) if isinstance(cell, str) else cell

"""Finds tables: at least three rows after each other whose cells stand in the same columns. Nothing is guessed."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ocr.outputs.paragraphs import CELL_GAP, Row

MIN_ROWS = 3
MIN_COLUMNS = 2


def split(rows: Sequence[Row]) -> Iterator[tuple[bool, list[Row]]]:
    """Yields runs of rows in their order, each with whether it is a table."""
    start, loose = 0, list[Row]()
    while start < len(rows):
        n_rows = _table_length(rows, start)
        if n_rows < MIN_ROWS:
            loose.append(rows[start])
            start += 1
            continue
        if loose:
            yield False, loose
            loose = []
        yield True, list(rows[start : start + n_rows])
        start += n_rows
    if loose:
        yield False, loose


def _table_length(rows: Sequence[Row], start: int) -> int:
    """Returns how many rows from `start` on share their columns."""
    first = rows[start]
    if len(first.cells) < MIN_COLUMNS or not _are_cells(first):
        return 0
    columns = [(cell.left, cell.right) for cell in first.cells]
    for n_rows, row in enumerate(rows[start + 1 :], 1):
        wider = _widened(columns, row)
        if wider is None:
            return n_rows
        columns = wider
    return len(rows) - start


def _are_cells(row: Row) -> bool:
    """Whether at least one gap is wide: words of one line that were found apart make no table."""
    gaps = [after.left - before.right for before, after in pairwise(row.cells)]
    return max(gaps) > CELL_GAP * row.height


def _widened(columns: list[tuple[float, float]], row: Row) -> list[tuple[float, float]] | None:
    """Returns the columns with the row's cells in them; None where a cell is in no column, or would join two."""
    if len(row.cells) != len(columns):
        return None
    wider = [
        (min(left, cell.left), max(right, cell.right)) for (left, right), cell in zip(columns, row.cells, strict=True)
    ]
    shares = all(
        cell.left < right and left < cell.right for (left, right), cell in zip(columns, row.cells, strict=True)
    )
    apart = all(before[1] < after[0] for before, after in pairwise(wider))
    return wider if shares and apart else None

"""Files as a workbook of Excel (XLSX), written row by row to the disk: memory does not grow with their number.

Until the workbook is whole its rows lie in the temporary folder as they are, some kilobytes for each file.
"""

import asyncio
import errno
import tempfile
from collections.abc import AsyncIterable, Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from servicekit.problems import UploadStorageFull
from servicekit.sheets import Cell
from xlsxwriter import Workbook  # type: ignore[import-untyped] # it has no marker of its types
from xlsxwriter.exceptions import FileCreateError  # type: ignore[import-untyped] # it has no marker of its types
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped] # it has no marker of its types

from cars.archive import FileRecord
from cars.reports.columns import NAMES, cells

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_ROWS = 1_048_576  # Excel has no more; what is beyond goes to another sheet
ROWS = 50  # handed to a thread at once: some milliseconds in which others hardly get the interpreter
WIDTHS = {"filename": 32, "label": 32, "correction": 28, "sha256": 20, "uploaded_at": 25, "recognized_at": 25}
OPTIONS: dict[str, Any] = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "use_zip64": True,
}
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


async def workbook(files: AsyncIterable[FileRecord]) -> BinaryIO:
    """Returns an open file without a name; raises UploadStorageFull where the temporary folder has no room."""
    with tempfile.TemporaryDirectory(prefix="cars-", ignore_cleanup_errors=True) as folder:
        path = Path(folder, "cars.xlsx")
        await _write(path, files)
        return await asyncio.to_thread(path.open, "rb")


async def _write(path: Path, files: AsyncIterable[FileRecord]) -> None:
    table = _Table(path)
    try:
        rows: list[Sequence[Cell]] = []
        async for file in files:
            rows.append(cells(file))
            if len(rows) == ROWS:
                await _on_a_thread(table.add, rows)
                rows = []
        await _on_a_thread(table.add, rows)
        await _on_a_thread(table.save)
    finally:
        table.close()


async def _on_a_thread(function: Callable[..., None], *arguments: object) -> None:
    """Ends when the thread has ended, also for who is cancelled: its file is not taken away under it."""
    running = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait((running,))
        raise
    except (OSError, FileCreateError) as error:
        cause = error if isinstance(error, OSError) else error.args[0]
        if getattr(cause, "errno", None) not in FULL:
            raise
        raise UploadStorageFull("there is no room for the workbook on the server's disk") from None


class _Table:
    """A workbook with the columns' names at the top of each sheet; its methods block."""

    def __init__(self, path: Path, sheet_rows: int = SHEET_ROWS) -> None:
        self._book = Workbook(path, {**OPTIONS, "tmpdir": str(path.parent)})
        self._bold = self._book.add_format({"bold": True})
        self._sheet_rows = sheet_rows
        self._begin()

    def add(self, rows: Sequence[Sequence[Cell]]) -> None:
        for row in rows:
            if self._row == self._sheet_rows:
                self._begin()
            for at, cell in enumerate(row):
                _put(self._sheet, self._row, at, cell)
            self._row += 1

    def save(self) -> None:
        self._book.close()

    def close(self) -> None:
        """Closes what is still open where the workbook was not saved."""
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()

    def _begin(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        for at, name in enumerate(NAMES):
            self._sheet.set_column(at, at, WIDTHS.get(name, 12))
            self._sheet.write_string(0, at, name, self._bold)
        self._row = 1


def _put(sheet: Worksheet, row: int, column: int, cell: Cell) -> None:
    """Writes a cell as what it is: text is text, whatever it begins with."""
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif cell is not None:
        sheet.write_number(row, column, cell)

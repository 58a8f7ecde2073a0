"""Files as CSV (RFC 4180, UTF-8): a header and a row for each, however many there are, in bounded memory."""

from collections.abc import AsyncIterable, AsyncIterator

from servicekit import sheets

from cars.archive import FileRecord
from cars.reports.columns import NAMES, cells

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # at the start it tells Excel that the text is UTF-8; programs stumble over it
ROWS = 100  # of one piece: some milliseconds of the event loop


async def pieces(files: AsyncIterable[FileRecord], *, mark: bool = False) -> AsyncIterator[bytes]:
    """Yields the text piece by piece; what a client wrote is nothing that a spreadsheet computes."""
    lines = [(MARK if mark else "") + sheets.line(NAMES)]
    async for file in files:
        lines.append(sheets.line(cells(file)))
        if len(lines) >= ROWS:
            yield "".join(lines).encode("utf-8", "replace")
            lines = []
    yield "".join(lines).encode("utf-8", "replace")

"""The folder of one job: `job.json`, `input`, `pages.ndjson`, and while they are needed `password` and PDFs."""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import msgspec

from ocr.jobs import disk
from ocr.jobs.record import Record
from ocr.results import PageResult

logger = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_page = msgspec.json.Decoder(PageResult).decode
_record = msgspec.json.Decoder(Record).decode


class Folder:
    """Where a job's files are; nothing is read or written before a method is called, all of which block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.input = path / "input"
        self.pages = path / "pages.ndjson"
        self.searchable = path / "searchable.pdf"
        self._record = path / "job.json"
        self._password = path / "password"

    def read_record(self) -> Record:
        """Raises OSError or msgspec.MsgspecError for a folder that is no job's."""
        return _record(self._record.read_bytes())

    def write_record(self, record: Record) -> None:
        disk.write(self._record, _encode(record))

    def read_password(self) -> str | None:
        with contextlib.suppress(FileNotFoundError):
            return self._password.read_text("utf-8")
        return None

    def write_password(self, password: str) -> None:
        disk.write(self._password, password.encode())

    def wipe_password(self) -> None:
        disk.wipe(self._password)

    def append(self, page: PageResult) -> None:
        disk.append(self.pages, _encode(page))

    def recover(self, numbers: Sequence[int]) -> int:
        """Returns how many of the pages are whole; what a process that died left behind them is cut off."""
        done = size = 0
        for line in self._lines():
            if done == len(numbers) or not _is_page(line, numbers[done]):
                break
            done, size = done + 1, size + len(line)
        if self.pages.exists() and self.pages.stat().st_size > size:
            disk.truncate(self.pages, size)
        return done

    def _lines(self) -> Iterator[bytes]:
        with contextlib.suppress(FileNotFoundError), self.pages.open("rb") as file:
            yield from file


class Pages(Sequence[PageResult]):
    """The pages that a job has read, each decoded when it is asked for: a long document never is in memory."""

    def __init__(self, folder: Folder, count: int) -> None:
        self._folder = folder
        self._count = count
        self._starts: list[int] = []

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[PageResult]:
        if not self._count:
            return
        with self._folder.pages.open("rb") as file:
            for line, _ in zip(file, range(self._count), strict=False):
                yield _page(line)

    @overload
    def __getitem__(self, index: int) -> PageResult: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[PageResult]: ...

    def __getitem__(self, index: int | slice) -> PageResult | Sequence[PageResult]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(self._count))]
        position = range(self._count)[index]
        with self._folder.pages.open("rb") as file:
            if not self._starts:
                self._starts = _starts(file, self._count)
            file.seek(self._starts[position])
            return _page(file.readline())


def _starts(lines: Iterator[bytes], count: int) -> list[int]:
    starts, place = [], 0
    for line, _ in zip(lines, range(count), strict=False):
        starts.append(place)
        place += len(line)
    return starts


def _is_page(line: bytes, number: int) -> bool:
    """Whether a line is whole and that page's: a machine that lost its power may leave zeros, or half of it."""
    try:
        return line.endswith(b"\n") and _page(line).number == number
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False

"""Reads the pictures of a folder without a server, writes what was read, and sums it up."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from servicekit import commandline

from digit.commands import rows, sources, workers
from digit.commands.labels import Accuracy
from digit.commands.rows import Format, Row
from digit.commands.workers import Task
from digit.model import read_records
from digit.settings import Settings

Watch = Callable[[float, str], None]  # the share done and a word


@dataclass(frozen=True)
class Writing:
    """Where the rows go, and how."""

    output: Path | None  # None: standard output
    form: Format
    detail: bool


@dataclass
class Summary:
    """What came of a folder."""

    total: int = 0
    failed: int = 0
    no_digit: int = 0
    accuracy: Accuracy = field(default_factory=Accuracy)

    def count(self, row: Row) -> None:
        self.total += 1
        self.failed += row.reading is None
        self.no_digit += row.reading is not None and not row.reading.is_digit
        self.accuracy.count(row.name, row.reading.prediction if row.reading else None)

    def lines(self) -> Iterator[str]:
        read = self.total - self.failed
        yield f"{read:,} pictures read, {self.no_digit:,} of them no digit; {self.failed:,} could not be read"
        if self.accuracy.labelled:
            yield str(self.accuracy)


def task_of(model: str | None, weights: Path | None) -> Task:
    """Returns what the service does out of the box, but for the model and weights named; raises ValueError."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    folder: Path = weights or defaults["weights"]
    names = read_records(folder)
    chosen = model or defaults["model"]
    if chosen not in names:
        raise ValueError(f"--model is {chosen!r}, {folder.name}/ has {', '.join(names)}")
    return Task(folder, chosen, defaults["max_file_bytes"], defaults["max_pixels"])


def run(place: Path, writing: Writing, task: Task, n_workers: int, watch: Watch) -> Summary:
    """Reads what is below a folder; the output is there at the end, whole, or not at all.

    Raises ValueError where there are no pictures, OSError where the folder cannot be read or the output not written.
    """
    summary = Summary()
    read = workers.read(sources.items(place, task.max_file_bytes), task, n_workers)
    with _opened(writing.output) as file, closing(read):
        for text in rows.written(_counted(read, summary, watch), writing.form, detail=writing.detail):
            file.write(text.encode())
        if not summary.total:
            raise ValueError(f"{place}: no pictures in it")
    return summary


def _counted(read: Iterable[tuple[float, Row]], summary: Summary, watch: Watch) -> Iterator[Row]:
    for share, row in read:
        summary.count(row)
        watch(share, f"{summary.total:,} pictures, {summary.failed:,} failed")
        yield row


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    if output is None:
        yield sys.stdout.buffer
        return
    with commandline.whole_file(output) as file:
        yield file

"""Writes a table or a report of the archive to a file."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from servicekit import commandline
from servicekit.settings import load

from cars.archive import Filters
from cars.commands import local
from cars.reports import csv, html, xlsx
from cars.reports.thumbnails import Thumbnails
from cars.services import Services
from cars.settings import Settings

STANDARD_OUTPUT = "-"
PIECE_BYTES = 1 << 18


async def run(form: str, output: str, chosen: Mapping[str, Any], *, force: bool) -> None:
    """Writes the whole file, or after an error none.

    Raises ValueError where it is there already and not `force`, where there is no archive, and for filters of a report.
    """
    filters = Filters(**chosen)
    if form == "report" and filters != Filters():
        raise ValueError("a report is of all files: leave the filters out, or take --format csv or xlsx")
    if output == STANDARD_OUTPUT and form == "xlsx" and sys.stdout.isatty():
        raise ValueError("a workbook cannot be shown on a terminal: name a file with --output")
    if not force:
        _refuse_to_overwrite(output)
    async with local.opened(load(Settings), make=False) as services:
        with _target(output) as file:
            async for piece in _pieces(form, services, filters):
                await asyncio.to_thread(file.write, piece)


def _refuse_to_overwrite(output: str) -> None:
    if output != STANDARD_OUTPUT and Path(output).exists():
        raise ValueError(f"{output} is there already: --force overwrites it")


def _target(output: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdout.buffer) if output == STANDARD_OUTPUT else commandline.whole_file(Path(output))


async def _pieces(form: str, services: Services, filters: Filters) -> AsyncIterator[bytes]:
    if form == "csv":
        async for piece in csv.pieces(services.archive.each(filters)):
            yield piece
    elif form == "xlsx":
        with await xlsx.workbook(services.archive.each(filters)) as file:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece
    else:
        async for text in _report(services):
            yield text.encode()


async def _report(services: Services) -> AsyncIterator[str]:
    stats = await services.archive.stats()
    newest, _ = await services.archive.list(limit=html.NEWEST)
    async for piece in html.pieces(stats, newest, Thumbnails(services.keeper).of, datetime.now(UTC)):
        yield piece

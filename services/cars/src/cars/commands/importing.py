"""Stores the pictures of a folder, here or in a running service; again after an interruption, it goes on."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from servicekit.problems import InternalError, Problem
from servicekit.settings import load

from cars.commands import files, local, places, remote
from cars.commands.abreast import in_order
from cars.commands.refused import RefusedError
from cars.services import Services
from cars.settings import Settings

STATE = ".cars-import.jsonl"

Watch = Callable[[float, str], None]  # the share done and a word
Complain = Callable[[str], None]
Outcome = Literal["stored", "known"]


@dataclass(frozen=True)
class Wanted:
    """What is to be stored, and where: `url` is a running service, None is the archive of the settings."""

    place: Path
    url: str | None = None
    api_key: str | None = None
    state: Path | None = None
    recognize: bool = False
    concurrency: int = 4


@dataclass
class Summary:
    """What came of all files."""

    stored: int = 0
    known: int = 0
    refused: int = 0

    def __str__(self) -> str:
        return f"{self.stored:,} stored, {self.known:,} were there; {self.refused:,} refused"


class Sink(Protocol):
    async def put(self, path: Path) -> Outcome:
        """Stores a file, durably when it returns; raises RefusedError for this file, anything else ends the import."""


async def run(wanted: Wanted, watch: Watch, complain: Complain) -> Summary:
    """Stores what is below a folder; complains of each picture that is refused, and goes on.

    Raises ValueError, OSError and Problems for what ends it; what was stored by then is.
    """
    paths = places.found([wanted.place])
    summary = Summary()
    async with _sink(wanted) as sink:

        async def work(path: Path) -> Outcome | RefusedError:
            try:
                return await sink.put(path)
            except RefusedError as refused:
                return refused

        async with aclosing(in_order(paths, work, wanted.concurrency)) as results:
            async for path, outcome in results:
                _count(summary, outcome)
                name = places.name_below(wanted.place, path)
                if isinstance(outcome, RefusedError):
                    complain(f"{name}: {outcome}")
                watch((summary.stored + summary.known + summary.refused) / len(paths), f"{summary}: {name}")
    return summary


def _count(summary: Summary, outcome: Outcome | RefusedError) -> None:
    if isinstance(outcome, RefusedError):
        summary.refused += 1
    elif outcome == "stored":
        summary.stored += 1
    else:
        summary.known += 1


def _sink(wanted: Wanted) -> AbstractAsyncContextManager[Sink]:
    if wanted.url is None:
        if wanted.state or wanted.api_key:
            raise ValueError("--state and --api-key are for --url; the archive of this machine needs neither")
        return _here(recognize=wanted.recognize)
    folder = wanted.place if wanted.place.is_dir() else wanted.place.parent
    state = wanted.state or folder / STATE
    return remote.opened(wanted.url, wanted.api_key, state, recognize=wanted.recognize)


@asynccontextmanager
async def _here(*, recognize: bool) -> AsyncIterator[Sink]:
    async with local.opened(load(Settings), make=True) as services:
        if recognize:
            await services.recogniser.backend.open()
            await services.recogniser.probe()
            services.recogniser.check()
        yield _Here(services, recognize=recognize)


class _Here:
    """The archive of the settings."""

    def __init__(self, services: Services, *, recognize: bool) -> None:
        self._services, self._recognize = services, recognize

    async def put(self, path: Path) -> Outcome:
        """Raises RefusedError; Problems where the database or the storage fails."""
        try:
            upload = files.upload(path, self._services.settings.max_file_bytes)
            record, known = await self._services.keeper.keep(upload)
            if self._recognize:
                await self._services.runner.infer(record.id)
        except OSError as error:
            raise RefusedError(error.strerror or str(error)) from None
        except Problem as problem:
            if problem.status >= InternalError.status:
                raise
            raise RefusedError(str(problem.detail)) from None
        return "known" if known else "stored"

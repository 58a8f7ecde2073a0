"""Keeps rows and pictures together: what a crash left between the two, and what is over the limits, goes.

A picture is put before its row is written, and its row goes before it is removed, so that no row is ever without its
picture. What is left over at a crash is a picture without a row: either its removal stands in the database, or it lies
in the storage for longer than a row may wait to be written (`archive.ADD_MS`).
"""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Protocol

import sqlalchemy as sa
from servicekit.problems import Problem
from servicekit.threads import Pool

from cars.archive.archive import Archive
from cars.archive.records import thumbnail_key

logger = logging.getLogger(__name__)

TIDY_S = 10.0  # between two looks for lapsed leases, removals and pictures over the limits
SWEEP_S = 3600.0  # between two comparisons of the whole storage with the rows
GRACE = timedelta(minutes=10)  # far more than a row may wait for the writer, and clocks may differ
SETTLE_S = 10.0  # likewise, at the start of the only service: an `import` beside it may be between picture and row
CHUNK = 500  # keys compared, or pictures removed, at once
KINDS = ("jpg", "png")  # of a picture, whose thumbnail does not tell


class Stored(Protocol):
    @property
    def key(self) -> str: ...

    @property
    def modified(self) -> datetime: ...


class Pictures(Protocol):
    """The part of a storage that the sweep needs; its methods block."""

    def delete(self, key: str) -> None: ...

    def keys(self) -> Iterator[Stored]: ...


class Sweep:
    """A worker; `days` and `most_bytes` are the limits of what is kept, 0 for none."""

    def __init__(self, archive: Archive, pictures: Pictures, pool: Pool, days: float = 0, most_bytes: int = 0) -> None:
        self._archive = archive
        self._pictures = pictures
        self._pool = pool
        self._limits = (days, most_bytes)
        self._made = datetime.now(UTC)

    async def run(self) -> None:
        """Tidies and sweeps until cancelled; a database or a storage that is away costs a round."""
        swept: float | None = None
        start = True
        while True:
            try:
                await self.tidy(start=start)
                start = False
                if swept is None or time.monotonic() - swept >= SWEEP_S:
                    await self._sweep(first=swept is None)
                    swept = time.monotonic()
            except (Problem, sa.exc.SQLAlchemyError) as error:
                logger.warning("the archive could not be tidied", extra={"fields": {"error": type(error).__name__}})
            await asyncio.sleep(TIDY_S)

    async def _sweep(self, *, first: bool) -> None:
        if first and self._archive.alone:  # what was there before this process is nobody's who still lives
            await self.sweep(self._made, settle_s=SETTLE_S)
        else:
            await self.sweep(datetime.now(UTC) - GRACE)

    async def tidy(self, *, start: bool = False) -> None:
        """Gives back what dead processes held, finishes removals, and deletes what is over the limits."""
        await self._archive.recover(start=start)
        while keys := await self._archive.removals(CHUNK):
            await self.remove(keys)
        while any(self._limits) and (keys := await self._archive.expire(*self._limits)):
            await self.remove(keys)

    async def remove(self, keys: Sequence[str]) -> None:
        """Removes pictures whose rows are gone, with their thumbnails, and notes it."""
        await self._pool.run(self._remove, [*keys, *map(thumbnail_key, keys)])
        await self._archive.forget(keys)

    async def sweep(self, before: datetime, *, settle_s: float = 0) -> int:
        """Removes the pictures without a row that were put before that moment, and returns how many.

        With `settle_s` it looks a second time after these seconds before it removes anything.
        """
        stored = self._pictures.keys()
        orphans: list[str] = []
        while chunk := await self._pool.run(lambda: list(islice(stored, CHUNK))):
            orphans += await self._orphans([each.key for each in chunk if each.modified <= before])
        if orphans and settle_s:
            await asyncio.sleep(settle_s)
            orphans = [key for part in _chunks(orphans) for key in await self._orphans(part)]
        for part in _chunks(orphans):
            await self._pool.run(self._remove, part)
        if orphans:
            logger.warning("pictures without a row were removed", extra={"fields": {"count": len(orphans)}})
        return len(orphans)

    async def _orphans(self, keys: Sequence[str]) -> list[str]:
        """Returns those that no row knows."""
        owners = {key: _owners(key) for key in keys}
        known = await self._archive.known_keys([owner for each in owners.values() for owner in each])
        return [key for key, each in owners.items() if known.isdisjoint(each)]

    def _remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._pictures.delete(key)


def _owners(key: str) -> tuple[str, ...]:
    """Returns the keys of the pictures that a stored file may belong to: itself, or those of a thumbnail."""
    folder, _, rest = key.partition("/")
    if folder != "thumbnails":
        return (key,)
    stem = rest.rpartition(".")[0]
    return tuple(f"originals/{stem}.{kind}" for kind in KINDS)


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[first : first + CHUNK] for first in range(0, len(keys), CHUNK))

"""The archive as the rest of the service knows it: coroutines and records, no SQL."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import sqlalchemy as sa
from servicekit import names
from servicekit.database import cursors
from servicekit.database.problems import RETRY_AFTER, StorageUnavailable
from servicekit.database.store import Store
from servicekit.problems import InvalidInput

from cars.archive import changes, counters, queries, retention
from cars.archive.ledger import Ledger
from cars.archive.records import FileRecord, Filters, Lease, NewFile, Stats
from cars.archive.schema import files
from cars.problems import UnknownFile
from cars.recognition import Recognition

LEASE_MS = 20_000  # renewed every few seconds by whoever recognises
ADD_MS = 8_000  # a row waits no longer for its turn: a picture without one is swept some time
MAX_LABEL_CHARS = 128
EACH = 100  # records of one read of `each`: more would hold up other requests, which need the interpreter as well
EVERY = Filters()

T = TypeVar("T")


class Archive:
    """Every change is on disk when its call returns. All calls raise StorageUnavailable (503) while the database is
    away, those that change something also StorageFull (507) and Overloaded (503)."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger

    @property
    def alone(self) -> bool:
        """Whether no other service can work on this database: SQLite's is one machine's, and one service's."""
        return self._store.is_sqlite

    # --- reading ------------------------------------------------------------------------------------------------------

    async def get(self, file_id: int) -> FileRecord:
        """Raises UnknownFile, for numbers too that no row could have."""
        found = await self._store.read(lambda connection: queries.by_id(connection, file_id))
        return found or _unknown(file_id)

    async def find(self, sha256: str) -> FileRecord | None:
        return await self._store.read(lambda connection: queries.by_sha256(connection, sha256))

    async def list(
        self, filters: Filters = EVERY, limit: int = 50, cursor: str | None = None
    ) -> tuple[Sequence[FileRecord], str | None]:
        """Returns a page, newest first, and the cursor of the next; raises InvalidInput for a cursor of no list."""
        before = cursors.decode(cursor)
        found = await self._store.read(lambda connection: queries.page(connection, filters, limit + 1, before))
        items = found[:limit]
        return items, cursors.encode(items[-1].id) if len(found) > limit else None

    async def each(self, filters: Filters = EVERY) -> AsyncIterator[FileRecord]:
        """Yields all files, newest first, however many there are; each is as it was when it was read."""
        cursor: str | None = None
        while True:
            items, cursor = await self.list(filters, EACH, cursor)
            for item in items:
                yield item
            if cursor is None:
                return

    async def stats(self) -> Stats:
        return await self._store.read(counters.read)

    async def known_keys(self, keys: Sequence[str]) -> set[str]:
        """Returns those of the storage keys that a file has, or that stand to be removed."""
        return await self._store.read(lambda connection: queries.known_keys(connection, keys))

    # --- uploads ------------------------------------------------------------------------------------------------------

    async def add(self, new: NewFile) -> tuple[FileRecord, bool]:
        """Stores the row of a picture that lies in the storage; returns the file, and whether it was there before.

        Where it was, `new.key` is nobody's, and the caller removes it. Raises StorageUnavailable where the row waited
        so long that the picture may have been swept.
        """
        asked_ms = self._ledger.clock()

        def operation(connection: sa.Connection) -> tuple[FileRecord, bool]:
            now_ms = self._ledger.clock()
            if now_ms - asked_ms > ADD_MS:
                raise StorageUnavailable("the database took too long, nothing was stored", headers=RETRY_AFTER)
            file_id = changes.add(connection, new, now_ms)
            found = queries.by_sha256(connection, new.sha256)
            assert found is not None
            return found, file_id is None

        return await self._ledger.write(operation)

    async def delete(self, file_id: int) -> str:
        """Deletes the row and returns the storage key of its picture, to be removed and then `forget`-ed.

        A crash between the two loses nothing: the key stands in `removals`. Raises UnknownFile.
        """
        where = files.c.id == file_id
        keys = await self._change(file_id, lambda connection, now_ms: changes.delete(connection, where, now_ms, 1))
        return keys[0]

    async def removals(self, limit: int) -> Sequence[str]:
        """Returns the keys of pictures whose rows are gone and which may still lie in the storage, oldest first."""
        return await self._store.read(lambda connection: retention.removals(connection, limit))

    async def forget(self, keys: Sequence[str]) -> None:
        """Notes that these pictures have left the storage."""
        await self._ledger.write(lambda connection: changes.forget(connection, keys))

    async def expire(self, days: float, most_bytes: int, limit: int = 100) -> Sequence[str]:
        """Deletes the rows, at most `limit` of the oldest, of pictures older than `days`, or that are more bytes than
        `most_bytes`; 0 is no limit. Returns the keys of their pictures, as `delete` does."""
        return await self._ledger.write(
            lambda connection: retention.expire(connection, self._ledger.clock(), days, most_bytes, limit)
        )

    # --- recognition --------------------------------------------------------------------------------------------------

    async def claim(self, file_id: int, *, force: bool = False) -> Lease | None:
        """Returns the right to recognise a file, or None: somebody is at it, or, unless forced, it is recognised.

        What a model said before is taken away. Raises UnknownFile.
        """

        def operation(connection: sa.Connection) -> Lease | None:
            _require(connection, file_id)
            now_ms = self._ledger.clock()
            return changes.claim(connection, file_id, now_ms, now_ms + LEASE_MS, force=force)

        return await self._ledger.write(operation)

    async def renew(self, lease: Lease) -> bool:
        """Keeps the lease from lapsing; False where it is lost."""
        until_ms = self._ledger.clock() + LEASE_MS
        return await self._ledger.write(lambda connection: changes.renew(connection, lease, until_ms))

    async def release(self, lease: Lease) -> None:
        """Gives a file back unrecognised, because the service stops; harmless where the lease is lost."""
        await self._ledger.write(lambda connection: changes.release(connection, changes.held(lease)))

    async def finish(self, lease: Lease, recognition: Recognition) -> FileRecord | None:
        """Stores a recognition; None, and nothing changed, where the file was deleted, reset or claimed meanwhile."""
        return await self._end(lease, lambda connection, now_ms: changes.finish(connection, lease, recognition, now_ms))

    async def fail(self, lease: Lease, error: Mapping[str, Any]) -> FileRecord | None:
        """Stores the document of the problem for which a file could not be recognised; None as `finish`."""
        return await self._end(lease, lambda connection, _: changes.fail(connection, lease, error))

    async def recover(self, *, start: bool = False) -> int:
        """Gives back the files that a dead process left in `processing`, and returns how many.

        At the start of the only service nobody else holds any lease.
        """
        where = files.c.lease_until_ms <= self._ledger.clock()
        if start and self.alone:
            where = sa.true()
        return await self._ledger.write(lambda connection: changes.release(connection, where))

    async def reset(self, file_id: int) -> FileRecord:
        """Makes a file wait for its recognition again, even while it runs; a correction stays. Raises UnknownFile."""
        return await self._changed(file_id, lambda connection, _: changes.reset(connection, file_id))

    async def correct(self, file_id: int, label: str | None) -> FileRecord:
        """Keeps what a person says the picture shows, or takes it back; raises UnknownFile or InvalidInput."""
        if label is not None:
            label = names.clean(label.strip())
            if not 0 < len(label) <= MAX_LABEL_CHARS:
                raise InvalidInput(f"the label has {len(label)} characters, expected 1 to {MAX_LABEL_CHARS}")
        return await self._changed(
            file_id, lambda connection, now_ms: changes.correct(connection, file_id, label, now_ms)
        )

    # ------------------------------------------------------------------------------------------------------------------

    async def _change(self, file_id: int, change: Callable[[sa.Connection, int], T]) -> T:
        def operation(connection: sa.Connection) -> T:
            _require(connection, file_id)
            return change(connection, self._ledger.clock())

        return await self._ledger.write(operation)

    async def _changed(self, file_id: int, change: Callable[[sa.Connection, int], bool]) -> FileRecord:
        def then_read(connection: sa.Connection, now_ms: int) -> FileRecord:
            change(connection, now_ms)
            return queries.by_id(connection, file_id) or _unknown(file_id)

        return await self._change(file_id, then_read)

    async def _end(self, lease: Lease, change: Callable[[sa.Connection, int], bool]) -> FileRecord | None:
        def operation(connection: sa.Connection) -> FileRecord | None:
            done = change(connection, self._ledger.clock())
            return queries.by_id(connection, lease.file_id) if done else None

        return await self._ledger.write(operation)


def _require(connection: sa.Connection, file_id: int) -> None:
    if not queries.exists(connection, file_id):
        _unknown(file_id)


def _unknown(file_id: int) -> NoReturn:
    shown = str(file_id) if queries.is_id(abs(file_id)) or file_id == 0 else "of this number"
    raise UnknownFile(f"there is no file {shown}")

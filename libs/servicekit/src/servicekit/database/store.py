"""One engine and the threads that read from it; SQLAlchemy Core, no ORM."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from servicekit.database.engine import APPLICATION, READER_THREADS, make_engine
from servicekit.database.failures import storage_problems

T = TypeVar("T")


class Store:
    """One engine and a few threads that read; everything that writes goes through the ledger."""

    def __init__(self, url: str, application: str = APPLICATION) -> None:
        self.engine = make_engine(url, application=application)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._readers = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="store-reader")

    @property
    def folders(self) -> dict[str, Path]:
        """Returns where the database lies, by the name that metrics give it; nothing where it is another server's."""
        file = self.engine.url.database
        return {"database": Path(file).parent} if self.is_sqlite and file else {}

    async def read(self, fn: Callable[[sa.Connection], T]) -> T:
        """Runs `fn` in a reader thread on one snapshot; raises StorageUnavailable while the database is away."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_blocking, fn)

    def read_blocking(self, fn: Callable[[sa.Connection], T]) -> T:
        with storage_problems(), self.engine.connect() as connection:
            return fn(connection)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """Gives a connection that has begun to write: on SQLite it holds the only write lock there is."""
        with self.engine.connect().execution_options(writes=True) as connection:
            try:
                connection.begin()
                yield connection
            except sa.exc.SQLAlchemyError:
                connection.invalidate()  # a COMMIT that failed may have left the connection in its transaction
                raise

    def close(self) -> None:
        self._readers.shutdown(wait=True, cancel_futures=True)
        self.engine.dispose()

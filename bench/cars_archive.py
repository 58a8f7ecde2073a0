"""Milliseconds of a page of the list, by each filter, and of the statistics, with 100,000 files: SQLite, PostgreSQL.

Asked as the routes ask, without HTTP, a page of 50; the median of some calls. PostgreSQL is started here where Debian's
is installed.
"""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

import sqlalchemy as sa
from cars.archive import Archive, Filters, Ledger
from servicekit.database import cursors
from servicekit.database.engine import make_engine
from servicekit.database.store import Store

from bench import rows_cars
from bench.report import Row
from tests.postgresql import BINARIES, PostgresqlServer

FILES = 100_000
CALLS = 21
MOST_MS = 10.0
DAY_MS = 86_400_000
EVERY = Filters()

Call = Callable[[Archive], Awaitable[object]]


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _measured("SQLite", f"sqlite:///{folder}/cars.db")
    if not BINARIES:
        yield Row("the same on PostgreSQL", None, "skipped: no PostgreSQL under /usr/lib/postgresql", None)
        return
    with _postgresql() as url:
        yield from _measured("PostgreSQL", url)


@contextlib.contextmanager
def _postgresql() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="bench-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresqlServer(BINARIES[-1].parent, Path(folder))
        server.create()
        server.start()
        try:
            yield server.new_database()
        finally:
            server.stop()


def _measured(database: str, url: str) -> Iterator[Row]:
    rows_cars.fill(url, FILES)
    if database == "PostgreSQL":
        _analyse(url)
    store = Store(url)
    archive = Archive(store, Ledger(store, lambda: 0))
    for name, call in _calls().items():
        took_ms = 1000 * asyncio.run(_median_s(archive, call))
        yield Row(f"ms, {database}, {FILES:,} files, {name}", took_ms, f"at most {MOST_MS:.0f}", took_ms <= MOST_MS)
    store.close()


def _analyse(url: str) -> None:
    """Has the planner know the tables, which the server sees to by itself within a minute."""
    engine = make_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
    engine.dispose()


async def _median_s(archive: Archive, call: Call) -> float:
    took = []
    for _ in range(CALLS + 1):
        started = time.perf_counter()
        await call(archive)
        took.append(time.perf_counter() - started)
    return median(took[1:])  # the first compiles the statement


def _calls() -> Mapping[str, Call]:
    day = rows_cars.FIRST_MS + rows_cars.STEP_MS * FILES // 2
    chosen = {
        "status recognized": Filters(status="recognized"),
        "status failed, one in 1,000": Filters(status="failed"),
        "status processing, none": Filters(status="processing"),
        "make": Filters(make="Tesla"),
        "make unknown": Filters(make="Trabant"),
        "model": Filters(model="Model S"),
        "make and status": Filters(make="BMW", status="recognized"),
        "q of many files": Filters(q="sedan"),
        "q of one file": Filters(q=f"img_{FILES // 3:06}"),
        "q of none": Filters(q="trabant"),
        "q and make": Filters(q="img_0", make="Audi"),
        "uploads of a day": Filters(uploaded_from_ms=day, uploaded_to_ms=day + DAY_MS),
        "uploads before the first": Filters(uploaded_to_ms=rows_cars.FIRST_MS),
        "confidence of a hundredth": Filters(confidence_min=0.80, confidence_max=0.81),
        "confidence of none": Filters(confidence_min=0.0, confidence_max=0.1),
        "all filters": Filters("recognized", "BMW", None, "sedan", day, day + 30 * DAY_MS, 0.5, 1.0),
    }
    places = {"page in the middle": cursors.encode(FILES // 2), "last page": cursors.encode(51)}
    return {
        "first page": _page(),
        **{name: _page(cursor=place) for name, place in places.items()},
        **{name: _page(filters) for name, filters in chosen.items()},
        "stats": lambda archive: archive.stats(),
    }


def _page(filters: Filters = EVERY, cursor: str | None = None) -> Call:
    return lambda archive: archive.list(filters, cursor=cursor)

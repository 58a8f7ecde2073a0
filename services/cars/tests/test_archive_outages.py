"""A full disk and a database that is away: said so, nothing half done, and over without a restart."""

from collections.abc import Callable
from typing import Any, Protocol

import pytest
import sqlalchemy as sa
from servicekit.database.problems import StorageFull, StorageUnavailable


class Server(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


def test_a_full_disk_refuses_uploads_while_reads_go_on(sqlite_url: str, depot_of: Callable[[str], Any]) -> None:
    small = depot_of(sqlite_url)
    small.put(1)
    pages = "1"  # SQLite takes the size that the file has

    def limit(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    sa.event.listen(small.store.engine, "begin", limit)
    with pytest.raises(StorageFull):
        fill(small)
    before = small.stats()
    assert before.files == len(small.list(limit=1000)[0])
    pages = "1000000"
    small.put(2000)
    assert small.stats().files == before.files + 1


def fill(depot: Any) -> None:
    for number in range(2, 1000):
        depot.put(number, filename="x" * 250)


def test_a_database_that_comes_back_needs_no_restart(
    postgresql: Server, postgresql_url: str, depot_of: Callable[[str], Any]
) -> None:
    depot = depot_of(postgresql_url)
    depot.put(1)
    lease = depot.claim(1)
    postgresql.stop()
    try:
        for call in (lambda: depot.put(2), lambda: depot.get(1), lambda: depot.renew(lease), depot.stats):
            with pytest.raises(StorageUnavailable) as caught:
                call()
            assert (caught.value.headers or {})["Retry-After"]
    finally:
        postgresql.start()
    assert depot.finish(lease, depot.recognition(depot.candidate())).recognized
    assert depot.put(2).status == "pending"

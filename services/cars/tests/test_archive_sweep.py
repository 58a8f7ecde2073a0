"""A crash at any point: no row without its picture, and after the sweep no picture without its row."""

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cars.archive import sweep as module
from cars.archive.sweep import Sweep
from cars.problems import PicturesUnavailable
from cars.storage import FolderStorage, keys
from servicekit.threads import Pool

SOON = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    storage = FolderStorage(tmp_path / "pictures")
    storage.start()
    return storage


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool("storage", 1)
    yield pool
    pool.close()


@pytest.fixture
def sweep(depot: Any, storage: FolderStorage, pool: Pool) -> Sweep:
    return Sweep(depot.archive, storage, pool)


def upload(depot: Any, storage: FolderStorage, number: int) -> Any:
    """Stores a picture with its thumbnail, and then its row."""
    new = depot.picture(number)
    key = keys.original(new.sha256, "jpg")
    storage.put(key, b"picture")
    storage.put(keys.thumbnail(key), b"thumbnail")
    return depot.put(number, key=key)


def stored(storage: FolderStorage) -> set[str]:
    return {file.key for file in storage.keys()}  # noqa: SIM118 - a method of that name, not a mapping's


def test_leaves_pictures_that_have_rows(depot: Any, storage: FolderStorage, sweep: Sweep) -> None:
    records = [upload(depot, storage, number) for number in range(3)]
    assert asyncio.run(sweep.sweep(SOON)) == 0
    assert stored(storage) == {key for each in records for key in (each.key, each.thumbnail_key)}


def test_removes_pictures_and_thumbnails_without_a_row(depot: Any, storage: FolderStorage, sweep: Sweep) -> None:
    record = upload(depot, storage, 1)
    for name, kind in (("a", "jpg"), ("b", "png")):
        storage.put(orphan := keys.original(name * 64, kind), b"picture")
        storage.put(keys.thumbnail(orphan), b"thumbnail")
    assert asyncio.run(sweep.sweep(SOON)) == 4
    assert stored(storage) == {record.key, record.thumbnail_key}


def test_a_thumbnail_belongs_to_a_png_too(depot: Any, storage: FolderStorage, sweep: Sweep) -> None:
    new = depot.picture(1)
    key = keys.original(new.sha256, "png")
    storage.put(keys.thumbnail(key), b"thumbnail")
    depot.put(1, key=key)
    assert asyncio.run(sweep.sweep(SOON)) == 0


def test_spares_what_is_younger_than_its_row_may_be(storage: FolderStorage, sweep: Sweep) -> None:
    storage.put(keys.original("a" * 64, "jpg"), b"picture")
    assert asyncio.run(sweep.sweep(datetime.now(UTC) - timedelta(minutes=1))) == 0
    assert len(stored(storage)) == 1


def test_looks_twice_and_spares_a_picture_whose_row_came_meanwhile(
    depot: Any, storage: FolderStorage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = depot.picture(1)
    key = keys.original(new.sha256, "jpg")
    storage.put(key, b"picture")

    async def settle(_seconds: float) -> None:
        await depot.archive.add(depot.picture(1, key=key))

    monkeypatch.setattr(module.asyncio, "sleep", settle)
    assert asyncio.run(sweep.sweep(SOON, settle_s=10)) == 0
    assert stored(storage) == {key}


def test_a_crash_after_the_row_went_is_finished_later(depot: Any, storage: FolderStorage, sweep: Sweep) -> None:
    upload(depot, storage, 1)
    depot.delete(1)
    assert len(stored(storage)) == 2
    assert asyncio.run(sweep.sweep(SOON)) == 0  # not its business: the removal is noted
    asyncio.run(sweep.tidy())
    assert stored(storage) == set()
    assert depot.removals(10) == []


def test_a_crash_after_the_picture_went_is_finished_later(depot: Any, storage: FolderStorage, sweep: Sweep) -> None:
    record = upload(depot, storage, 1)
    depot.delete(1)
    storage.delete(record.key)
    asyncio.run(sweep.tidy())
    assert stored(storage) == set()
    assert depot.removals(10) == []


def test_a_picture_uploaded_anew_is_not_touched_by_the_removal_of_the_old(
    depot: Any, storage: FolderStorage, sweep: Sweep
) -> None:
    upload(depot, storage, 1)
    depot.delete(1)
    again = upload(depot, storage, 1)
    asyncio.run(sweep.tidy())
    assert again.id == 2
    assert storage.get(again.key) == b"picture"


def test_a_storage_that_is_away_leaves_the_removal_standing(
    depot: Any, storage: FolderStorage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(depot, storage, 1)
    depot.delete(1)

    def away(_key: str) -> None:
        raise PicturesUnavailable("the storage does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "delete", away)
        with pytest.raises(PicturesUnavailable):
            asyncio.run(sweep.tidy())
    assert len(depot.removals(10)) == 1
    asyncio.run(sweep.tidy())
    assert stored(storage) == set()


def test_what_is_over_the_limits_goes_with_its_picture(
    depot: Any, storage: FolderStorage, pool: Pool, clock: Any
) -> None:
    for number in range(4):
        upload(depot, storage, number)
    asyncio.run(Sweep(depot.archive, storage, pool, most_bytes=2000).tidy())
    assert depot.ids() == [4, 3]
    assert len(stored(storage)) == 4
    clock.advance(3 * 86_400)
    asyncio.run(Sweep(depot.archive, storage, pool, days=2).tidy())
    assert stored(storage) == set()


def test_the_worker_begins_with_what_a_crash_left(
    depot: Any, storage: FolderStorage, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLE_S", 0)
    upload(depot, storage, 1)
    depot.delete(1)
    depot.put(2)
    depot.claim(2)
    orphan = keys.original("a" * 64, "jpg")
    storage.put(orphan, b"picture")
    before = time.time() - module.GRACE.total_seconds() - 1
    os.utime(storage.path / orphan, (before, before))

    async def scenario() -> None:
        worker = asyncio.create_task(Sweep(depot.archive, storage, pool).run())
        while stored(storage):
            await asyncio.sleep(0.01)
            assert not worker.done()
        worker.cancel()

    asyncio.run(scenario())
    assert depot.get(2).status == ("pending" if depot.archive.alone else "processing")


def test_the_worker_outlives_a_database_that_is_away(
    depot: Any, storage: FolderStorage, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIDY_S", 0.01)
    tidied: list[bool] = []

    async def tidy(*, start: bool) -> None:
        tidied.append(start)
        if len(tidied) < 3:
            raise PicturesUnavailable("the storage does not answer")

    async def scenario() -> None:
        sweep = Sweep(depot.archive, storage, pool)
        monkeypatch.setattr(sweep, "tidy", tidy)
        worker = asyncio.create_task(sweep.run())
        while len(tidied) < 5:
            await asyncio.sleep(0.01)
            assert not worker.done()
        worker.cancel()

    asyncio.run(scenario())
    assert tidied[:5] == [True, True, True, False, False]

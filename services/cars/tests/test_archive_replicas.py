"""Two replicas on one PostgreSQL give one truth."""

import asyncio
from collections import Counter
from typing import Any

from cars.archive.archive import LEASE_MS
from cars.problems import UnknownFile


def both(first: Any, second: Any) -> list[Any]:
    async def run() -> list[Any]:
        return await asyncio.gather(*first, *second)

    return asyncio.run(run())


def test_the_same_pictures_at_once_are_stored_once(replicas: tuple[Any, Any]) -> None:
    calls = [[depot.archive.add(depot.picture(number)) for number in range(60)] for depot in replicas]
    answers = both(*calls)
    assert Counter(duplicate for _, duplicate in answers) == {False: 60, True: 60}
    assert len({record.id for record, _ in answers}) == 60
    assert replicas[0].stats() == replicas[1].stats()
    assert replicas[1].stats().files == 60


def test_one_of_two_gets_the_right_to_recognise(replicas: tuple[Any, Any]) -> None:
    for number in range(30):
        replicas[number % 2].put(number)
    ids = replicas[0].ids()
    leases = both(*[[depot.archive.claim(file_id) for file_id in ids] for depot in replicas])
    assert sum(lease is not None for lease in leases) == 30
    assert len({lease.file_id for lease in leases if lease}) == 30


def test_what_one_replica_lost_the_other_finishes(replicas: tuple[Any, Any], clock: Any) -> None:
    first, second = replicas
    first.put(1)
    stale = first.claim(1)
    assert second.claim(1) is None
    assert second.recover(start=True) == 0  # the first lives
    clock.advance(LEASE_MS / 1000)
    fresh = second.claim(1)
    assert first.finish(stale, first.recognition(first.candidate())) is None
    assert second.finish(fresh, second.recognition(second.candidate())).recognized
    assert first.get(1).recognized


def test_changes_side_by_side_leave_the_counters_right(replicas: tuple[Any, Any]) -> None:
    for number in range(40):
        replicas[number % 2].put(number)

    async def handle(depot: Any, file_id: int) -> None:
        lease = await depot.archive.claim(file_id)
        if lease:
            await depot.archive.finish(lease, depot.recognition(depot.candidate()))
        if file_id % 4 == 0:
            await depot.archive.correct(file_id, "BMW M3 Coupe 2012")
        if file_id % 5 == 0:
            await depot.archive.reset(file_id)

    ids = replicas[0].ids()
    both(*[[handle(depot, file_id) for file_id in ids] for depot in replicas])
    stats = replicas[0].stats()
    records = replicas[1].list(limit=100)[0]
    assert stats.by_status["recognized"] == sum(record.status == "recognized" for record in records)
    assert stats.corrections == 10
    assert stats.by_make["BMW"] == 10
    assert stats.predictions == sum(len(record.predictions) for record in records)


def test_a_file_deleted_by_both_is_deleted_once(replicas: tuple[Any, Any]) -> None:
    record = replicas[0].put(1)

    async def delete(depot: Any) -> str:
        try:
            return str(await depot.archive.delete(1))
        except UnknownFile:
            return "unknown"

    assert sorted(both(*[[delete(depot)] for depot in replicas])) == [record.key, "unknown"]
    assert replicas[1].put(1).id > 1

"""Who may recognise a file, and what becomes of it: leases, deletes and resets while it runs, crashes."""

import asyncio
from typing import Any

import pytest
from cars.archive import Lease
from cars.archive.archive import LEASE_MS
from cars.problems import UnknownFile
from cars.recognition import Box

PROBLEM = {"type": "urn:lineside:problem:backend-timeout", "status": 424, "detail": "it took too long"}


def test_what_was_recognised_is_told_with_everything_that_made_it(depot: Any, clock: Any) -> None:
    depot.put(1)
    lease = depot.claim(1)
    assert depot.get(1).status == "processing"
    clock.advance(2)
    candidates = [depot.candidate(), depot.candidate("BMW M3 Coupe 2012", 0.05)]
    record = depot.finish(lease, depot.recognition(*candidates))
    assert (record.status, record.recognized, record.reason) == ("recognized", True, None)
    assert record.predictions == tuple(candidates)
    assert (record.backend, record.model_name, record.model_version) == ("local", "efficientnet-lite2", "1")
    assert record.region == Box(1, 2, 300, 200)
    assert (record.make.value, record.make.confidence, record.year.value) == ("Tesla", 0.95, 2012)
    assert record.body is None
    assert record.recognized_at.isoformat() == "2026-01-01T00:00:02+00:00"
    assert depot.get(1) == record


def test_a_picture_without_a_car_has_no_predictions_and_a_reason(depot: Any) -> None:
    depot.put(1)
    record = depot.recognise(1, depot.recognition(recognized=False, reason="no_car", region=None))
    assert (record.status, record.recognized, record.reason) == ("unrecognized", False, "no_car")
    assert (record.predictions, record.region, record.make) == ((), None, None)


def test_one_at_a_time(depot: Any) -> None:
    depot.put(1)

    async def rush() -> list[Lease | None]:
        return await asyncio.gather(*(depot.archive.claim(1, force=True) for _ in range(10)))

    assert [bool(lease) for lease in asyncio.run(rush())].count(True) == 1


def test_what_is_recognised_is_claimed_again_only_by_force(depot: Any) -> None:
    depot.put(1)
    depot.recognise(1, depot.recognition(depot.candidate()))
    assert depot.claim(1) is None
    lease = depot.claim(1, force=True)
    assert depot.get(1).predictions == ()
    assert depot.finish(lease, depot.recognition(depot.candidate("BMW M3 Coupe 2012"))).make.value == "BMW"
    assert depot.stats().by_make == {["BMW", "M3", "Coupe", "2012"][0]: 1}


def test_a_failure_is_told_and_may_be_tried_again(depot: Any) -> None:
    depot.put(1)
    record = depot.fail(depot.claim(1), PROBLEM)
    assert (record.status, record.error, record.recognized) == ("failed", PROBLEM, None)
    lease = depot.claim(1)
    assert depot.get(1).error is None
    assert depot.finish(lease, depot.recognition(depot.candidate())).recognized


def test_a_file_deleted_while_it_runs_stays_deleted(depot: Any) -> None:
    depot.put(1)
    lease = depot.claim(1)
    depot.delete(1)
    assert depot.finish(lease, depot.recognition(depot.candidate())) is None
    assert depot.fail(lease, PROBLEM) is None
    assert depot.renew(lease) is False
    depot.release(lease)
    with pytest.raises(UnknownFile):
        depot.get(1)
    assert depot.stats().files == 0


def test_a_reset_while_it_runs_takes_the_lease_away(depot: Any) -> None:
    depot.put(1)
    stale = depot.claim(1)
    assert depot.reset(1).status == "pending"
    fresh = depot.claim(1)
    assert depot.finish(stale, depot.recognition(depot.candidate())) is None
    assert depot.fail(stale, PROBLEM) is None
    depot.release(stale)
    assert depot.get(1).status == "processing"
    assert depot.finish(fresh, depot.recognition(depot.candidate())).recognized


def test_a_lease_that_is_renewed_does_not_lapse(depot: Any, clock: Any) -> None:
    depot.put(1)
    lease = depot.claim(1)
    for _ in range(4):
        clock.advance(LEASE_MS / 2000)
        assert depot.renew(lease)
        assert depot.claim(1) is None


def test_a_lapsed_lease_is_anybodys_and_the_first_holder_changes_nothing(depot: Any, clock: Any) -> None:
    depot.put(1)
    stale = depot.claim(1)
    clock.advance(LEASE_MS / 1000)
    fresh = depot.claim(1)
    assert fresh is not None
    assert depot.finish(stale, depot.recognition(depot.candidate("BMW M3 Coupe 2012"))) is None
    assert depot.finish(fresh, depot.recognition(depot.candidate())).make.value == "Tesla"


def test_what_a_dead_process_held_is_pending_again(depot: Any, clock: Any) -> None:
    depot.put(1)
    depot.put(2)
    depot.claim(1)
    clock.advance(LEASE_MS / 1000)
    running = depot.claim(2)
    assert depot.recover() == 1
    assert [depot.get(number).status for number in (1, 2)] == ["pending", "processing"]
    assert depot.renew(running)


def test_at_the_start_of_the_only_service_nothing_is_held_by_anybody(depot: Any) -> None:
    depot.put(1)
    depot.claim(1)
    assert depot.recover(start=True) == (1 if depot.archive.alone else 0)
    assert depot.get(1).status == ("pending" if depot.archive.alone else "processing")


def test_stopping_gives_a_file_back(depot: Any) -> None:
    depot.put(1)
    depot.release(depot.claim(1))
    assert depot.get(1).status == "pending"
    assert depot.claim(1) is not None


def test_labels_of_a_strange_model_are_kept_as_any_database_can(depot: Any) -> None:
    depot.put(1)
    candidate = depot.candidate("\0evil\udc80" + "x" * 1000)
    record = depot.recognise(1, depot.recognition(candidate))
    assert record.predictions[0].label.startswith("\N{REPLACEMENT CHARACTER}evil")

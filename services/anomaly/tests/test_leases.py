"""The queue of jobs, on both kinds of database."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from anomaly.lifecycle import leases
from anomaly.lifecycle.leases import Lease, LeaseLostError
from anomaly.problems import JobFinished, TrainingFailed, UnknownJob
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from servicekit.problems import Overloaded

Do = Callable[[Callable[[sa.Connection], Any]], Any]
LAPSED_MS = leases.LEASE_MS + 1


@pytest.fixture
def do(ledger: Ledger) -> Do:
    """Runs a change in a transaction and returns its result, or LeaseLostError where it raised that."""

    def run(change: Callable[[sa.Connection], Any]) -> Any:
        results: list[Any] = []

        def operation(connection: sa.Connection) -> Reply:
            try:
                results.append(change(connection))
            except LeaseLostError:
                results.append(LeaseLostError)
            return Reply(204)

        ledger.write_blocking(operation)
        return results[-1]

    return run


@pytest.fixture
def submit(do: Do) -> Callable[[int], str]:
    return lambda now_ms: str(do(lambda c: leases.submit(c, "train", "press", {"a": 1}, b"data", now_ms)))


def claim(do: Do, job_id: str, now_ms: int) -> Any:
    return do(lambda c: leases.claim(c, job_id, now_ms))


def test_the_oldest_job_is_next(do: Do, submit: Callable[[int], str]) -> None:
    second, first = submit(200), submit(100)
    assert do(lambda c: leases.waiting(c, 300)) == first
    claim(do, first, 300)
    assert do(lambda c: leases.waiting(c, 300)) == second
    assert do(lambda c: leases.read_input(c, first)) == ("press", {"a": 1}, b"data")


def test_a_job_is_claimed_once(do: Do, submit: Callable[[int], str]) -> None:
    job_id = submit(100)
    assert isinstance(claim(do, job_id, 200), Lease)
    assert claim(do, job_id, 200) is None


def test_a_lapsed_lease_is_taken_over_and_its_holder_can_change_nothing(do: Do, submit: Callable[[int], str]) -> None:
    job_id = submit(100)
    first = claim(do, job_id, 200)
    second = claim(do, job_id, 200 + LAPSED_MS)
    assert isinstance(second, Lease)
    assert do(lambda c: leases.renew(c, first, 0.5, "", 300)) is LeaseLostError
    assert do(lambda c: leases.succeed(c, first, {}, 300)) is LeaseLostError
    assert do(lambda c: leases.succeed(c, second, {"version": 1}, 300)) is None


def test_a_renewed_lease_lasts(do: Do, submit: Callable[[int], str]) -> None:
    job_id = submit(100)
    lease = claim(do, job_id, 200)
    renewed = do(lambda c: leases.renew(c, lease, 0.5, "epoch 5", LAPSED_MS))
    assert renewed.until_ms > lease.until_ms
    assert do(lambda c: leases.waiting(c, 200 + LAPSED_MS)) is None
    row = do(lambda c: leases.find(c, job_id))
    assert (row.progress, row.message, row.status) == (0.5, "epoch 5", "running")


def test_a_clock_that_goes_back_makes_no_lease_twice(do: Do, submit: Callable[[int], str]) -> None:
    job_id = submit(100)
    lease = claim(do, job_id, 1000)
    assert do(lambda c: leases.renew(c, lease, 0.1, "", 10)).until_ms == lease.until_ms + 1


def test_a_job_that_took_the_service_down_twice_fails(do: Do, submit: Callable[[int], str]) -> None:
    job_id = submit(100)
    assert isinstance(claim(do, job_id, 200), Lease)
    assert isinstance(claim(do, job_id, 200 + LAPSED_MS), Lease)
    assert claim(do, job_id, 200 + 3 * LAPSED_MS) is None
    row = do(lambda c: leases.find(c, job_id))
    assert row.status == "failed"
    assert "ended 2 times" in row.error["detail"]
    assert do(lambda c: leases.waiting(c, 10**9)) is None


def test_a_job_that_was_given_back_has_not_been_tried(do: Do, submit: Callable[[int], str]) -> None:
    job_id = submit(100)
    for _ in range(5):
        lease = claim(do, job_id, 200)
        do(lambda c, lease=lease: leases.release(c, lease))  # type: ignore[misc]
    row = do(lambda c: leases.find(c, job_id))
    assert (row.status, row.attempts) == ("queued", 0)


def test_the_input_is_kept_only_until_the_end(do: Do, submit: Callable[[int], str]) -> None:
    job_id = submit(100)
    lease = claim(do, job_id, 200)
    do(lambda c: leases.fail(c, lease, TrainingFailed("no"), 300))
    assert do(lambda c: c.scalar(sa.select(schema.jobs.c.input))) is None
    assert do(lambda c: leases.find(c, job_id)).error["type"] == "urn:lineside:problem:training-failed"


def test_cancelling_takes_the_lease_away(do: Do, submit: Callable[[int], str]) -> None:
    job_id = submit(100)
    lease = claim(do, job_id, 200)
    do(lambda c: leases.cancel(c, job_id, 300))
    do(lambda c: leases.cancel(c, job_id, 301))
    assert do(lambda c: leases.renew(c, lease, 0.5, "", 302)) is LeaseLostError
    assert do(lambda c: leases.find(c, job_id)).finished_ms == 300


def test_what_has_ended_cannot_be_cancelled(do: Do, submit: Callable[[int], str]) -> None:
    job_id = submit(100)
    lease = claim(do, job_id, 200)
    do(lambda c: leases.succeed(c, lease, {"version": 1}, 300))
    with pytest.raises(JobFinished):
        do(lambda c: leases.cancel(c, job_id, 400))
    with pytest.raises(UnknownJob):
        do(lambda c: leases.cancel(c, "0", 400))


def test_a_full_queue_refuses(submit: Callable[[int], str]) -> None:
    for i in range(leases.MAX_QUEUED):
        submit(i)
    with pytest.raises(Overloaded) as refusal:
        submit(99)
    assert int((refusal.value.headers or {})["Retry-After"]) > 0


def test_old_jobs_are_forgotten(do: Do, submit: Callable[[int], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "MAX_KEPT", 2)
    ids = [submit(i) for i in range(4)]
    for job_id in ids[:3]:
        do(lambda c, job_id=job_id: leases.cancel(c, job_id, 10))  # type: ignore[misc]
    newest = submit(20)
    assert [row.id for row in do(lambda c: leases.newest(c, 9, None, None, None))] == [newest, ids[3], ids[2], ids[1]]


def test_jobs_are_listed_newest_first_in_pages(do: Do, submit: Callable[[int], str]) -> None:
    ids = [submit(5) for _ in range(3)] + [submit(6)]
    expected = [ids[3], *sorted(ids[:3], reverse=True)]
    first = do(lambda c: leases.newest(c, 2, "press", "queued", None))
    place = (first[1].created_ms, first[1].id)
    assert [row.id for row in [*first, *do(lambda c: leases.newest(c, 9, "press", None, place))]] == expected
    assert do(lambda c: leases.newest(c, 9, "lathe", None, None)) == []

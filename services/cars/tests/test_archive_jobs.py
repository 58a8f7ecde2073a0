"""The queue of long batches: at most one runner, nothing lost at a crash, an end to what crashes for ever."""

import asyncio
from typing import Any

import pytest
from cars.archive import jobs as module
from cars.archive.jobs import LEASE_MS, MAX_CLAIMS, Jobs
from cars.problems import JobFinished, UnknownJob
from servicekit.problems import Overloaded


class Queue:
    """Calls of `Jobs` that wait for their answers."""

    def __init__(self, depot: Any) -> None:
        self.jobs = Jobs(depot.store, depot.ledger)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.jobs, name)
        return lambda *arguments, **options: asyncio.run(call(*arguments, **options))


@pytest.fixture
def queue(depot: Any) -> Queue:
    return Queue(depot)


def test_a_job_from_its_beginning_to_its_end(queue: Queue, clock: Any) -> None:
    job = queue.submit("inference", {"image_ids": [1, 2]}, "mes")
    assert (job.status, job.progress, job.parameters, job.owner) == ("queued", 0.0, {"image_ids": [1, 2]}, "mes")
    clock.advance(1)
    lease = queue.claim()
    assert lease.job.id == job.id
    assert queue.claim() is None
    assert queue.renew(lease, 0.5, {"items": [1]})
    assert (queue.find(job.id).status, queue.find(job.id).progress) == ("running", 0.5)
    assert queue.end(lease, "succeeded", {"items": [1, 2]})
    ended = queue.find(job.id)
    assert (ended.status, ended.progress, ended.result, ended.error) == ("succeeded", 1.0, {"items": [1, 2]}, None)
    assert ended.started_at.isoformat() == "2026-01-01T00:00:01+00:00"
    assert ended.finished_at is not None


def test_the_oldest_comes_first_and_lists_begin_with_the_newest(queue: Queue) -> None:
    ids = [queue.submit("inference", {"number": number}).id for number in range(5)]
    assert queue.claim().job.id == ids[0]
    first, cursor = queue.list(limit=3)
    rest, last = queue.list(limit=3, cursor=cursor)
    assert [job.id for job in (*first, *rest)] == ids[::-1]
    assert last is None
    assert [job.id for job in queue.list(status="running")[0]] == ids[:1]


def test_a_cancelled_job_ends_at_once_and_its_runner_notices(queue: Queue) -> None:
    job = queue.submit("inference", {})
    lease = queue.claim()
    assert queue.cancel(job.id).status == "cancelled"
    assert queue.cancel(job.id).status == "cancelled"
    assert queue.renew(lease, 0.5) is False
    assert queue.end(lease, "succeeded", None) is False
    assert queue.find(job.id).status == "cancelled"


def test_what_has_ended_cannot_be_cancelled(queue: Queue) -> None:
    job = queue.submit("inference", {})
    queue.end(queue.claim(), "failed", None, {"status": 500})
    assert queue.find(job.id).error == {"status": 500}
    with pytest.raises(JobFinished, match="has failed"):
        queue.cancel(job.id)


@pytest.mark.parametrize("job_id", ["", "0" * 16, "\0", "\udc80", "x" * 10_000, "' OR 1=1 --"])
def test_an_unknown_job_is_said_to_be_unknown(queue: Queue, job_id: str) -> None:
    queue.submit("inference", {})
    for call in (queue.find, queue.cancel):
        with pytest.raises(UnknownJob):
            call(job_id)


def test_a_job_of_a_dead_process_is_run_again_and_at_last_given_up(queue: Queue, clock: Any) -> None:
    job = queue.submit("inference", {})
    first = queue.claim()
    for _ in range(MAX_CLAIMS - 1):
        clock.advance(LEASE_MS / 1000)
        assert queue.claim().job.id == job.id
        assert queue.renew(first, 0.9) is False
        assert queue.end(first, "succeeded", None) is False
    clock.advance(LEASE_MS / 1000)
    assert queue.claim() is None
    assert queue.find(job.id).status == "failed"
    assert "not tried again" in queue.find(job.id).error["detail"]


def test_stopping_gives_a_job_back_unharmed(queue: Queue) -> None:
    queue.submit("inference", {})
    for _ in range(MAX_CLAIMS + 2):
        assert queue.release(queue.claim())
    assert queue.claim().job.status == "running"


def test_too_many_waiting_are_refused_with_a_time_to_come_back(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    for _ in range(2):
        queue.submit("inference", {})
    with pytest.raises(Overloaded) as caught:
        queue.submit("inference", {})
    assert (caught.value.headers or {})["Retry-After"]


def test_old_jobs_are_forgotten(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 2)
    ids = []
    for _ in range(5):
        ids.append(queue.submit("inference", {}).id)
        queue.end(queue.claim(), "succeeded", None)
    assert [job.id for job in queue.list()[0]] == ids[:1:-1]

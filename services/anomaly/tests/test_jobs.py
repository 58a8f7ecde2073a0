"""Training jobs from the queue to the version, on real databases and with real processes."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.lifecycle import child, jobs, leases, versions
from anomaly.lifecycle.jobs import Jobs
from anomaly.lifecycle.leases import LEASE_MS
from anomaly.lifecycle.registry import Registry
from anomaly.lifecycle.versions import Row
from anomaly.problems import TableInvalid, TrainingFailed, TrainingImpossible
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from servicekit.database.problems import StorageUnavailable
from servicekit.database.store import Store


@dataclass
class Settings:
    max_assets: int = 100
    max_train_bytes: int = 1 << 24
    train_memory_mb: int = 1024
    train_timeout_s: float = 60.0
    train_workers: int = 1


def table(n: int = 200) -> bytes:
    rows = np.random.default_rng(0).normal(20.0, 1.0, (n, 3))
    return "\n".join(",".join(f"{value:.4f}" for value in row) for row in rows).encode()


class Plant:
    """The parts around the jobs, and what a test asks of them."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self.store, self.ledger = store, ledger
        self.registry = Registry(store, ledger)
        self.settings = Settings()
        self.jobs = self.replica()

    def replica(self) -> Jobs:
        return Jobs(self.store, self.ledger, self.registry, self.settings)

    async def submit(self, data: bytes | None = None, *, activate: bool = False, asset: str = "press") -> str:
        parameters = {"options": {"kind": "pca"}, "activate": activate, "by": "me"}
        ids: list[str] = []

        def operation(connection: sa.Connection) -> Reply:
            deflated = zlib.compress(table() if data is None else data)
            ids.append(leases.submit(connection, "train", asset, parameters, deflated, self.ledger.clock()))
            return Reply(202)

        await self.ledger.write(operation)
        self.jobs.wake()
        return ids[0]

    async def change(self, change: Callable[[sa.Connection], Any]) -> None:
        def operation(connection: sa.Connection) -> Reply:
            change(connection)
            return Reply(204)

        await self.ledger.write(operation)

    def job(self, job_id: str) -> Row:
        return self.store.read_blocking(lambda c: leases.find(c, job_id))

    async def until(self, job_id: str, *statuses: str) -> Row:
        async with asyncio.timeout(30):
            while (job := self.job(job_id)).status not in statuses:
                await asyncio.sleep(0.05)
        return job

    def numbers(self, asset: str = "press") -> list[int]:
        def read(connection: sa.Connection) -> list[int]:
            row = versions.find_asset(connection, asset)
            return [version.number for version in versions.newest_versions(connection, row, 99, None)]

        return self.store.read_blocking(read)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None, None]:
        await self.jobs.open()
        try:
            yield
        finally:
            await self.jobs.close()


@pytest.fixture
def plant(store: Store, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Plant:
    monkeypatch.setattr(jobs, "POLL_S", 0.1)
    monkeypatch.setattr(jobs, "REPORT_S", 0.05)
    monkeypatch.setattr(jobs, "RENEW_S", 0.1)
    monkeypatch.setattr(jobs, "RETRY_S", 0.1)
    return Plant(store, ledger)


def run(plant: Plant, use: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with plant.open():
            await use()

    asyncio.run(main())


Train = Callable[[child.Order, bytes, float, Callable[[float, str], None]], Awaitable[tuple[bytes, dict[str, Any]]]]


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes every training last until it is cancelled; returns what became of them."""
    seen: list[str] = []

    async def train(*arguments: Any) -> tuple[bytes, dict[str, Any]]:
        seen.append("began")
        arguments[3](0.5, "half")
        try:
            await asyncio.sleep(3600)
        finally:
            seen.append("ended")
        raise AssertionError

    monkeypatch.setattr(child, "train", train)
    return seen


def test_a_job_makes_a_version_and_tells_of_it(plant: Plant) -> None:
    async def use() -> None:
        job = await plant.until(await plant.submit(), "succeeded", "failed")
        assert (job.status, job.progress, job.error) == ("succeeded", 1.0, None)
        assert (job.result["version"], job.result["activated"]) == (1, False)
        assert job.result["report"]["rows"] == 200
        assert plant.numbers() == [1]
        assert plant.store.read_blocking(lambda c: versions.find_asset(c, "press").active_version) is None

    run(plant, use)


def test_a_version_is_activated_if_asked(plant: Plant) -> None:
    async def use() -> None:
        await plant.until(await plant.submit(activate=True, asset="default"), "succeeded")
        assert plant.registry.require_default().version == 1

    run(plant, use)


def test_two_jobs_of_one_asset_run_one_after_the_other(plant: Plant) -> None:
    async def use() -> None:
        first, second = await plant.submit(), await plant.submit()
        jobs = [await plant.until(job_id, "succeeded") for job_id in (first, second)]
        assert sorted(job.result["version"] for job in jobs) == [1, 2]
        early, late = sorted(jobs, key=lambda job: int(job.result["version"]))
        assert early.finished_ms <= late.finished_ms

    run(plant, use)


def test_a_job_that_cannot_be_trained_fails_with_the_reason_and_no_version(plant: Plant) -> None:
    async def use() -> None:
        job = await plant.until(await plant.submit(b"1,2\n3,4"), "failed")
        assert job.error["type"] == "urn:lineside:problem:training-impossible"
        assert plant.store.read_blocking(lambda c: c.scalar(sa.text("SELECT count(*) FROM versions"))) == 0

    run(plant, use)


def test_a_version_over_the_limit_fails_the_job(plant: Plant) -> None:
    plant.registry.max_versions = 1

    async def use() -> None:
        await plant.until(await plant.submit(), "succeeded")
        job = await plant.until(await plant.submit(), "failed")
        assert job.error["type"] == "urn:lineside:problem:too-many-versions"
        assert plant.numbers() == [1]

    run(plant, use)


def test_cancelling_ends_the_process_and_makes_no_version(plant: Plant, endless: list[str]) -> None:
    async def use() -> None:
        job_id = await plant.submit()
        await plant.until(job_id, "running")
        await plant.change(lambda c: leases.cancel(c, job_id, 5))
        plant.jobs.stop(job_id)
        async with asyncio.timeout(5):
            while "ended" not in endless:
                await asyncio.sleep(0.01)
        assert plant.job(job_id).status == "cancelled"
        next_id = await plant.submit()  # and the worker goes on
        await plant.until(next_id, "running")

    run(plant, use)


def test_a_job_that_another_replica_cancelled_is_ended_here(plant: Plant, endless: list[str]) -> None:
    async def use() -> None:
        job_id = await plant.submit()
        await plant.until(job_id, "running")
        await plant.change(lambda c: leases.cancel(c, job_id, 5))
        async with asyncio.timeout(5):
            while "ended" not in endless:
                await asyncio.sleep(0.01)

    run(plant, use)


def test_progress_is_written(plant: Plant, endless: list[str]) -> None:
    async def use() -> None:
        job_id = await plant.submit()
        async with asyncio.timeout(5):
            while plant.job(job_id).progress != 0.5:
                await asyncio.sleep(0.01)
        assert plant.job(job_id).message == "half"

    run(plant, use)
    assert endless == ["began", "ended"]


def test_a_service_that_stops_gives_its_job_back(plant: Plant, endless: list[str]) -> None:
    job_ids: list[str] = []

    async def use() -> None:
        job_ids.append(await plant.submit())
        await plant.until(job_ids[0], "running")

    run(plant, use)
    job = plant.job(job_ids[0])
    assert (job.status, job.attempts) == ("queued", 0)
    assert endless == ["began", "ended"]


def test_a_job_whose_service_died_is_taken_up_again(plant: Plant, clock: Any) -> None:
    async def use() -> None:
        job_id = await plant.submit()
        await plant.change(lambda c: leases.claim(c, job_id, clock()))  # by a process that is gone
        async with plant.open():
            await asyncio.sleep(0.3)
            assert plant.job(job_id).status == "running"
            clock.advance(LEASE_MS / 1000 + 1)
            job = await plant.until(job_id, "succeeded", "failed")
            assert (job.status, job.attempts) == ("succeeded", 2)

    asyncio.run(use())


def test_a_runner_that_was_taken_for_dead_makes_no_version(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    finished = asyncio.Event()
    real = child.train

    async def slow(*arguments: Any) -> tuple[bytes, dict[str, Any]]:
        made = await real(*arguments)
        await finished.wait()
        return made

    monkeypatch.setattr(child, "train", slow)
    monkeypatch.setattr(jobs, "REPORT_S", 3600.0)

    async def use() -> None:
        job_id = await plant.submit()
        async with plant.open():
            await plant.until(job_id, "running")
            clock.advance(LEASE_MS / 1000 + 1)
            await plant.change(lambda c: leases.claim(c, job_id, clock()))  # another replica
            finished.set()
            await asyncio.sleep(1.5)
            assert plant.job(job_id).status == "running"
        assert plant.store.read_blocking(lambda c: c.scalar(sa.text("SELECT count(*) FROM versions"))) == 0

    asyncio.run(use())


def test_the_end_of_a_job_waits_for_the_database(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = plant.ledger.write, [3]

    async def write(*arguments: Any, **keywords: Any) -> Reply:
        if keywords.get("assets") and failures[0]:
            failures[0] -= 1
            raise StorageUnavailable("the database does not answer")
        return await real(*arguments, **keywords)

    monkeypatch.setattr(plant.ledger, "write", write)

    async def use() -> None:
        job = await plant.until(await plant.submit(), "succeeded")
        assert job.result["version"] == 1

    run(plant, use)
    assert failures == [0]


def test_a_training_that_takes_too_long_fails(plant: Plant) -> None:
    plant.settings.train_timeout_s = 0.1

    async def use() -> None:
        job = await plant.until(await plant.submit(), "failed")
        assert "more than 0.1 s" in job.error["detail"]

    run(plant, use)


def test_a_fault_of_our_own_fails_the_job_with_a_reason(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_arguments: Any) -> tuple[bytes, dict[str, Any]]:
        raise TrainingFailed("the training process failed, the service's log tells why")

    monkeypatch.setattr(child, "train", broken)

    async def use() -> None:
        job = await plant.until(await plant.submit(), "failed")
        assert job.error["status"] == 500

    run(plant, use)


def test_a_table_is_refused_before_it_is_accepted(plant: Plant) -> None:
    async def use() -> None:
        with pytest.raises(TableInvalid):
            await plant.jobs.check(zlib.compress(table() + b"\n1,x,3"), {"options": {"kind": "pca"}})
        with pytest.raises(TrainingImpossible):
            await plant.jobs.check(zlib.compress(b"1,2"), {"options": {"kind": "pca"}})
        await plant.jobs.check(zlib.compress(table()), {"options": {"kind": "pca"}})

    run(plant, use)

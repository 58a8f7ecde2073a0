import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from ocr.jobs import Jobs, StoreInUse, queue
from ocr.jobs.record import Order, Record
from ocr.options import Options
from ocr.problems import IdempotencyKeyInUse, IdempotencyKeyReused, UnknownJob
from ocr.reader import DocumentRequest
from ocr.results import PageResult
from ocr.settings import Settings
from servicekit.spool import Spool
from servicekit.uploads import Upload


class NeverReader:
    """Opens documents and never reads a page of them."""

    @asynccontextmanager
    async def read_document(
        self, path: Path, request: DocumentRequest
    ) -> AsyncIterator[tuple[list[int], AsyncIterator[PageResult]]]:
        assert (path.name, request.mode) == ("input", "auto")
        yield [1], self.frames(path, request.options)

    async def frames(self, data: Path, options: Options) -> AsyncGenerator[PageResult, None]:
        assert (data.name, options) == ("input", Options())
        await asyncio.Event().wait()
        yield  # type: ignore[misc] # never: it makes this a generator


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(jobs_dir=tmp_path / "jobs", jobs_retention_s=100)


def upload(content: bytes = b"%PDF-1.7") -> Upload:
    file = Upload("a.pdf", "application/pdf", Spool())
    file.keep(content)
    return file


async def submit(
    jobs: Jobs, *, key: str | None = None, owner: str = "a", content: bytes = b"%PDF"
) -> tuple[Record, bool]:
    return await jobs.submit(owner, upload(content), "pdf", Order(Options()), password=None, key=key)


def test_two_requests_with_one_key_at_once_make_one_job(settings: Settings) -> None:
    async def run() -> None:
        jobs = Jobs(settings, NeverReader())
        async with jobs.opened():
            first = asyncio.create_task(submit(jobs, key="k"))
            await asyncio.sleep(0)
            with pytest.raises(IdempotencyKeyInUse):
                await submit(jobs, key="k")
            record, replayed = await first
            assert not replayed
            assert await submit(jobs, key="k") == (jobs.store.find(record.id), True)
            with pytest.raises(IdempotencyKeyReused):
                await submit(jobs, key="k", content=b"%PDF another")
            other, replayed = await submit(jobs, key="k", owner="b")  # another client's keys are its own
            assert not replayed
            assert other.id != record.id

    asyncio.run(run())


def test_a_key_is_known_after_a_restart(settings: Settings) -> None:
    async def once() -> tuple[str, bool]:
        jobs = Jobs(settings, NeverReader())
        async with jobs.opened():
            record, replayed = await submit(jobs, key="k")
            return record.id, replayed

    first, second = asyncio.run(once()), asyncio.run(once())
    assert (first[1], second) == (False, (first[0], True))


def test_without_a_key_each_request_makes_a_job(settings: Settings) -> None:
    async def run() -> None:
        jobs = Jobs(settings, NeverReader())
        async with jobs.opened():
            assert (await submit(jobs))[0].id != (await submit(jobs))[0].id

    asyncio.run(run())


def test_removing_cancels_first_and_deletes_then(settings: Settings) -> None:
    async def run() -> None:
        jobs = Jobs(settings, NeverReader())
        async with jobs.opened():
            job_id = (await submit(jobs))[0].id
            cancelled = await jobs.remove(job_id)
            assert cancelled
            assert cancelled.status == "cancelled"
            assert await jobs.remove(job_id) is None
            with pytest.raises(UnknownJob):
                await jobs.remove(job_id)

    asyncio.run(run())


def test_expired_jobs_make_room_for_the_next(settings: Settings) -> None:
    async def run() -> None:
        clock = Clock()
        jobs = Jobs(settings.model_copy(update={"jobs_max_stored": 1}), NeverReader(), clock)
        async with jobs.opened():
            old = (await submit(jobs))[0].id
            await jobs.remove(old)
            clock.now += 100
            new = (await submit(jobs))[0].id
            assert not (settings.jobs_dir / old).exists()
            assert (settings.jobs_dir / new).exists()

    asyncio.run(run())


def test_a_process_waits_for_the_one_that_leaves(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        old, new = Jobs(settings, NeverReader()), Jobs(settings, NeverReader())

        async def begin() -> str:
            async with new.opened():
                return (await submit(new))[0].id

        async with old.opened():
            beginning = asyncio.create_task(begin())
            done, _ = await asyncio.wait([beginning], timeout=0.1)
            assert not done
        assert (settings.jobs_dir / await beginning).exists()

    monkeypatch.setattr(queue, "LEAVING_S", 1.0)
    asyncio.run(run())


def test_a_second_process_is_refused_in_the_end(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with Jobs(settings, NeverReader()).opened():
            with pytest.raises(StoreInUse, match="another process"):
                async with Jobs(settings, NeverReader()).opened():
                    raise AssertionError("it was let in")

    monkeypatch.setattr(queue, "LEAVING_S", 0.0)
    asyncio.run(run())

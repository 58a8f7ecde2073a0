"""The runner in processes of its own, which are killed; run as a program, this file is such a process."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from ocr.documents import ranges
from ocr.jobs import Jobs
from ocr.jobs.record import Order, Record
from ocr.options import Options
from ocr.pages import Line, Page
from ocr.problems import DocumentInvalid, ReadingFailed
from ocr.reader import DocumentRequest
from ocr.results import PageResult
from ocr.settings import Settings
from servicekit.spool import Spool
from servicekit.uploads import Upload

PAGES = 12
QUAD = ((0.0, 0.0), (30.0, 0.0), (30.0, 10.0), (0.0, 10.0))


def page(number: int) -> PageResult:
    return PageResult.of(number, Page(40, 20, (Line(f"page {number}", 0.9, QUAD, ()),)), 0.01)


class SlowReader:
    """Reads documents of 12 pages; before each page it waits until `allow` lets it go on. Tells what it was asked."""

    def __init__(self, allowed: int = PAGES) -> None:
        self.allowed = asyncio.Semaphore(allowed)
        self.requests: list[DocumentRequest] = []
        self.failure: Exception | None = None

    @asynccontextmanager
    async def read_document(
        self, path: Path, request: DocumentRequest
    ) -> AsyncIterator[tuple[list[int], AsyncIterator[PageResult]]]:
        assert path.name == "input"
        self.requests.append(request)
        numbers = ranges.parse(request.pages, PAGES, request.max_pages)
        yield numbers, self._pages(numbers)

    async def _pages(self, numbers: list[int]) -> AsyncIterator[PageResult]:
        for number in numbers:
            await self.allowed.acquire()
            if self.failure:
                raise self.failure
            yield page(number)

    async def frames(self, data: Path, options: Options) -> AsyncGenerator[PageResult, None]:
        assert data.name == "input"
        assert options
        yield page(1)


def upload(name: str = "long.pdf", content: bytes = b"%PDF-1.7 of twelve pages") -> Upload:
    file = Upload(name, "application/pdf", Spool())
    file.keep(content)
    return file


async def submit(jobs: Jobs, *, password: str | None = None, pages: str | None = None) -> Record:
    record, replayed = await jobs.submit(
        "anonymous", upload(), "pdf", Order(Options(), pages=pages), password=password, key=None
    )
    assert not replayed
    return record


async def until(jobs: Jobs, job_id: str, *, done: int = PAGES, ended: bool = False) -> Record:
    """Waits until so many pages are done, or the job has ended; pytest's own time limit ends what never comes."""
    async with asyncio.timeout(60):
        while True:
            record = jobs.store.find(job_id)
            if record.ended or (not ended and record.pages_done >= done):
                return record
            await asyncio.sleep(0.005)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(jobs_dir=tmp_path / "jobs")


def stored(settings: Settings, job_id: str) -> list[int]:
    lines = (settings.jobs_dir / job_id / "pages.ndjson").read_text().splitlines()
    return [json.loads(line)["number"] for line in lines]


def test_a_job_is_read_page_by_page_to_its_end(settings: Settings) -> None:
    async def run() -> None:
        reader = SlowReader(allowed=0)
        jobs = Jobs(settings, reader)
        async with jobs.opened():
            job_id = (await submit(jobs, pages="2-4,9")).id
            reader.allowed.release()
            record = await until(jobs, job_id, done=1)
            assert (record.status, record.numbers, record.progress) == ("running", (2, 3, 4, 9), 0.25)
            for _ in range(3):
                reader.allowed.release()
            record = await until(jobs, job_id, ended=True)
            assert (record.status, record.progress, record.error) == ("succeeded", 1.0, None)
            assert record.started_ms
            assert record.ended_ms
            assert record.created_ms <= record.started_ms <= record.ended_ms
        assert stored(settings, job_id) == [2, 3, 4, 9]
        assert (reader.requests[0].pages, reader.requests[0].max_pages) == ("2-4,9", settings.jobs_max_pages)

    asyncio.run(run())


def test_a_service_that_stops_goes_on_at_the_next_page(settings: Settings) -> None:
    async def run() -> None:
        first, second = SlowReader(allowed=5), SlowReader()
        jobs = Jobs(settings, first)
        async with jobs.opened():
            job_id = (await submit(jobs, password="secret")).id
            await until(jobs, job_id, done=5)
        jobs = Jobs(settings, second)
        async with jobs.opened():
            record = await until(jobs, job_id, ended=True)
            assert record.status == "succeeded"
            assert record.attempts == 1
        assert [request.pages for request in (*first.requests, *second.requests)] == [None, "6-12"]
        assert [request.password for request in (*first.requests, *second.requests)] == ["secret", "secret"]
        assert stored(settings, job_id) == list(range(1, PAGES + 1))
        assert not (settings.jobs_dir / job_id / "password").exists()

    asyncio.run(run())


def test_a_document_that_cannot_be_read_fails_with_the_reason(settings: Settings) -> None:
    async def run() -> None:
        reader = SlowReader(allowed=2)
        jobs = Jobs(settings, reader)
        async with jobs.opened():
            job_id = (await submit(jobs)).id
            await until(jobs, job_id, done=2)
            reader.failure = DocumentInvalid("page 3 is torn")
            reader.allowed.release()
            record = await until(jobs, job_id, ended=True)
            assert (record.status, record.pages_done) == ("failed", 2)
            assert record.error
            assert record.error["detail"] == "page 3 is torn"
            other = await submit(jobs, pages="1")  # the worker goes on
            reader.failure = None
            reader.allowed.release()
            assert (await until(jobs, other.id, ended=True)).status == "succeeded"

    asyncio.run(run())


def test_an_unforeseen_error_fails_the_job_and_tells_nothing_internal(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        reader = SlowReader()
        reader.failure = ZeroDivisionError("in /some/place")
        jobs = Jobs(settings, reader)
        async with jobs.opened():
            job_id = (await submit(jobs)).id
            record = await until(jobs, job_id, ended=True)
            assert record.error
            assert (record.status, record.error["status"]) == ("failed", 500)
            assert "place" not in json.dumps(record.error)

    asyncio.run(run())
    assert "in /some/place" in caplog.text


def test_a_job_waits_while_nothing_can_be_read(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        reader = SlowReader(allowed=PAGES + 1)
        reader.failure = ReadingFailed("the GPU is away")
        jobs = Jobs(settings, reader)
        async with jobs.opened():
            job_id = (await submit(jobs)).id
            while not reader.requests:
                await asyncio.sleep(0.005)
            reader.failure = None
            record = await until(jobs, job_id, ended=True)
            assert (record.status, record.attempts) == ("succeeded", 1)

    monkeypatch.setattr("ocr.jobs.runner.RETRY_S", 0.01)
    asyncio.run(run())


def test_a_cancelled_job_stops_and_others_go_on(settings: Settings) -> None:
    async def run() -> None:
        reader = SlowReader(allowed=2)
        jobs = Jobs(settings, reader)
        async with jobs.opened():
            running, queued, other = [(await submit(jobs, password="x")).id for _ in range(3)]
            await until(jobs, running, done=2)
            for job_id in (queued, running):
                record = await jobs.remove(job_id)
                assert record
                assert record.status == "cancelled"
                assert not (settings.jobs_dir / job_id / "password").exists()
            for _ in range(PAGES):
                reader.allowed.release()
            assert (await until(jobs, other, ended=True)).status == "succeeded"
            assert stored(settings, running) == [1, 2]
            assert await jobs.remove(running) is None
            assert not (settings.jobs_dir / running).exists()

    asyncio.run(run())


def test_as_many_jobs_are_read_at_once_as_the_setting_says(settings: Settings) -> None:
    async def run() -> None:
        reader = SlowReader(allowed=0)
        jobs = Jobs(settings.model_copy(update={"jobs_at_once": 2}), reader)
        async with jobs.opened():
            ids = [(await submit(jobs)).id for _ in range(3)]
            while len(reader.requests) < 2:
                await asyncio.sleep(0.005)
            assert jobs.tally() == {"queued": 1, "running": 2, "succeeded": 0, "failed": 0, "cancelled": 0}
            assert jobs.store.find(ids[2]).status == "queued"

    asyncio.run(run())


def test_a_killed_process_loses_no_page_that_was_done(settings: Settings) -> None:
    """SIGKILL three times in the middle; each process goes on after the last page that is on the disk."""
    job_id, seen = "", 0
    for stop_at in (3, 7, 8, PAGES):
        with _process(settings.jobs_dir, job_id) as process:
            assert process.stdout
            job_id = process.stdout.readline().split()[1]
            for line in process.stdout:
                seen = int(line.split()[1])
                if seen >= stop_at and stop_at < PAGES:
                    process.kill()
                    break
        on_disk = (settings.jobs_dir / job_id / "pages.ndjson").read_bytes()
        assert on_disk.count(b"\n") >= seen >= stop_at
    assert stored(settings, job_id) == list(range(1, PAGES + 1))
    assert json.loads((settings.jobs_dir / job_id / "job.json").read_bytes())["status"] == "succeeded"


def _process(folder: Path, job_id: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, __file__, str(folder), job_id], stdout=subprocess.PIPE, text=True)


async def _main(folder: Path, job_id: str) -> None:
    """Tells the job's id, then each page that is done, one every 20 ms."""
    reader = SlowReader(allowed=0)
    jobs = Jobs(Settings(jobs_dir=folder), reader)
    async with jobs.opened():
        job_id = job_id or (await submit(jobs)).id
        print("job", job_id, flush=True)
        done = 0
        while not (record := jobs.store.find(job_id)).ended:
            if record.pages_done > done:
                done = record.pages_done
                print("page", done, flush=True)
            reader.allowed.release()
            await asyncio.sleep(0.02)
        print("page", record.pages_done, flush=True)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), sys.argv[2]))

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pdfs
import pytest
from ocr.jobs.record import File, Kind, Order, Record
from ocr.jobs.results import Results
from ocr.jobs.store import Store
from ocr.options import Options
from ocr.pages import Line, Page, Word
from ocr.problems import DocumentInvalid, NoResult
from ocr.results import PageResult
from ocr.settings import Settings

QUAD = ((10.0, 10.0), (300.0, 10.0), (300.0, 40.0), (10.0, 40.0))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(jobs_dir=tmp_path / "jobs")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = Store(settings, lambda: 1_700_000_000.0)
    store.open()
    yield store
    store.close()


@pytest.fixture
def results(settings: Settings, store: Store) -> Iterator[Results]:
    results = Results(settings, store)
    yield results
    results.close()


def running(
    store: Store, n_pages: int, data: bytes = b"%PDF-", *, kind: Kind = "pdf", password: str | None = None
) -> Record:
    """Returns a job that runs, with pages of a line `Page N`."""
    file = File("a.pdf", kind, len(data), "0" * 64)
    record = store.create("a", Order(Options()), file, io.BytesIO(data), password=password, key=None)
    store.claim(record.id)
    store.begin(record.id, range(1, n_pages + 1))
    for number in range(1, n_pages + 1):
        words = (Word("Page", 0.9, QUAD), Word(str(number), 0.9, QUAD))
        line = Line(f"Page {number}", 0.9, QUAD, words)
        store.add(record.id, PageResult.of(number, Page(1654, 2339, (line,)), 0.1, 200.0, 595.0, 842.0))
    return store.find(record.id)


def streamed(results: Results, record: Record, form: str) -> list[bytes]:
    async def run() -> list[bytes]:
        return [piece async for piece in results.stream(record, form)]

    return asyncio.run(run())


@pytest.mark.parametrize("form", ["json", "ndjson", "text", "markdown", "hocr", "alto"])
def test_a_result_comes_page_by_page(results: Results, store: Store, form: str) -> None:
    pieces = streamed(results, running(store, 40), form)
    assert len(pieces) >= 40
    assert max(map(len, pieces)) < 4000
    assert b"Page" in b"".join(pieces)


def test_a_document_without_pages_is_an_empty_answer(results: Results, store: Store) -> None:
    record = running(store, 0)
    assert json.loads(b"".join(streamed(results, record, "json"))) == {"success": True, "results": []}
    assert streamed(results, record, "ndjson") == streamed(results, record, "text") == []


def test_the_lines_of_a_failed_job_end_with_its_problem(results: Results, store: Store) -> None:
    record = store.end(running(store, 2).id, "failed", DocumentInvalid("page 3 is torn"))
    *pages, problem = (json.loads(line) for line in streamed(results, record, "ndjson"))
    assert [page["page"] for page in pages] == [1, 2]
    assert (problem["success"], problem["detail"], problem["status"]) == (False, "page 3 is torn", 422)


def test_a_stream_that_has_begun_outlives_the_job(results: Results, store: Store) -> None:
    async def run() -> list[bytes]:
        stream = results.stream(record, "ndjson")
        pieces = [await anext(stream)]
        store.end(record.id, "cancelled")
        store.delete(record.id)
        return pieces + [piece async for piece in stream]

    record = running(store, 30)
    assert len(asyncio.run(run())) == 30


def test_of_a_damaged_document_there_is_no_searchable_one(results: Results, store: Store) -> None:
    record = running(store, 1, b"%PDF-1.7 and nothing of it")
    with pytest.raises(NoResult, match="no searchable PDF"):
        asyncio.run(results.searchable(record))
    assert {path.name for path in store.folder(record.id).path.iterdir()} == {"input", "job.json", "pages.ndjson"}


def test_a_searchable_document_is_made_at_the_end_where_a_password_goes(results: Results, store: Store) -> None:
    plain = running(store, 1, pdfs.digital())
    locked = running(store, 1, pdfs.encrypted("secret"), password="secret")
    for record in (plain, locked):
        asyncio.run(results.finish(record))
    assert not store.folder(plain.id).searchable.exists()
    assert store.folder(locked.id).searchable.read_bytes().startswith(b"%PDF-")


def test_a_job_succeeds_without_a_searchable_document(
    results: Results, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    record = running(store, 1, b"%PDF-1.7 torn", password="secret")
    asyncio.run(results.finish(record))
    assert "has no searchable PDF" in caplog.text
    assert "secret" not in caplog.text

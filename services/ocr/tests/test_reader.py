import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pdfs
import pytest
from ocr.documents import Document
from ocr.options import Options
from ocr.pipeline import Pipeline
from ocr.problems import DocumentTooLong, NotAnImage, NotAPdf
from ocr.reader import DocumentRequest, Reader
from ocr.settings import Settings
from servicekit.problems import NotReady

T = TypeVar("T")
Png = Callable[..., bytes]
ROUTE = "/test"


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """A reader without HTTP."""
    reader = Reader(Settings(work_count=2))
    reader.open()
    reader.warm_up()
    yield reader
    reader.close()


def test_it_is_not_ready_before_the_warm_up(png: Png, tmp_path: Path) -> None:
    reader = Reader(Settings())

    async def scenario() -> None:
        with pytest.raises(NotReady, match="0% done"):
            await reader.read_image(png("a"), Options())
        with pytest.raises(NotReady):
            async with reader.read_document(pdfs.written(tmp_path, pdfs.digital()), DocumentRequest()):
                pass

    run(scenario())
    reader.close()


def test_reads_an_image_on_a_thread_of_its_own(reader: Reader, png: Png, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    read = Pipeline.read

    def watched(self: Pipeline, *arguments: Any) -> Any:
        names.append(threading.current_thread().name)
        return read(self, *arguments)

    monkeypatch.setattr(Pipeline, "read", watched)
    (result,) = run(reader.read_image(png("Valve 17"), Options(), route=ROUTE))
    assert [line.text for line in result.page.lines] == ["Valve 17"]
    assert (result.number, result.dpi, result.reason) == (1, None, None)
    assert names[0].startswith("reading")
    assert reader.counts.pages["ocr", ROUTE] == 1


def test_an_image_may_lie_on_the_disk(reader: Reader, png: Png, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png("Pump 4"))
    (result,) = run(reader.read_image(path, Options()))
    assert [line.text for line in result.page.lines] == ["Pump 4"]


def test_a_document_gives_its_numbers_first_and_its_pages_in_order(reader: Reader, tmp_path: Path) -> None:
    async def scenario() -> None:
        path = pdfs.written(tmp_path, pdfs.digital(pages=6))
        async with reader.read_document(path, DocumentRequest(pages="2-5"), route=ROUTE) as (numbers, pages):
            assert numbers == [2, 3, 4, 5]
            results = [page async for page in pages]
        assert [result.number for result in results] == numbers
        assert all(result.page.source == "text" and result.reason and result.width_pt == 595 for result in results)

    run(scenario())


def test_a_refusal_is_counted_once(reader: Reader, tmp_path: Path) -> None:
    async def scenario() -> None:
        with pytest.raises(NotAnImage, match="it is text"):
            await reader.read_image(b"only a text", Options())
        with pytest.raises(NotAPdf, match="it is a PNG image"):
            async with reader.read_document(pdfs.written(tmp_path, b"\x89PNG\r\n"), DocumentRequest()):
                pass
        path = pdfs.written(tmp_path, pdfs.digital(pages=3))
        with pytest.raises(DocumentTooLong):
            async with reader.read_document(path, DocumentRequest(max_pages=2)):
                pass

    reader.counts.refused.clear()
    run(scenario())
    assert reader.counts.refused == {"not-an-image": 1, "not-a-pdf": 1, "pdf-too-many-pages": 1}


def test_who_goes_away_leaves_no_work_no_memory_and_no_place(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    draw = Document.page

    def counted(self: Document, index: int, *arguments: Any) -> Any:
        begun.append(index)
        return draw(self, index, *arguments)

    monkeypatch.setattr(Document, "page", counted)

    async def scenario() -> None:
        path = pdfs.written(tmp_path, pdfs.scanned(20))
        request = DocumentRequest(dpi=72, mode="ocr", options=Options(use_rec=False))

        async def read() -> None:
            async with reader.read_document(path, request) as (_, pages):
                async for _page in pages:
                    reading.cancel()

        reading = asyncio.create_task(read())
        await asyncio.wait((reading,))
        assert reading.cancelled()

    run(scenario())
    assert len(begun) < 20
    assert reader.depth == 0
    assert reader.turns.free == reader.threads
    assert reader.budget.left_bytes == reader.budget.total_bytes
    assert reader.rendered.left_bytes == reader.rendered.total_bytes


def test_a_picture_does_not_wait_for_a_long_document(reader: Reader, png: Png, tmp_path: Path) -> None:
    async def scenario() -> None:
        path = pdfs.written(tmp_path, pdfs.scanned(12))
        request = DocumentRequest(dpi=72, mode="ocr", options=Options(use_rec=False))
        read = 0
        async with reader.read_document(path, request) as (_, pages):
            picture: asyncio.Task[Any] | None = None
            async for _page in pages:
                read += 1
                picture = picture or asyncio.create_task(reader.read_image(png("a"), Options(use_rec=False)))
                if picture.done():
                    break
        assert picture
        assert picture.done()
        assert read < 12

    run(scenario())

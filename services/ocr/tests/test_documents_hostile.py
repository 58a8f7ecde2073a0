"""Documents that are made to do harm: each costs its own request, and this process nothing."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pdfs
import pytest
from ocr.documents import Documents, PageContent
from ocr.problems import DocumentInvalid, DocumentTooLarge, DocumentTooSlow, NotAPdf
from ocr.settings import Settings
from servicekit.problems import Problem

ZIP = b"PK\3\4\x14\0\6\0\x08\0\0\0!\0" + b"[Content_Types].xml" * 20
GIGABYTE = 1_073_741_824
MOST_GROWTH = 100_000_000  # a picture or two, far from what the documents ask for


@pytest.fixture(scope="module")
def documents() -> Iterator[Documents]:
    documents = Documents(Settings(pdf_page_s=5, pdf_memory_bytes=268_435_456), 1)
    yield documents
    documents.close()


@pytest.fixture
def first_page(documents: Documents, tmp_path: Path) -> Callable[..., PageContent]:
    def first_page(data: bytes, mode: str = "auto") -> PageContent:
        with documents.open(pdfs.written(tmp_path, data)) as document:
            return document.page(0, "ocr" if mode == "ocr" else "auto", 200)

    return first_page


def memory() -> int:
    words = Path("/proc/self/statm").read_text().split()
    return int(words[1]) * 4096


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: b"", NotAPdf),
        (lambda: ZIP, NotAPdf),
        (lambda: b"\x89PNG\r\n\x1a\n" + bytes(200), NotAPdf),
        (pdfs.truncated, DocumentInvalid),
        (pdfs.without_pages, DocumentInvalid),
        (pdfs.looped_tree, DocumentInvalid),
        (pdfs.lying_count, DocumentInvalid),
        (lambda: pdfs.inflating(GIGABYTE), DocumentTooLarge),
        (lambda: pdfs.nested_forms(40), (DocumentTooLarge, DocumentTooSlow)),
        (lambda: pdfs.many_paths(1_000_000), (DocumentTooLarge, DocumentTooSlow)),
    ],
    ids=["empty", "DOCX", "PNG", "cut", "no pages", "loop", "count", "inflating", "forms", "paths"],
)
def test_it_is_refused_and_the_next_document_is_read(
    first_page: Callable[..., PageContent],
    make: Callable[[], bytes],
    problem: type[Problem] | tuple[type[Problem], ...],
) -> None:
    data, before = make(), memory()
    with pytest.raises(problem) as refusal:
        first_page(data, "ocr")
    assert refusal.value.detail
    assert memory() - before < MOST_GROWTH
    assert first_page(pdfs.digital()).source == "text"


def test_a_picture_that_inflates_to_a_gigabyte_costs_its_own_process_at_most(
    first_page: Callable[..., PageContent],
) -> None:
    data, before = pdfs.inflating_picture(32_768), memory()
    try:
        content = first_page(data, "ocr")
    except DocumentTooLarge:
        content = None
    assert content is None or content.picture is not None
    assert memory() - before < MOST_GROWTH


def test_ten_thousand_pages_are_counted_and_any_of_them_is_read(documents: Documents, tmp_path: Path) -> None:
    with documents.open(pdfs.written(tmp_path, pdfs.many_pages(10_000))) as document:
        assert document.n_pages == 10_000
        assert document.page(9_999, "auto", 72).width == 200


@pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 72), (10_000_000, 10_000_000), (10_000_000, 10)])
def test_a_page_of_any_size_keeps_within_the_limits(
    first_page: Callable[..., PageContent], size: tuple[float, float]
) -> None:
    content = first_page(pdfs.digital(size=size), "ocr")
    assert content.width <= 4096
    assert content.height <= 4096
    assert content.dpi <= 200
    assert content.dpi == pytest.approx(min(200, 4096 / max(content.width_pt, content.height_pt) * 72), rel=0.01)


def test_nothing_runs_and_nothing_is_fetched(first_page: Callable[..., PageContent], tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        for mode in ("auto", "ocr"):
            assert first_page(pdfs.with_actions(address, f"/bin/touch {witness}"), mode).height == 2339
        with pytest.raises(TimeoutError):
            server.accept()
    assert not witness.exists()

"""Documents by real processes: their pages, their passwords, and several threads at once."""

import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pdfs
import pytest
from ocr.documents import DocumentClosed, Documents, EngineError
from ocr.documents.failures import DocumentError
from ocr.problems import DocumentEncrypted, DocumentInvalid, DocumentTooSlow
from ocr.settings import Settings

SLOW = pdfs.document(b"10 10 m 20 700 500 30 580 800 c 300 20 l S\n" * 400_000)


@pytest.fixture(scope="module")
def documents() -> Iterator[Documents]:
    documents = Documents(Settings(), 2)
    yield documents
    documents.close()


@pytest.fixture
def single() -> Iterator[Documents]:
    """One process, which may take half a second for a page."""
    documents = Documents(Settings(pdf_page_s=0.5), 1)
    yield documents
    documents.close()


def numbers(documents: Documents) -> set[int]:
    return {idle.process.number for idle in documents.pool.idle}


def test_a_page_with_text_has_its_words(documents: Documents, tmp_path: Path) -> None:
    with documents.open(pdfs.written(tmp_path, pdfs.digital())) as document:
        content = document.page(0, "auto", 200)
    assert (content.width, content.height, content.dpi) == (1653, 2339, pytest.approx(200))
    assert (content.width_pt, content.height_pt, content.source) == (595, 842, "text")
    assert content.page is not None
    assert content.picture is None
    assert (content.page.width, content.page.height) == (1653, 2339)
    assert [line.text for line in content.page.lines] == ["Pressure valve 7 opened", "Second line of the page"]


def test_a_scanned_page_has_its_picture(documents: Documents, tmp_path: Path) -> None:
    with documents.open(pdfs.written(tmp_path, pdfs.scanned())) as document:
        content = document.page(0, "auto", 150)
    assert (content.source, content.page) == ("ocr", None)
    assert content.picture is not None
    assert (content.picture.shape, content.picture.dtype) == ((content.height, content.width, 3), np.uint8)
    assert content.picture.flags.c_contiguous
    assert content.picture[200:290, 140:600].min() < 60 < 240 < content.picture[900:].min()  # ink where the words are


def test_many_threads_read_a_document_side_by_side(documents: Documents, tmp_path: Path) -> None:
    path = pdfs.written(tmp_path, pdfs.digital(pages=12))
    with documents.open(path) as document, ThreadPoolExecutor(4) as threads:
        assert document.n_pages == 12
        sources = [content.source for content in threads.map(lambda n: document.page(n, "auto", 72), range(12))]
    assert sources == ["text"] * 12


def test_documents_that_alternate_are_not_mixed_up(documents: Documents, tmp_path: Path) -> None:
    small = pdfs.written(tmp_path, pdfs.digital(size=(300, 800)), "small.pdf")
    large = pdfs.written(tmp_path, pdfs.digital(size=(900, 800)), "large.pdf")
    with documents.open(small) as one, documents.open(large) as two:
        widths = [document.page(0, "auto", 72).width for document in (one, two) * 4]
    assert widths == [300, 900] * 4


@pytest.mark.parametrize("password", [None, "wrong", ""])
def test_an_encrypted_document_needs_its_password(documents: Documents, tmp_path: Path, password: str | None) -> None:
    path = pdfs.written(tmp_path, pdfs.encrypted("Schlüssel"))
    with pytest.raises(DocumentEncrypted, match="password"), documents.open(path, password):
        pass


def test_its_password_opens_an_encrypted_document_in_every_process(documents: Documents, tmp_path: Path) -> None:
    path = pdfs.written(tmp_path, pdfs.encrypted("Schlüssel", pdfs.digital(pages=4)))
    with documents.open(path, "Schlüssel") as document, ThreadPoolExecutor(4) as threads:
        assert {content.source for content in threads.map(lambda n: document.page(n, "auto", 72), range(4))} == {"text"}


def test_the_password_is_not_on_the_command_line(documents: Documents, tmp_path: Path) -> None:
    with documents.open(pdfs.written(tmp_path, pdfs.encrypted("Zaubertrank")), "Zaubertrank"):
        lines = [Path(f"/proc/{number}/cmdline").read_bytes() for number in numbers(documents)]
    assert lines
    assert not any(b"Zaubertrank" in line for line in lines)


def test_a_page_that_is_not_there_is_refused(documents: Documents, tmp_path: Path) -> None:
    path = pdfs.written(tmp_path, pdfs.digital())
    with documents.open(path) as document, pytest.raises(DocumentInvalid, match="no page 6, the document has 1"):
        document.page(5, "auto", 72)


def test_a_file_that_went_away_is_our_own_error(documents: Documents, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="No such file"), documents.open(tmp_path / "none.pdf"):
        pass


def test_a_process_is_kept_while_its_documents_are_sound(single: Documents, tmp_path: Path) -> None:
    before = numbers(single)
    for _ in range(3):
        with single.open(pdfs.written(tmp_path, pdfs.digital())) as document:
            document.page(0, "auto", 72)
    assert numbers(single) == before


def test_a_process_is_replaced_after_a_bad_document(single: Documents, tmp_path: Path) -> None:
    before = numbers(single)
    assert single.restarts == 0
    with pytest.raises(DocumentInvalid), single.open(pdfs.written(tmp_path, pdfs.truncated())):
        pass
    with single.open(pdfs.written(tmp_path, pdfs.digital())) as document:
        assert document.page(0, "auto", 72).source == "text"
    assert numbers(single).isdisjoint(before)
    assert single.restarts == 1


def test_a_page_that_takes_too_long_is_stopped_and_the_next_one_read(single: Documents, tmp_path: Path) -> None:
    with single.open(pdfs.written(tmp_path, SLOW)) as document:
        with pytest.raises(DocumentTooSlow, match=r"page 1 takes more than 0\.5 s, the limit"):
            document.page(0, "ocr", 200)
        with single.open(pdfs.written(tmp_path, pdfs.digital(), "next.pdf")) as following:
            assert following.page(0, "ocr", 72).source == "ocr"


def test_a_process_that_is_killed_while_it_draws_costs_that_page_alone(documents: Documents, tmp_path: Path) -> None:
    path = pdfs.written(tmp_path, SLOW)
    with documents.open(path) as document, ThreadPoolExecutor(1) as thread:
        drawing = thread.submit(document.page, 0, "ocr", 200)
        os.kill(_busy(documents), signal.SIGSEGV)
        with pytest.raises(DocumentInvalid, match="page 1 is damaged: the process that read it failed"):
            drawing.result()
    with documents.open(pdfs.written(tmp_path, pdfs.digital(), "next.pdf")) as document:
        assert document.page(0, "auto", 72).source == "text"


def _busy(documents: Documents) -> int:
    """Waits until a process works, and returns its number."""
    while not (busy := documents.pool.busy):
        threading.Event().wait(0.01)
    return busy[0].number


def test_closing_a_document_does_not_wait_for_the_page_that_is_drawn(documents: Documents, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as thread:
        with documents.open(pdfs.written(tmp_path, SLOW)) as document:
            drawing = thread.submit(document.page, 0, "ocr", 200)
            _busy(documents)
        assert not document.is_open
        with pytest.raises(DocumentClosed):
            drawing.result()
        with pytest.raises(DocumentClosed):
            document.page(0, "auto", 72)


def test_closing_all_ends_the_processes_and_whoever_waits(tmp_path: Path) -> None:
    documents = Documents(Settings(), 1)
    (number,) = numbers(documents)
    path = pdfs.written(tmp_path, SLOW)
    with documents.open(path) as document, ThreadPoolExecutor(2) as threads:
        drawing = [threads.submit(document.page, 0, "ocr", 200) for _ in range(2)]
        assert _busy(documents) == number
        documents.close()
        for each in drawing:
            with pytest.raises(DocumentClosed):
                each.result()
    assert not Path(f"/proc/{number}").exists()


def test_the_file_of_a_closed_document_is_let_go(single: Documents, tmp_path: Path) -> None:
    path = pdfs.written(tmp_path, pdfs.digital())
    with single.open(path) as document:
        document.page(0, "auto", 72)
    (number,) = numbers(single)
    with single.open(pdfs.written(tmp_path, pdfs.digital(), "next.pdf")):
        open_files = [str(each.readlink()) for each in Path(f"/proc/{number}/fd").iterdir()]
    assert str(path) not in open_files


def test_a_spent_process_is_replaced(single: Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocr.documents.pool.MAX_ANSWERS", 3)
    before = numbers(single)
    with single.open(pdfs.written(tmp_path, pdfs.digital(pages=4))) as document:
        assert [document.page(index, "auto", 72).source for index in range(4)] == ["text"] * 4
    assert numbers(single).isdisjoint(before)


def test_the_process_is_small_and_alone(single: Documents, tmp_path: Path) -> None:
    with single.open(pdfs.written(tmp_path, pdfs.mixed())) as document:
        assert [document.page(index, "auto", 200).source for index in (0, 1)] == ["text", "ocr"]
    (number,) = numbers(single)
    folder = Path("/proc", str(number))
    status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)
    assert status["Threads"].strip() == "1"
    assert int(status["VmHWM"].split()[0]) < 120_000  # kB, with the pages that it has drawn
    assert (folder / "environ").read_bytes().count(b"\0") == 2
    limits = (folder / "limits").read_text().splitlines()
    assert next(line for line in limits if line.startswith("Max file size")).split()[3:5] == ["0", "0"]
    assert next(line for line in limits if line.startswith("Max address space")).split()[3] == "536870912"
    assert next(line for line in limits if line.startswith("Max processes")).split()[2] == "0"
    mapped = (folder / "maps").read_text()
    assert "libpdfium" in mapped
    assert not any(name in mapped for name in ("onnxruntime", "numpy", "cv2", "pydantic"))


def test_an_engine_that_is_not_installed_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"OCR_PDF_ENGINE=pymupdf needs the package pymupdf"):
        Documents(Settings(pdf_engine="pymupdf"), 1)


def test_a_process_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EngineError, match="does not start: with status 1"):
        Documents(Settings(), 1)
    gc.collect()  # what was left open would warn


def test_a_process_outlives_the_thread_that_needed_it(tmp_path: Path) -> None:
    made: list[Documents] = []
    thread = threading.Thread(target=lambda: made.append(Documents(Settings(), 1)))
    thread.start()
    thread.join()
    (documents,) = made
    before = numbers(documents)
    with documents.open(pdfs.written(tmp_path, pdfs.digital())) as document:
        assert document.page(0, "auto", 72).source == "text"
    assert numbers(documents) == before
    documents.close()


def test_no_process_outlives_the_service() -> None:
    program = """
import time
from ocr.documents import Documents
from ocr.settings import Settings
documents = Documents(Settings(), 1)
print(documents.pool.idle[0].process.number, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        folder = Path("/proc", service.stdout.readline().strip())
        assert folder.exists()
        service.kill()
    while folder.exists() and "\nState:\tZ" not in (folder / "status").read_text():
        threading.Event().wait(0.01)

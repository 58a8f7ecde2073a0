"""The second engine gives what the first one does; skipped where the extra is not installed."""

from pathlib import Path

import pdfs
import pytest

pytest.importorskip("pymupdf", reason="PyMuPDF is not installed: pip install 'lineside-ocr[pymupdf]'")

from ocr.pages import Page
from ocr.pdf import judgement
from ocr.pdf.engine import Engine, PdfError
from ocr.pdf.messages import Limits, Open, Read, Shown
from ocr.pdf.pdfium import Pdfium
from ocr.pdf.pymupdf import PyMuPDF
from ocr.pdf.reading import Reading

LIMITS = Limits(4096, 4096, 4096 * 4096)


@pytest.fixture(scope="module")
def engines() -> tuple[Engine, Engine]:
    return Pdfium(), PyMuPDF()


def shown(engine: Engine, path: Path, index: int = 0, password: str | None = None) -> tuple[Shown, bytes]:
    reading = Reading(engine, LIMITS)
    answer, pixels = reading.answer(Read(Open(0, str(path), password), index, "auto", 72))
    reading.close(0)
    assert isinstance(answer, Shown)
    return answer, bytes(pixels)


def words(page: Page | None) -> list[tuple[str, tuple[float, ...]]]:
    assert page is not None
    return [(word.text, (*word.quad[0], *word.quad[1])) for line in page.lines for word in line.words]


@pytest.mark.parametrize(
    "data",
    [
        pdfs.digital(),
        pdfs.digital(page=b"/Rotate 90"),
        pdfs.digital(page=b"/Rotate 180"),
        pdfs.digital(page=b"/Rotate 270"),
        pdfs.digital(page=b"/MediaBox[-100 -50 700 900]/CropBox[50 100 500 800]"),
        pdfs.document(b"BT /F1 20 Tf 0 1 -1 0 150 200 Tm (Hgx valve) Tj ET"),
        pdfs.document(b"BT /F1 20 Tf .8660254 .5 -.5 .8660254 150 200 Tm (Hgx valve) Tj ET"),
    ],
    ids=["plain", "90", "180", "270", "crop box", "upwards", "slanted"],
)
def test_both_engines_find_the_same_words_in_the_same_places(
    engines: tuple[Engine, Engine], tmp_path: Path, data: bytes
) -> None:
    path = pdfs.written(tmp_path, data)
    (one, _), (two, _) = (shown(engine, path) for engine in engines)
    assert (one.width, one.height, one.source) == (two.width, two.height, two.source)
    for (text, place), (other, other_place) in zip(words(one.page), words(two.page), strict=True):
        assert text == other
        assert other_place == pytest.approx(place, abs=8)  # a font's height is each engine's own notion


@pytest.mark.parametrize(
    "content",
    [
        pdfs.show_picture(),
        pdfs.show_picture() + pdfs.TEXT.replace(b"BT", b"BT 3 Tr"),
        pdfs.TEXT + pdfs.show_picture(),
        pdfs.show_picture() + b"BT /F1 9 Tf 290 20 Td (17) Tj ET",
        b"10 10 m 20 20 l S\n" * 400,
        b"",
    ],
    ids=["scan", "invisible", "covered", "page number", "shapes", "blank"],
)
def test_both_engines_judge_a_page_alike(engines: tuple[Engine, Engine], tmp_path: Path, content: bytes) -> None:
    path = pdfs.written(tmp_path, pdfs.with_picture(content))
    (one, pixels), (two, others) = (shown(engine, path) for engine in engines)
    assert (one.source, one.reason) == (two.source, two.reason)
    assert len(pixels) == len(others)


def test_its_picture_is_bgr_and_upright(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    data = pdfs.document(b"1 0 0 rg 0 0 50 50 re f" + b" 99 99 m 98 98 l S" * 400, page=b"/Rotate 90", size=(200, 100))
    answer, pixels = shown(engines[1], pdfs.written(tmp_path, data))
    assert (answer.width, answer.height, answer.reason) == (100, 200, judgement.DRAWN)
    assert pixels[:3] == b"\x00\x00\xff"


def test_a_unit_of_the_page_is_minded(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    answer, _ = shown(engines[1], pdfs.written(tmp_path, pdfs.digital(page=b"/UserUnit 2/Rotate 90")))
    assert (answer.width_pt, answer.height_pt) == (842 * 2, 595 * 2)


@pytest.mark.parametrize(
    ("data", "kind"),
    [(pdfs.truncated(), "invalid"), (pdfs.looped_tree(), "invalid"), (pdfs.encrypted("a"), "encrypted")],
)
def test_what_cannot_be_opened_is_refused(
    engines: tuple[Engine, Engine], tmp_path: Path, data: bytes, kind: str
) -> None:
    with pytest.raises(PdfError) as refusal:
        shown(engines[1], pdfs.written(tmp_path, data))
    assert refusal.value.kind == kind


def test_a_password_opens_it(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    path = pdfs.written(tmp_path, pdfs.encrypted("Schlüssel"))
    assert shown(engines[1], path, password="Schlüssel")[0].source == "text"

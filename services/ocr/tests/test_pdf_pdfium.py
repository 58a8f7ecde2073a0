"""The engine in this process: what it finds on pages that are sound."""

from collections.abc import Callable
from pathlib import Path

import pdfs
import pytest
from ocr.pages import Page
from ocr.pdf import judgement
from ocr.pdf.engine import PdfError
from ocr.pdf.messages import Limits, Mode, Open, Opened, Read, Shown
from ocr.pdf.pdfium import Pdfium
from ocr.pdf.reading import Reading, fit

LIMITS = Limits(4096, 4096, 4096 * 4096)
TURNED = b"BT /F1 20 Tf %b 150 400 Tm (Hgx valve) Tj ET"
Show = Callable[..., Shown]


@pytest.fixture(scope="module")
def reading() -> Reading:
    return Reading(Pdfium(), LIMITS)


@pytest.fixture
def show(reading: Reading, tmp_path: Path) -> Show:
    """Shows a page of a PDF given as bytes, at 72 dpi: a pixel is a point."""

    def show(data: bytes, index: int = 0, mode: Mode = "auto", dpi: int = 72) -> Shown:
        asked = Open(id(data), str(pdfs.written(tmp_path, data)), None)
        answer, _ = reading.answer(Read(asked, index, mode, dpi))
        assert isinstance(answer, Shown)
        reading.close(asked.key)
        return answer

    return show


def page_of(shown: Shown) -> Page:
    assert shown.page is not None
    return shown.page


def texts(shown: Shown) -> list[str]:
    return [line.text for line in page_of(shown).lines]


def test_a_text_layer_gives_lines_and_words_where_they_stand(show: Show) -> None:
    shown = show(pdfs.digital())
    assert (shown.source, shown.reason) == ("text", judgement.GOOD)
    first, second = page_of(shown).lines
    assert (first.text, second.text) == ("Pressure valve 7 opened", "Second line of the page")
    assert [word.text for word in first.words] == ["Pressure", "valve", "7", "opened"]
    (left, top), (right, _), (_, bottom), _ = first.words[0].quad
    assert left == pytest.approx(72, abs=0.5)
    assert right == pytest.approx(72 + 80, abs=0.5)  # Helvetica's own widths at 20 points
    assert top < 842 - 714 < 842 - 700 < bottom < top + 26
    assert first.confidence == first.words[0].confidence == 1.0
    assert page_of(shown).source == "text"


def test_words_scale_with_the_resolution(show: Show) -> None:
    once, twice = show(pdfs.digital()), show(pdfs.digital(), dpi=144)
    assert (twice.width, twice.height) == (2 * once.width, 2 * once.height)
    for small, large in zip(page_of(once).lines[0].quad, page_of(twice).lines[0].quad, strict=True):
        assert large == pytest.approx((2 * small[0], 2 * small[1]))


@pytest.mark.parametrize(
    ("rotate", "matrix"),
    [(0, b"1 0 0 1"), (90, b"0 1 -1 0"), (180, b"-1 0 0 -1"), (270, b"0 -1 1 0")],
)
def test_text_that_a_turned_page_makes_upright_is_upright(show: Show, rotate: int, matrix: bytes) -> None:
    shown = show(pdfs.document(TURNED % matrix, page=b"/Rotate %d" % rotate))
    assert (shown.width, shown.height) == ((595, 842) if rotate % 180 == 0 else (842, 595))
    (line,) = page_of(shown).lines
    a, b, c, d = line.quad
    assert a[1] == b[1] < c[1] == d[1]
    assert a[0] == d[0] < b[0] == c[0]
    assert [word.text for word in line.words] == ["Hgx", "valve"]
    assert line.words[0].quad[0][0] < line.words[1].quad[0][0]


@pytest.mark.parametrize(
    ("matrix", "direction"),
    [
        (b"0 -1 1 0", (0, 1)),
        (b"-1 0 0 -1", (-1, 0)),
        (b"0 1 -1 0", (0, -1)),
        (b".8660254 .5 -.5 .8660254", (0.866, -0.5)),
    ],
)
def test_text_in_any_direction_has_its_own_top_left_first(
    show: Show, matrix: bytes, direction: tuple[float, float]
) -> None:
    (line,) = page_of(show(pdfs.document(TURNED % matrix))).lines
    (x0, y0), (x1, y1) = line.quad[:2]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    assert ((x1 - x0) / length, (y1 - y0) / length) == pytest.approx(direction, abs=0.02)
    assert line.text == "Hgx valve"
    assert length == pytest.approx(90, abs=6)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_lines_are_in_their_own_order_on_a_turned_page(show: Show, rotate: int) -> None:
    assert texts(show(pdfs.digital(page=b"/Rotate %d" % rotate))) == [
        "Pressure valve 7 opened",
        "Second line of the page",
    ]


def test_lines_written_from_the_bottom_up_are_sorted(show: Show) -> None:
    rows = b" ".join(b"1 0 0 1 72 %d Tm (row %d) Tj" % (100 + 40 * row, row) for row in range(8))
    assert texts(show(pdfs.document(b"BT /F1 20 Tf %b ET" % rows))) == [f"row {row}" for row in range(7, -1, -1)]


def test_coordinates_begin_at_the_crop_box_whatever_its_origin(show: Show) -> None:
    data = pdfs.digital(page=b"/MediaBox[-100 -50 700 900]/CropBox[50 100 500 800]")
    shown = show(data)
    assert (shown.width, shown.height) == (450, 700)
    left, top = page_of(shown).lines[0].quad[0]
    assert (left, top) == (pytest.approx(22, abs=1), pytest.approx(800 - 720, abs=4))


def test_cells_of_a_table_are_lines_of_their_own(show: Show) -> None:
    row = b"BT /F1 12 Tf 72 700 Td (Valve) Tj 150 0 Td (7.5 bar) Tj 150 0 Td (open) Tj ET"
    assert texts(show(pdfs.document(row))) == ["Valve", "7.5 bar", "open"]


def test_letters_set_apart_by_a_gap_alone_are_words(show: Show) -> None:
    assert texts(show(pdfs.document(b"BT /F1 20 Tf 72 700 Td [(Two) -400 (words)] TJ ET"))) == ["Two words"]


def test_ligatures_are_spelt_out_and_hyphens_at_the_end_of_a_line_are_kept(show: Show) -> None:
    font = b"/Subtype/Type1/BaseFont/Helvetica/Encoding<</Differences[1/fi/fl/hyphen]>>"
    text = b"BT /F1 20 Tf 72 700 Td (de\\001ne the in\\002u\\003) Tj 0 -24 Td (ence of it) Tj ET"
    assert texts(show(pdfs.document(text, font=font))) == ["define the influ-", "ence of it"]


def test_a_scan_is_read_in_its_picture(show: Show) -> None:
    shown = show(pdfs.scanned())
    assert (shown.source, shown.reason, shown.page) == ("ocr", judgement.NO_TEXT, None)


def test_each_page_is_judged_by_itself(show: Show) -> None:
    data = pdfs.mixed()
    assert [show(data, index).source for index in (0, 1)] == ["text", "ocr"]


LONG = b"BT /F1 9 Tf 72 400 Td (A page of text that says at length what the picture behind it shows.) Tj ET"


@pytest.mark.parametrize(
    ("content", "source", "reason"),
    [
        (pdfs.show_picture() + pdfs.TEXT.replace(b"BT", b"BT 3 Tr"), "ocr", judgement.UNSEEN),
        (pdfs.TEXT + pdfs.show_picture(), "ocr", judgement.COVERED),
        (pdfs.show_picture() + b"BT /F1 9 Tf 290 20 Td (17) Tj ET", "ocr", judgement.BESIDE_PICTURE),
        (pdfs.show_picture() + LONG, "text", judgement.GOOD),
        (pdfs.TEXT + pdfs.show_picture(300, 50, 100, 100), "text", judgement.GOOD),
        (b"10 10 m 20 20 l S\n" * 400, "ocr", judgement.DRAWN),
        (b"", "text", judgement.BLANK),
    ],
    ids=["invisible", "covered", "page number", "background", "figure", "shapes", "blank"],
)
def test_what_is_on_the_page_decides_where_it_is_read(show: Show, content: bytes, source: str, reason: str) -> None:
    shown = show(pdfs.with_picture(content))
    assert (shown.source, shown.reason) == (source, reason)


def test_a_picture_within_a_form_is_seen_where_the_form_is_placed(show: Show) -> None:
    form = pdfs.stream(
        b"100 0 0 100 0 0 cm /Im1 Do",
        b"/Type/XObject/Subtype/Form/BBox[0 0 100 100]" + b"/Resources<<%b>>" % pdfs.WITH_PICTURE,
    )
    more = [pdfs.picture(pdfs.jpeg()), form]
    forms = b"/XObject<</Fm 5 0 R>>"
    large = pdfs.document(
        b"q 5.95 0 0 8.42 0 0 cm /Fm Do Q BT /F1 9 Tf 290 20 Td (17) Tj ET", resources=forms, more=more
    )
    small = pdfs.document(b"/Fm Do BT /F1 9 Tf 290 20 Td (17) Tj ET", resources=forms, more=more)
    assert (show(large).reason, show(small).reason) == (judgement.BESIDE_PICTURE, judgement.GOOD)


def test_a_font_without_characters_is_not_believed(show: Show) -> None:
    nonsense = b"/Subtype/Type1/BaseFont/Unknown/Encoding<</Differences[65/g1/g2/g3/g4/g5/g6]>>"
    shown = show(pdfs.document(b"BT /F1 20 Tf 72 700 Td (ABCDEF FEDCBA ABCDEF) Tj ET", font=nonsense))
    assert (shown.source, shown.reason) == ("ocr", judgement.MAPPED_WRONGLY)


def test_the_caller_can_insist(show: Show) -> None:
    covered = pdfs.with_picture(pdfs.TEXT + pdfs.show_picture())
    assert texts(show(covered, mode="text"))[0] == "Pressure valve 7 opened"
    assert show(pdfs.digital(), mode="ocr").source == "ocr"
    assert texts(show(pdfs.scanned(), mode="text")) == []


def test_what_is_filled_into_a_form_is_text(show: Show) -> None:
    look = pdfs.stream(
        b"BT /F1 12 Tf 2 5 Td (Filled in by hand) Tj ET",
        b"/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</F1 3 0 R>>>>",
    )
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Filled in by hand)/Rect[72 600 272 620]/F 4/AP<</N 4 0 R>>>>"
    shown = show(pdfs.document(pdfs.TEXT, page=b"/Annots[5 0 R]", more=[look, field]))
    assert "Filled in by hand" in texts(shown)


def test_a_document_tells_its_pages(reading: Reading, tmp_path: Path) -> None:
    asked = Open(1, str(pdfs.written(tmp_path, pdfs.digital(pages=3))), None)
    assert reading.answer(asked) == (Opened(3), b"")
    with pytest.raises(PdfError, match="no page 4, the document has 3"):
        reading.answer(Read(asked, 3, "auto", 72))


def test_the_picture_is_bgr_and_upright(reading: Reading, tmp_path: Path) -> None:
    red_corner = pdfs.document(b"1 0 0 rg 0 0 50 50 re f", page=b"/Rotate 90", size=(200, 100))
    asked = Open(2, str(pdfs.written(tmp_path, red_corner)), None)
    shown, pixels = reading.answer(Read(asked, 0, "ocr", 72))
    assert isinstance(shown, Shown)
    assert (shown.width, shown.height, len(pixels)) == (100, 200, 100 * 200 * 3)
    assert bytes(pixels[:3]) == b"\x00\x00\xff"  # what was at the bottom left stands at the top left
    assert bytes(pixels[-3:]) == b"\xff\xff\xff"


def test_the_resolution_is_lowered_to_what_a_picture_may_be() -> None:
    assert fit(595, 842, 200, LIMITS) == (1653, 2339, pytest.approx(200))
    width, height, dpi = fit(14_400, 7_200, 200, LIMITS)
    assert (width, height, dpi) == (4096, 2048, pytest.approx(20.48))
    width, height, _ = fit(14_400, 14_400, 200, Limits(4096, 4096, 1_000_000))
    assert (width, height) == (1000, 1000)
    assert fit(10_000_000, 1, 200, LIMITS)[:2] == (4096, 1)


@pytest.mark.parametrize("size", [(0, 100), (-5, 5), (float("inf"), 5), (float("nan"), 5)])
def test_a_page_without_a_size_is_damaged(size: tuple[float, float]) -> None:
    with pytest.raises(PdfError, match="points large"):
        fit(*size, 200, LIMITS)

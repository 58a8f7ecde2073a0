import ctypes
import math
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, Self

import pikepdf
import pypdfium2
import pytest
from ocr.outputs import OutputError, searchable_pdf
from ocr.pages import Line, Page, Quad, Word
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from pypdfium2 import raw

NEAR = 3.0  # pixels
PAGE = (1240, 1754)  # A4 at 150 dpi
BOX = (595, 842)
WORDS = [("Invoice", 100, 200, 240, 240), ("No.", 255, 200, 310, 240), ("4711/X", 330, 200, 470, 240)]
LOWER = [
    ("Total", 100, 1500, 190, 1535),
    ("amount", 205, 1500, 330, 1535),
    ("12,50", 900, 1500, 990, 1535),
    ("€", 1000, 1500, 1025, 1535),
]
CHINESE = [(c, 100 + 42 * i, 800, 140 + 42 * i, 842) for i, c in enumerate("识别的文本内容")]
Placed = tuple[str, float, float, float, float]


@dataclass
class Result:
    number: int
    page: Page
    dpi: float | None = None


def quad(left: float, top: float, right: float, bottom: float) -> Quad:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def line(words: Sequence[Placed], gap: str = " ") -> Line:
    parts = tuple(Word(text, 0.9, quad(*box)) for text, *box in words)
    outer = quad(words[0][1], min(w[2] for w in words), words[-1][3], max(w[4] for w in words))
    return Line(gap.join(word.text for word in parts), 0.9, outer, parts)


def read_page(lines: Sequence[Line], size: tuple[int, int] = PAGE, **members: Any) -> Page:
    return Page(*size, tuple(lines), **members)


def turned(quad: Quad, degrees: float, centre: tuple[float, float]) -> Quad:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x0, y0 = centre
    corners = [(x0 + cos * (x - x0) - sin * (y - y0), y0 + sin * (x - x0) + cos * (y - y0)) for x, y in quad]
    return corners[0], corners[1], corners[2], corners[3]


def turned_line(given: Line, degrees: float, centre: tuple[float, float]) -> Line:
    words = tuple(Word(word.text, word.confidence, turned(word.quad, degrees, centre)) for word in given.words)
    return Line(given.text, given.confidence, turned(given.quad, degrees, centre), words)


def document(path: Path, content: bytes = b"", n_pages: int = 1, **members: Any) -> Path:
    with Pdf.new() as pdf:
        for _ in range(n_pages):
            page = pdf.add_blank_page(page_size=BOX)
            page.obj.Contents = Stream(pdf, content)
            for key, value in members.items():
                page.obj[f"/{key}"] = value
        pdf.save(path, static_id=True)
    return path


def laid(tmp_path: Path, page: Page, **members: Any) -> Path:
    """Returns the searchable PDF of one page that has nothing else on it."""
    target = tmp_path / "out.pdf"
    searchable_pdf(document(tmp_path / "in.pdf", **members), [Result(1, page)], target)
    return target


def words_of(page: Page) -> list[Word]:
    return [word for line in page.lines for word in line.words]


def extent(points: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    across, down = [x for x, _ in points], [y for _, y in points]
    return min(across), min(down), max(across), max(down)


class Pdfium:
    """A page as pdfium reads it, in pixels of its picture."""

    def __init__(self, path: Path, size: tuple[int, int], index: int = 0, password: str | None = None) -> None:
        self.document = pypdfium2.PdfDocument(path, password=password)
        self.page = self.document[index]
        self.text_page = self.page.get_textpage()
        self.size = size
        self.text = self.text_page.get_text_range()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.text_page.close()
        self.page.close()
        self.document.close()

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        fine = 100  # FPDF_PageToDevice gives whole numbers
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(
            self.page, 0, 0, self.size[0] * fine, self.size[1] * fine, 0, x, y, ctypes.byref(across), ctypes.byref(down)
        )
        return across.value / fine, down.value / fine

    def find(self, text: str) -> Iterator[tuple[float, float, float, float]]:
        """Yields the box around each place where the text is found."""
        searcher = self.text_page.search(text, match_case=True)
        while found := searcher.get_next():
            start, count = found
            boxes = [self.text_page.get_charbox(start + offset) for offset in range(count)]
            corners = [
                self.pixel(x, y) for left, bottom, right, top in boxes for x in (left, right) for y in (bottom, top)
            ]
            yield extent(corners)


def check_with_pdfium(path: Path, page: Page) -> None:
    with Pdfium(path, (page.width, page.height)) as found:
        for word in words_of(page):
            expected = extent(word.quad)
            offsets = [max(abs(a - b) for a, b in zip(box, expected, strict=True)) for box in found.find(word.text)]
            assert offsets, (word.text, found.text)
            assert min(offsets) <= NEAR, (word, offsets)


def poppler(path: Path, *options: str) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext: install Debian's package poppler-utils")
    return subprocess.run(["pdftotext", *options, path, "-"], check=True, capture_output=True, text=True).stdout


def check_with_poppler(path: Path, page: Page, *, aside: bool = False) -> None:
    """Compares boxes in shares of the page as it is shown; poppler tells its size as it lies in the file (`aside`)."""
    told = poppler(path, "-bbox")
    width, height = map(float, re.search(r'<page width="([\d.]+)" height="([\d.]+)">', told).groups())  # type: ignore[union-attr]
    pattern = r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>'
    boxes = [(unescape(found[5]), [float(found[i]) for i in range(1, 5)]) for found in re.finditer(pattern, told)]
    width, height = (height, width) if aside else (width, height)
    scale = page.width / width, page.height / height
    assert [text for text, _ in boxes] == [word.text for word in words_of(page)]
    for (_, box), word in zip(boxes, words_of(page), strict=True):
        found = [edge * scale[index % 2] for index, edge in enumerate(box)]
        assert max(abs(a - b) for a, b in zip(found, extent(word.quad), strict=True)) <= NEAR, (word, found)


@pytest.fixture
def page() -> Page:
    return read_page([line(WORDS), line(LOWER)])


def test_both_engines_find_each_word_where_it_was_read(tmp_path: Path, page: Page) -> None:
    path = laid(tmp_path, page)
    check_with_pdfium(path, page)
    check_with_poppler(path, page)


def test_copied_text_has_its_spaces_and_lines(tmp_path: Path, page: Page) -> None:
    path = laid(tmp_path, page)
    with Pdfium(path, PAGE) as found:
        assert found.text.split("\r\n") == ["Invoice No. 4711/X", "Total amount 12,50 €"]
    assert poppler(path).split() == [word.text for word in words_of(page)]
    assert "Invoice No. 4711/X" in poppler(path)


def test_a_phrase_is_found_across_its_words(tmp_path: Path, page: Page) -> None:
    with Pdfium(laid(tmp_path, page), PAGE) as found:
        assert len(list(found.find("Invoice No. 4711"))) == 1


def test_chinese_is_copied_without_spaces(tmp_path: Path) -> None:
    page = read_page([line(CHINESE, gap="")])
    path = laid(tmp_path, page)
    check_with_pdfium(path, page)
    with Pdfium(path, PAGE) as found:
        assert found.text == "识别的文本内容"
        assert len(list(found.find("文本内容"))) == 1
    assert poppler(path).strip() == "识别的文本内容"


def test_characters_beyond_the_basic_plane_and_ligatures_are_copied(tmp_path: Path) -> None:
    page = read_page(
        [line([("𠮷野家", 100, 100, 220, 140), ("naïve", 240, 100, 340, 140), ("x<y>&\\(z)", 360, 100, 560, 140)])]
    )
    path = laid(tmp_path, page)
    with Pdfium(path, PAGE) as found:
        assert found.text == "𠮷野家 naïve x<y>&\\(z)"
    assert poppler(path).strip() == "𠮷野家 naïve x<y>&\\(z)"


def test_what_is_no_character_does_not_break_the_document(tmp_path: Path) -> None:
    page = read_page(
        [line([("a\ufdd0b\0\x1b", 100, 100, 200, 140), ("\n", 210, 100, 230, 140), ("c", 240, 100, 260, 140)])]
    )
    with Pdfium(laid(tmp_path, page), PAGE) as found:
        assert found.text == "ab c"


@pytest.mark.parametrize("rotate", [0, 90, 180, 270, -90, 450])
def test_a_rotated_page_has_its_words_where_they_are_seen(tmp_path: Path, rotate: int) -> None:
    size = PAGE[::-1] if rotate % 180 else PAGE
    page = read_page([line(WORDS)], size)
    path = laid(tmp_path, page, Rotate=rotate)
    check_with_pdfium(path, page)
    check_with_poppler(path, page, aside=rotate % 180 != 0)
    assert poppler(path).strip() == "Invoice No. 4711/X"


@pytest.mark.parametrize("rotate", [0, 90])
def test_a_crop_box_is_the_page_that_was_read(tmp_path: Path, rotate: int) -> None:
    page = read_page([line(WORDS)], (1200, 1200))
    path = laid(tmp_path, page, MediaBox=Array([-100, 50, 600, 900]), CropBox=Array([450, 500, 50, 100]), Rotate=rotate)
    check_with_pdfium(path, page)
    with Pdfium(path, (1200, 1200)) as found:
        assert found.page.get_size() == (400, 400)


def test_a_crop_box_beyond_the_page_is_cut_to_it(tmp_path: Path) -> None:
    page = read_page([line(WORDS)], (1000, 1000))
    check_with_pdfium(laid(tmp_path, page, MediaBox=Array([0, 0, 500, 500]), CropBox=Array([-50, 0, 900, 500])), page)


def test_a_page_with_a_unit_of_its_own(tmp_path: Path, page: Page) -> None:
    check_with_pdfium(laid(tmp_path, page, UserUnit=2.5), page)


@pytest.mark.parametrize(
    "members", [{"MediaBox": Name.None_}, {"MediaBox": Array([0, 0, 0, 0])}, {"MediaBox": Array([1, 2])}]
)
def test_a_page_without_a_proper_box_is_taken_as_pdfium_takes_it(tmp_path: Path, members: dict[str, Any]) -> None:
    page = read_page([line(WORDS)], (1275, 1650))
    check_with_pdfium(laid(tmp_path, page, **members), page)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_text_of_a_page_that_lies_aside_is_found_in_its_place(tmp_path: Path, turn: int) -> None:
    size = PAGE[::-1] if turn % 180 else PAGE
    centre = (size[0] / 2, size[1] / 2)
    shift = (centre[0] - 285, centre[1] - 220)
    middle = line([(text, a + shift[0], b + shift[1], c + shift[0], d + shift[1]) for text, a, b, c, d in WORDS])
    page = read_page([turned_line(middle, -turn, centre)], size, turn=turn)
    path = laid(tmp_path, page, MediaBox=Array([0, 0, size[0] / 2, size[1] / 2]))
    check_with_pdfium(path, page)
    check_with_poppler(path, page)
    assert poppler(path).strip() == "Invoice No. 4711/X"


@pytest.mark.parametrize("degrees", [-12, -3, 1.5, 7, 30])
def test_slanted_lines_keep_their_boxes_and_spaces(tmp_path: Path, degrees: float) -> None:
    page = read_page([turned_line(line(WORDS), degrees, (285, 220))])
    path = laid(tmp_path, page)
    check_with_pdfium(path, page)
    with Pdfium(path, PAGE) as found:
        assert found.text == "Invoice No. 4711/X"


@pytest.mark.parametrize("gap", [0, 1, 3, 12, 60, 200])
@pytest.mark.parametrize("degrees", [0, 2])
def test_words_that_touch_or_stand_far_apart_stay_words(tmp_path: Path, gap: int, degrees: float) -> None:
    words: list[Placed] = []
    left = 60
    for text in ("the", "quick", "a", "1", "fox"):
        words.append((text, left, 300, left + 20 * len(text), 335))
        left += 20 * len(text) + gap
    page = read_page([turned_line(line(words), degrees, (60, 300))])
    path = laid(tmp_path, page)
    check_with_pdfium(path, page)
    with Pdfium(path, PAGE) as found:
        assert found.text == "the quick a 1 fox"
    assert poppler(path).split() == ["the", "quick", "a", "1", "fox"]


def test_columns_are_copied_one_after_the_other(tmp_path: Path) -> None:
    lines = [
        line([(side, left, top, left + 100, top + 30), (text, left + 110, top, left + 190, top + 30)])
        for side, left in (("left", 100), ("right", 700))
        for text, top in (("one", 100), ("two", 140))
    ]
    path = laid(tmp_path, read_page(lines))
    expected = ["left one", "left two", "right one", "right two"]
    with Pdfium(path, PAGE) as found:
        assert found.text.split("\r\n") == expected
    assert [text for text in poppler(path).splitlines() if text.strip()] == expected


@pytest.mark.parametrize("degrees", [1, 91, 179, 271, 2])
def test_words_that_are_hardly_slanted_stay_whole_in_poppler(tmp_path: Path, degrees: float) -> None:
    words: list[Placed] = [
        (text, 300 + 110 * i, 600, 390 + 110 * i, 635) for i, text in enumerate(["some", "more", "text", "that", "was"])
    ]
    page = read_page([turned_line(line(words), degrees, (570, 617))])
    path = laid(tmp_path, page)
    check_with_pdfium(path, page)
    assert sorted(poppler(path).split()) == sorted(text for text, *_ in words)


def test_nothing_is_painted(tmp_path: Path, page: Page) -> None:
    path = laid(tmp_path, page)
    with Pdfium(path, PAGE) as found:
        assert found.page.render(scale=1).to_pil().convert("L").getextrema() == (255, 255)


def test_content_that_leaves_its_state_open_moves_no_word(tmp_path: Path, page: Page) -> None:
    path = laid(tmp_path, page, content=b"Q Q 3 0 0 3 50 50 cm q q 0 g 0 0 10 10 re f")
    check_with_pdfium(path, page)


def test_streams_and_pictures_stay_byte_for_byte(tmp_path: Path, page: Page) -> None:
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    with Pdf.new() as pdf:
        sheet = pdf.add_blank_page(page_size=BOX)
        image = Stream(
            pdf,
            bytes(range(48)),
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=4,
            Height=4,
            ColorSpace=Name.DeviceRGB,
            BitsPerComponent=8,
        )
        odd = Stream(pdf, b"8;Z]_~>", Filter=Name.ASCII85Decode)
        sheet.obj.Resources = Dictionary(
            XObject=Dictionary(Im=image, Odd=odd), Font=Dictionary(Glyphless0=Dictionary(Type=Name.Font))
        )
        sheet.obj.Contents = Array([Stream(pdf, b"q 100 0 0 100 0 0 cm"), Stream(pdf, b"/Im Do Q")])
        pdf.save(source, static_id=True, compress_streams=False)
    searchable_pdf(source, [Result(1, page)], target)
    with pikepdf.open(source) as before, pikepdf.open(target) as after:
        old, new = before.pages[0].obj, after.pages[0].obj
        for name in ("/Im", "/Odd"):
            assert new.Resources.XObject[name].read_raw_bytes() == old.Resources.XObject[name].read_raw_bytes()
        contents = [part.read_raw_bytes() for part in new.Contents]
        assert contents[1:] == [part.read_raw_bytes() for part in old.Contents]
        assert sorted(new.Resources.Font.keys()) == ["/Glyphless0", "/Glyphless1"]


def test_resources_that_pages_share_are_not_changed_for_the_others(tmp_path: Path, page: Page) -> None:
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    with Pdf.new() as pdf:
        shared = pdf.make_indirect(Dictionary(ProcSet=Array([Name.PDF])))
        for _ in range(2):
            pdf.add_blank_page(page_size=BOX).obj.Resources = shared
        pdf.save(source)
    searchable_pdf(source, [Result(2, page)], target)
    with pikepdf.open(target) as written:
        assert "/Font" not in written.pages[0].obj.Resources
        assert written.pages[1].obj.Resources.keys() == {"/ProcSet", "/Font"}


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, page: Page) -> None:
    first = laid(tmp_path, page).read_bytes()
    assert laid(tmp_path, page).read_bytes() == first


def test_only_pages_that_were_read_in_pictures_get_text(tmp_path: Path) -> None:
    source, target = document(tmp_path / "in.pdf", n_pages=3), tmp_path / "out.pdf"
    digital = read_page([line(WORDS)], source="text")
    empty = read_page([])
    searchable_pdf(source, [Result(1, digital), Result(2, empty), Result(3, read_page([line(LOWER)]))], target)
    texts = []
    for index in range(3):
        with Pdfium(target, PAGE, index) as found:
            texts.append(found.text)
    assert texts == ["", "", "Total amount 12,50 €"]


def test_lines_without_words_are_laid_as_one(tmp_path: Path) -> None:
    whole = Line("two words", 0.8, quad(100, 100, 300, 140), ())
    nameless = Line("", 0.8, quad(100, 200, 300, 240), (Word("", 0.8, quad(100, 200, 300, 240)),))
    with Pdfium(laid(tmp_path, read_page([whole, nameless])), PAGE) as found:
        assert found.text == "two words"


def test_words_without_width_or_height_are_found_all_the_same(tmp_path: Path) -> None:
    flat = Line("flat", 0.8, quad(100, 100, 100, 100), ())
    with Pdfium(laid(tmp_path, read_page([flat])), PAGE) as found:
        assert found.text == "flat"


@pytest.mark.parametrize("revision", [4, 6])
def test_an_encrypted_document_stays_encrypted(tmp_path: Path, page: Page, revision: Any) -> None:
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    with Pdf.new() as pdf:
        pdf.add_blank_page(page_size=BOX)
        pdf.save(source, encryption=pikepdf.Encryption(owner="owner", user="user", R=revision))
    searchable_pdf(source, [Result(1, page)], target, password="user")
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(target)
    with Pdfium(target, PAGE, password="user") as found:
        assert found.text.startswith("Invoice No. 4711/X")


def test_a_wrong_password_is_told(tmp_path: Path, page: Page) -> None:
    source = tmp_path / "in.pdf"
    with Pdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(source, encryption=pikepdf.Encryption(owner="owner", user="user"))
    with pytest.raises(OutputError, match="encrypted with another password"):
        searchable_pdf(source, [Result(1, page)], tmp_path / "out.pdf", password="wrong")


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"PK\3\4no document"])
def test_what_is_no_document_is_refused(tmp_path: Path, page: Page, data: bytes) -> None:
    (tmp_path / "in.pdf").write_bytes(data)
    with pytest.raises(OutputError, match="the document is damaged"):
        searchable_pdf(tmp_path / "in.pdf", [Result(1, page)], tmp_path / "out.pdf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.pdf"]


@pytest.mark.parametrize("number", [0, 2])
def test_a_page_that_the_document_lacks_is_refused(tmp_path: Path, page: Page, number: int) -> None:
    with pytest.raises(OutputError, match=f"no page {number} in the document, it has 1"):
        searchable_pdf(document(tmp_path / "in.pdf"), [Result(number, page)], tmp_path / "out.pdf")


def test_a_document_is_given_to_the_limited_process(tmp_path: Path, page: Page) -> None:
    calls: list[tuple[Any, ...]] = []

    def run(function: str, *arguments: str | None, file_bytes: int) -> None:
        stored = Path(arguments[1] or "")
        calls.append((function, arguments[0], stored.read_bytes().count(b"\n"), arguments[2:], file_bytes))

    source = document(tmp_path / "in.pdf")
    searchable_pdf(source, iter([Result(1, page)]), tmp_path / "out.pdf", password="p", run=run)
    [(function, path, n_pages, rest, file_bytes)] = calls
    assert (function, path, n_pages, rest) == (
        "ocr.outputs.layer:write",
        str(source),
        1,
        (str(tmp_path / "out.pdf"), "p"),
    )
    assert file_bytes > 3 * source.stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["in.pdf"]

import re
from collections import Counter
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pytest
from ocr.outputs import hocr
from ocr.outputs.hocr import gaps
from ocr.pages import Line, Page, Quad, Word

XHTML = "{http://www.w3.org/1999/xhtml}"
HOSTILE = "<b onclick='x'>\"&amp;]]>\0\x0b\ud800\ufffe --> é 识"


@dataclass
class Result:
    number: int
    page: Page
    dpi: float | None = None


def quad(left: float, top: float, right: float, bottom: float) -> Quad:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


LINE = Line(
    "Two words",
    0.9,
    quad(10, 10, 110, 30),
    (Word("Two", 0.987, quad(10, 10, 50, 30)), Word("words", 2.0, quad(60, 10, 110, 30))),
)
CHINESE = Line(
    "文本",
    0.9,
    quad(10, 100, 50, 120),
    (Word("文", 0.9, quad(10, 100, 30, 120)), Word("本", 0.9, quad(30, 100, 50, 120))),
)
PAGE = Page(200, 300, (LINE, CHINESE))


def parsed(*pages: Page, title: str = "scan.png", dpi: float | None = None) -> ET.Element:
    results = [Result(number, page, dpi) for number, page in enumerate(pages, 1)]
    return ET.fromstring(hocr(results, title, ["en"]).encode())


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in root.iter() if element.get("class") == name]


def test_the_elements_of_a_page_are_nested_as_hocr_wants() -> None:
    body = parsed(PAGE).find(f"{XHTML}body")
    assert body is not None
    found = [
        (element.get("class"), [child.get("class") for child in element])
        for element in body.iter()
        if element is not body
    ]
    assert found[:4] == [
        ("ocr_page", ["ocr_carea"]),
        ("ocr_carea", ["ocr_par", "ocr_par"]),
        ("ocr_par", ["ocr_line"]),
        ("ocr_line", ["ocrx_word", "ocrx_word"]),
    ]


def test_the_head_names_the_system_and_what_it_can() -> None:
    root = parsed(PAGE)
    metas = {meta.get("name"): meta.get("content") for meta in root.iter(f"{XHTML}meta")}
    used = {element.get("class") for element in root.iter() if element.get("class")}
    assert metas["ocr-system"] == "Lineside ocr"
    assert used <= set((metas["ocr-capabilities"] or "").split())
    assert (metas["ocr-langs"], root.get("lang")) == ("en", "en")


def test_a_page_tells_its_picture_box_number_and_resolution() -> None:
    pages = of_class(parsed(PAGE, PAGE, title='a "b" \\ c.pdf', dpi=200.0), "ocr_page")
    assert [page.get("title") for page in pages] == [
        f"image \"a 'b' / c.pdf\"; bbox 0 0 200 300; ppageno {number}; scan_res 200 200" for number in (0, 1)
    ]


def test_words_tell_their_boxes_and_confidence() -> None:
    words = of_class(parsed(PAGE), "ocrx_word")
    assert [(word.text, word.get("title")) for word in words[:2]] == [
        ("Two", "bbox 10 10 50 30; x_wconf 99"),
        ("words", "bbox 60 10 110 30; x_wconf 100"),
    ]


def test_ids_are_used_once_in_the_whole_document() -> None:
    ids = Counter(element.get("id") for element in parsed(PAGE, PAGE).iter() if element.get("id"))
    assert max(ids.values()) == 1
    assert {"page_1", "block_2_1", "par_2_2", "line_1_2", "word_2_4"} <= set(ids)


def test_text_has_spaces_where_the_line_has_them() -> None:
    lines = of_class(parsed(PAGE), "ocr_line")
    assert ["".join(line.itertext()).strip() for line in lines] == ["Two words", "文本"]


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        (((10, 10), (110, 10), (110, 30), (10, 30)), "baseline 0 0"),
        (((10, 10), (110, 15), (110, 35), (10, 30)), "baseline 0.05 -5"),
        (((10, 15), (110, 10), (110, 30), (10, 35)), "baseline -0.05 0"),
        (((30, 10), (30, 110), (10, 110), (10, 10)), "textangle 270"),
        (((10, 110), (10, 10), (30, 10), (30, 110)), "textangle 90"),
        (((110, 30), (10, 30), (10, 10), (110, 10)), "textangle 180"),
    ],
)
def test_a_line_tells_its_baseline_or_its_angle(corners: Quad, expected: str) -> None:
    line = of_class(parsed(Page(200, 300, (Line("x", 0.9, corners, ()),))), "ocr_line")[0]
    assert (line.get("title") or "").split("; ")[1] == expected


def test_hostile_text_stays_text() -> None:
    line = Line(HOSTILE, 0.9, quad(0, 0, 10, 10), ())
    root = parsed(Page(20, 20, (line,)), title=HOSTILE)
    assert of_class(root, "ocrx_word")[0].text == "<b onclick='x'>\"&amp;]]> --> é 识"
    assert not list(root.iter(f"{XHTML}b"))


def test_boxes_stay_within_the_page() -> None:
    line = Line("x", 0.9, quad(-5, -5, 5000, 5000), ())
    assert "bbox 0 0 20 30" in (of_class(parsed(Page(20, 30, (line,))), "ocr_line")[0].get("title") or "")


def test_pages_without_text_are_there() -> None:
    assert len(of_class(parsed(Page(20, 30, ()), Page(20, 30, ())), "ocr_page")) == 2


def test_gaps_are_those_of_the_line() -> None:
    words = [Word(text, 0.9, quad(0, 0, 1, 1)) for text in ("a", "b", "lost", "c")]
    assert gaps("ab c", words) == ["", "", " ", " "]


def test_control_characters_are_gone() -> None:
    whole = hocr([Result(1, Page(20, 20, (Line(HOSTILE, 0.9, quad(0, 0, 10, 10), ()),)))], HOSTILE, [])
    assert re.findall(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]", whole) == []
    assert 'content="unknown"' in whole

from collections import Counter
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pytest
from ocr.outputs import alto
from ocr.pages import Line, Page, Quad, Word

NS = "{http://www.loc.gov/standards/alto/ns-v4#}"
HOSTILE = "<b onclick='x'>\"&amp;]]>\0\x0b\ud800\ufffe --> é 识"
PLACE = {"HPOS", "VPOS", "WIDTH", "HEIGHT"}
# After the schema 4.4: the order of children and the attributes that an element needs.
CHILDREN = {
    "alto": ["Description", "Layout"],
    "Description": ["MeasurementUnit", "sourceImageInformation", "Processing"],
    "Processing": ["processingSoftware"],
    "processingSoftware": ["softwareName", "softwareVersion"],
}
NEEDED = {
    "Processing": {"ID"},
    "Page": {"ID", "PHYSICAL_IMG_NR", "WIDTH", "HEIGHT"},
    "PrintSpace": PLACE,
    "TextBlock": {"ID", *PLACE},
    "TextLine": PLACE,
    "String": {"CONTENT", *PLACE},
}


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
    (Word("Two", 0.98765, quad(10, 10, 50, 30)), Word("words", 1.0, quad(60, 10, 110, 30))),
)
CHINESE = Line(
    "文本",
    0.9,
    quad(10, 100, 50, 120),
    (Word("文", 0.9, quad(10, 100, 30, 120)), Word("本", 0.9, quad(30, 100, 50, 120))),
)
PAGE = Page(200, 300, (LINE, CHINESE))


def parsed(*pages: Page, name: str = "scan.png") -> ET.Element:
    return ET.fromstring(alto([Result(n, page) for n, page in enumerate(pages, 1)], name, "0.1.0").encode())


def names(element: ET.Element) -> list[str]:
    return [child.tag.removeprefix(NS) for child in element]


@pytest.mark.parametrize("pages", [[], [PAGE], [PAGE, Page(20, 30, ()), PAGE]], ids=len)
def test_the_structure_is_that_of_the_schema(pages: list[Page]) -> None:
    root = parsed(*pages)
    assert root.tag == f"{NS}alto"
    for element in root.iter():
        name = element.tag.removeprefix(NS)
        assert names(element) == CHILDREN.get(name, names(element))
        assert NEEDED.get(name, set()) <= set(element.keys())
        assert all(int(element.get(key, "")) >= 0 for key in PLACE & set(element.keys()))


def test_ids_are_used_once_and_pages_are_numbered() -> None:
    root = parsed(PAGE, PAGE)
    ids = Counter(element.get("ID") for element in root.iter() if element.get("ID"))
    assert max(ids.values()) == 1
    assert [page.get("PHYSICAL_IMG_NR") for page in root.iter(f"{NS}Page")] == ["1", "2"]


def test_a_space_stands_between_strings_never_first_or_last() -> None:
    lines = list(parsed(PAGE).iter(f"{NS}TextLine"))
    assert [names(line) for line in lines] == [["String", "SP", "String"], ["String", "String"]]


def test_strings_tell_place_and_confidence() -> None:
    string = next(parsed(PAGE).iter(f"{NS}String"))
    place = {"HPOS": "10", "VPOS": "10", "WIDTH": "40", "HEIGHT": "20"}
    assert string.attrib == {"ID": "word_1_1", **place, "WC": "0.9877", "CONTENT": "Two"}


def test_it_names_the_file_and_the_software() -> None:
    root = parsed(PAGE, name="a<b>.pdf")
    assert [root.findtext(f".//{NS}{name}") for name in ("fileName", "softwareName", "softwareVersion")] == [
        "a<b>.pdf",
        "Lineside ocr",
        "0.1.0",
    ]


def test_hostile_text_stays_text() -> None:
    root = parsed(Page(20, 20, (Line(HOSTILE, 0.9, quad(0, 0, 10, 10), ()),)), name=HOSTILE)
    content = "<b onclick='x'>\"&amp;]]> --> é 识"
    assert next(root.iter(f"{NS}String")).get("CONTENT") == content
    assert root.findtext(f".//{NS}fileName") == content


def test_a_line_that_was_not_recognised_is_a_string_without_content() -> None:
    root = parsed(Page(20, 20, (Line("", 0.9, quad(0, 0, 10, 10), ()),)))
    assert [string.get("CONTENT") for string in root.iter(f"{NS}String")] == [""]

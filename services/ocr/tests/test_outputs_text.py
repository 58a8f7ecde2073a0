from collections.abc import Iterator
from dataclasses import dataclass

from ocr.outputs import text
from ocr.outputs.text import pieces
from ocr.pages import Line, Page


@dataclass
class Result:
    number: int
    page: Page
    dpi: float | None = None


def at(text: str, left: float, top: float, right: float, height: float = 20) -> Line:
    return Line(text, 0.9, ((left, top), (right, top), (right, top + height), (left, top + height)), ())


def of(*lines: Line) -> str:
    return text([Result(1, Page(1000, 1400, lines))])


def test_paragraphs_are_divided_by_an_empty_line() -> None:
    assert of(at("Dear all,", 50, 0, 200), at("the meet-", 50, 100, 500), at("ing is off.", 50, 128, 300)) == (
        "Dear all,\n\nthe meet-\ning is off.\n"
    )


def test_pages_are_divided_by_form_feeds() -> None:
    results = [Result(n, Page(1000, 1400, (at(f"page {n}", 0, 0, 100),))) for n in (1, 2)]
    assert text([*results, Result(3, Page(10, 10, ()))]) == "page 1\n\fpage 2\n\f"
    assert text([]) == ""


def test_full_lines_of_chinese_are_joined() -> None:
    lines = at("识别的文本内容识别的", 50, 0, 450), at("文本内容。", 50, 28, 250), at("第二", 50, 56, 130)
    assert of(*lines) == "识别的文本内容识别的文本内容。\n第二\n"


def test_lines_of_other_scripts_stay_lines() -> None:
    assert (
        of(at("识别的文本内容识别的", 50, 0, 450), at("English follows", 50, 28, 450))
        == "识别的文本内容识别的\nEnglish follows\n"
    )


def test_cells_of_a_row_are_divided_by_a_tab_and_parts_of_a_line_by_a_space() -> None:
    assert of(at("Milk", 50, 0, 150), at("1 l", 160, 0, 200), at("2,50", 700, 0, 800)) == "Milk 1 l\t2,50\n"


def test_text_cannot_forge_line_or_page_breaks() -> None:
    assert of(at("a\fb\nc\x1b[31m\u2028d", 0, 0, 100), at(" ", 0, 28, 100), at("\0", 0, 56, 100)) == "a b c[31m d\n"


def test_pages_are_taken_one_at_a_time() -> None:
    taken = []

    def results() -> Iterator[Result]:
        for number in range(1, 4):
            taken.append(number)
            yield Result(number, Page(1000, 1400, (at("x", 0, 0, 100),)))

    stream = pieces(results())
    assert (next(stream), taken) == ("x\n", [1])
    assert "".join(stream) == "\fx\n\fx\n"

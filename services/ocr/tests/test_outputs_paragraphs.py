import functools
import operator

import pytest
from ocr.outputs.paragraphs import blocks, body_height, paragraphs, rows, upright
from ocr.pages import Line, Page


def at(text: str, left: float, top: float, right: float, height: float = 20) -> Line:
    return Line(text, 0.9, ((left, top), (right, top), (right, top + height), (left, top + height)), ())


def page(*lines: Line, size: tuple[int, int] = (1000, 1400), turn: int = 0) -> Page:
    return Page(*size, lines, turn=turn)


def texts(given: Page) -> list[list[str]]:
    return [[line.text for line in paragraph.lines] for paragraph in paragraphs(given)]


def test_lines_that_follow_closely_are_one_paragraph() -> None:
    assert texts(page(at("a", 50, 0, 500), at("b", 50, 28, 500), at("c", 50, 56, 300))) == [["a", "b", "c"]]


def test_a_gap_divides_paragraphs() -> None:
    assert texts(page(at("a", 50, 0, 500), at("b", 50, 28, 500), at("c", 50, 84, 500))) == [["a", "b"], ["c"]]


def test_an_indent_begins_a_paragraph() -> None:
    given = page(at("a", 80, 0, 500), at("b", 50, 28, 500), at("c", 80, 56, 500), at("d", 50, 84, 500))
    assert texts(given) == [["a", "b"], ["c", "d"]]


def test_another_line_height_begins_a_paragraph() -> None:
    assert texts(page(at("title", 50, 0, 500, 40), at("body", 50, 50, 500), at("body", 50, 78, 500))) == [
        ["title"],
        ["body", "body"],
    ]


def test_another_column_begins_a_block() -> None:
    given = page(at("a", 50, 0, 400), at("b", 50, 28, 400), at("c", 500, 0, 900), at("d", 500, 28, 900))
    assert [[line.text for each in block.paragraphs for line in each.lines] for block in blocks(given)] == [
        ["a", "b"],
        ["c", "d"],
    ]


def test_lines_side_by_side_are_one_row() -> None:
    given = page(at("Milk", 50, 0, 150), at("2,50", 700, 3, 800), at("Bread", 50, 28, 180), at("3,10", 700, 27, 800))
    assert [[cell.line.text for cell in row.cells] for row in rows(given)] == [["Milk", "2,50"], ["Bread", "3,10"]]
    assert texts(given) == [["Milk", "2,50", "Bread", "3,10"]]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_turned_page_is_grouped_as_if_it_stood_upright(turn: int) -> None:
    size = (1000, 1400)
    lines = [at("a", 50, 0, 500), at("b", 50, 28, 500), at("c", 50, 100, 500)]
    shown = page(*lines)
    lying = size[::-1] if turn % 180 else size
    back = page(size=size, turn=-turn % 360)  # turns the upright page into the one that was read
    turned = [Line(line.text, 0.9, tuple(upright(corner, back) for corner in line.quad), ()) for line in lines]  # type: ignore[arg-type]
    assert texts(page(*turned, size=lying, turn=turn)) == texts(shown) == [["a", "b"], ["c"]]


def test_nothing_read_is_no_paragraph() -> None:
    assert blocks(page()) == []
    assert body_height([page()]) == 1.0


def test_the_body_is_what_most_characters_have() -> None:
    assert body_height([page(at("Heading", 0, 0, 500, 60), at("much longer body text", 0, 100, 500, 20))]) == 20


def test_lines_without_height_do_not_disturb() -> None:
    assert functools.reduce(operator.iadd, texts(page(at("a", 0, 0, 0, 0), at("b", 0, 0, 0, 0))), []) == ["a", "b"]

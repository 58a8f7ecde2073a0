from dataclasses import dataclass

import pytest
from ocr.outputs import markdown
from ocr.outputs.markdown import escaped
from ocr.pages import Line, Page


@dataclass
class Result:
    number: int
    page: Page
    dpi: float | None = None


def at(text: str, left: float, top: float, right: float, height: float = 20) -> Line:
    return Line(text, 0.9, ((left, top), (right, top), (right, top + height), (left, top + height)), ())


def of(*lines: Line) -> str:
    return markdown([Result(1, Page(1000, 1400, lines))])


BODY = [at(f"body text of line {n}", 50, 300 + 28 * n, 600) for n in range(3)]


def test_higher_lines_are_headings() -> None:
    found = of(at("Title", 50, 0, 300, 44), at("Chapter", 50, 100, 300, 34), at("Section", 50, 200, 300, 28), *BODY)
    assert found.splitlines()[:5] == ["# Title", "", "## Chapter", "", "### Section"]
    assert found.endswith("\n\nbody text of line 0\nbody text of line 1\nbody text of line 2\n")


def test_lists_are_lists() -> None:
    lines = (
        at("• one", 50, 0, 300),
        at("• two", 50, 28, 300),
        at("1) first", 50, 100, 300),
        at("2) second", 50, 128, 300),
    )
    assert of(*lines) == "- one\n- two\n\n1) first\n2) second\n"


def test_a_list_within_a_paragraph_begins_after_an_empty_line() -> None:
    assert of(at("Bring:", 50, 0, 300), at("- bread", 50, 28, 300), at("and more", 50, 56, 300)) == (
        "Bring:\n\n- bread\n  and more\n"
    )


def table(n_rows: int) -> list[Line]:
    cells = (("Item", "Count", "Price"), ("Milk|1", "2", "2,50"), ("Bread", "1", "3,10"), ("Tea", "12", "14,00"))
    return [
        at(text, 50 + 300 * column, 28 * row, 150 + 300 * column)
        for row, texts in enumerate(cells[:n_rows])
        for column, text in enumerate(texts)
    ]


def test_rows_with_the_same_columns_are_a_table() -> None:
    assert of(*table(4)) == (
        "| Item | Count | Price |\n| --- | --- | --- |\n"
        "| Milk\\|1 | 2 | 2,50 |\n| Bread | 1 | 3,10 |\n| Tea | 12 | 14,00 |\n"
    )


def test_two_rows_are_no_table() -> None:
    assert "---" not in of(*table(2))


def test_text_around_a_table_stays_text() -> None:
    moved = [at(line.text, line.quad[0][0], line.quad[0][1] + 100, line.quad[1][0]) for line in table(3)]
    found = of(at("Before.", 50, 60, 400), *moved, at("After.", 50, 200, 400))
    assert found.startswith("Before.\n\n| Item |")
    assert found.endswith("| Bread | 1 | 3,10 |\n\nAfter.\n")


def test_a_row_with_other_columns_ends_the_table() -> None:
    lines = [*table(3), at("this line goes across all of the columns", 50, 84, 750)]
    assert of(*lines).endswith("| Bread | 1 | 3,10 |\n\nthis line goes across all of the columns\n")


def test_words_found_apart_are_no_table() -> None:
    lines = [
        at(text, 50 + 110 * i, 28 * row, 150 + 110 * i) for row in range(4) for i, text in enumerate(("some", "words"))
    ]
    assert of(*lines) == "some words\n" * 4


def test_pages_are_divided_by_a_rule() -> None:
    results = [Result(n, Page(1000, 1400, (at(f"page {n}", 0, 0, 100),))) for n in (1, 2)]
    assert markdown(results) == "page 1\n\n---\n\npage 2\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# no heading", r"\# no heading"),
        ("#hash", r"\#hash"),
        ("- no item", r"\- no item"),
        ("+ no item", r"\+ no item"),
        ("1. no item", r"1\. no item"),
        ("2026) no item", r"2026\) no item"),
        ("=== no heading", r"\=== no heading"),
        ("--- no rule", r"\--- no rule"),
        ("> no quote", r"\> no quote"),
        ("`code`", r"\`code\`"),
        ("~~~", r"\~\~\~"),
        ("*a* _b_", r"\*a\* \_b\_"),
        ("[a](b) ![c](d)", r"\[a\](b) !\[c\](d)"),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("&lt; &#60;", r"\&lt; \&\#60;"),
        ("back\\slash\\", r"back\\slash\\"),
        ("a | b", r"a \| b"),
        ("$x$", r"\$x\$"),
        ("https://example.org www.example.org", r"https\://example.org www\.example.org"),
        ("a@example.org", "a&#64;example.org"),
        ("    no code", "no code"),
        ("a  \nb", "a b"),
        ("12.5 % of 3", "12.5 % of 3"),
        ("a-b, c (d).", "a-b, c (d)."),
    ],
)
def test_what_was_read_is_no_markup(text: str, expected: str) -> None:
    assert escaped(text) == expected

from ocr.outputs.paragraphs import Row, rows
from ocr.outputs.tables import split
from ocr.pages import Line, Page


def at(text: str, left: float, top: float, right: float) -> Line:
    return Line(text, 0.9, ((left, top), (right, top), (right, top + 20), (left, top + 20)), ())


def runs(*lines: Line) -> list[tuple[bool, int]]:
    found: list[Row] = list(rows(Page(1000, 1400, lines)))
    return [(is_table, len(run)) for is_table, run in split(found)]


def grid(n_rows: int, *columns: tuple[float, float], top: float = 0) -> list[Line]:
    return [at("x", left, top + 30 * row, right) for row in range(n_rows) for left, right in columns]


def test_three_rows_of_the_same_columns_are_a_table() -> None:
    assert runs(*grid(3, (50, 150), (400, 450))) == [(True, 3)]
    assert runs(*grid(2, (50, 150), (400, 450))) == [(False, 2)]


def test_columns_may_be_aligned_left_or_right() -> None:
    lines = [at("a", 50, 0, 150), at("1,00", 400, 0, 500), at("long name", 50, 30, 250), at("100,00", 350, 30, 500)]
    assert runs(*lines, at("c", 50, 60, 90), at("7", 480, 60, 500), at("d", 50, 90, 90), at("8", 480, 90, 500)) == [
        (True, 4)
    ]


def test_cells_that_would_join_two_columns_end_the_table() -> None:
    lines = [*grid(3, (50, 150), (400, 450)), at("wide", 50, 90, 420), at("y", 430, 90, 450)]
    assert runs(*lines) == [(True, 3), (False, 1)]


def test_text_before_and_after_is_told_apart() -> None:
    lines = [at("before", 50, 0, 500), *grid(3, (50, 150), (400, 450), top=30), at("after", 50, 150, 500)]
    assert runs(*lines) == [(False, 1), (True, 3), (False, 1)]


def test_nothing_is_no_table() -> None:
    assert runs() == []

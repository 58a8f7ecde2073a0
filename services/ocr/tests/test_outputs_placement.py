import pytest
from ocr.outputs.placement import Sheet, inherited, number
from pikepdf import Array, Dictionary, Page, Pdf


@pytest.mark.parametrize(
    ("rotate", "top_left", "bottom_right"),
    [(0, (10, 70), (40, 20)), (90, (10, 20), (40, 70)), (180, (40, 20), (10, 70)), (270, (40, 70), (10, 20))],
)
def test_the_corners_of_the_shown_page(
    rotate: int, top_left: tuple[float, float], bottom_right: tuple[float, float]
) -> None:
    sheet = Sheet((10, 20, 40, 70), rotate)
    assert (sheet.point(0, 0), sheet.point(1, 1)) == (top_left, bottom_right)


def test_what_stands_above_a_page_in_the_tree_holds_for_it() -> None:
    with Pdf.new() as pdf:
        above = pdf.make_indirect(Dictionary(MediaBox=Array([0, 0, 100, 200]), Rotate=90))
        page = pdf.make_indirect(Dictionary(Type=pdf.Root.Type, Parent=above))
        sheet = Sheet.of(Page(page))
        assert (sheet.box, sheet.rotate) == ((0, 0, 100, 200), 90)


def test_a_tree_that_runs_in_a_circle_ends() -> None:
    with Pdf.new() as pdf:
        node = pdf.make_indirect(Dictionary())
        node.Parent = node
        assert inherited(node, "/MediaBox") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.0, "1"), (-0.001, "0"), (1e-7, "0"), (1e9, "1000000000"), (12.345, "12.35"), (100, "100")],
)
def test_numbers_are_written_as_pdf_knows_them(value: float, expected: str) -> None:
    assert number(value, 2) == expected

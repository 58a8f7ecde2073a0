import pytest
from ocr.pages import Line, Page, Quad
from ocr.results import PageResult, content_box


def page(*quads: Quad) -> Page:
    return Page(100, 50, tuple(Line("a", 0.9, quad, ()) for quad in quads))


@pytest.mark.parametrize(
    ("quads", "box"),
    [
        ([], (0, 0, 0, 0)),
        ([((10.4, 5.6), (20.2, 6), (20, 9.1), (10, 9))], (10, 5, 11, 5)),
        ([((1, 1), (2, 1), (2, 2), (1, 2)), ((50, 30), (60, 30), (60, 40), (50, 40))], (1, 1, 59, 39)),
        ([((-3, -4), (120, -4), (120, 70), (-3, 70))], (0, 0, 100, 50)),
    ],
)
def test_the_box_holds_all_lines_and_stays_on_the_page(quads: list[Quad], box: tuple[int, ...]) -> None:
    assert content_box(page(*quads)) == box
    assert PageResult.of(1, page(*quads), 0.1).content_box == box

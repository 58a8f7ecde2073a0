"""Lines of writing, and what on a page is none."""

import numpy as np
import pytest
from digit.numbers.lines import MOST_MARKS, lines_of
from digit.preprocess import Ink, find_ink
from PIL import Image, ImageDraw


def page(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (400, 200), level: float = 1.0) -> Ink:
    """Returns a page with a filled box (left, top, right, bottom) for each mark."""
    grey = np.zeros(size[::-1], np.float32)
    for left, top, right, bottom in boxes:
        grey[top:bottom, left:right] = level
    return Ink(grey, grey > 0, 1.0)


LETTERS = [(20 + 40 * i, 50, 40 + 40 * i, 100) for i in range(5)]


def test_a_blank_page_has_no_line() -> None:
    assert lines_of(page()) == []


def test_marks_side_by_side_are_one_line() -> None:
    (line,) = lines_of(page(*LETTERS))
    assert line.box == (20, 50, 200, 100)
    assert line.tall == 50
    assert line.mask().sum() == 5 * 20 * 50


def test_a_line_may_climb_by_more_than_the_height_of_its_marks() -> None:
    climbing = [(20 + 40 * i, 120 - 20 * i, 40 + 40 * i, 160 - 20 * i) for i in range(6)]
    (line,) = lines_of(page(*climbing))
    assert line.box == (20, 20, 240, 160)


def test_the_line_with_the_most_ink_comes_first() -> None:
    first, second = lines_of(page((20, 10, 40, 60), *[(left, 120, right, 170) for left, _, right, _ in LETTERS]))
    assert first.box == (20, 120, 200, 170)
    assert second.box == (20, 10, 40, 60)


def test_marks_far_apart_are_two_lines() -> None:
    assert len(lines_of(page((10, 50, 30, 90), (360, 50, 380, 90)))) == 2


def test_a_small_stroke_above_or_below_belongs_to_its_line_and_one_far_away_does_not() -> None:
    (line,) = lines_of(page(*LETTERS, (60, 40, 80, 46), (100, 104, 106, 112), (20, 180, 30, 186)))
    assert line.box == (20, 40, 200, 112)


@pytest.mark.parametrize("bar", [(5, 110, 395, 114), (5, 40, 200, 44)])
def test_a_ruled_line_or_an_underline_is_left_out(bar: tuple[int, int, int, int]) -> None:
    (line,) = lines_of(page(*LETTERS, bar))
    assert line.box == (20, 50, 200, 100)


def test_a_long_number_whose_digits_all_touch_is_no_bar() -> None:
    picture = Image.new("L", (700, 120), 255)
    pen = ImageDraw.Draw(picture)
    for i in range(10):
        pen.ellipse((20 + 62 * i, 30, 84 + 62 * i, 90), outline=0, width=5)
    (line,) = lines_of(find_ink(picture, bound=1024))
    assert line.box[2] - line.box[0] > 600


def test_a_box_drawn_around_the_number_is_left_out() -> None:
    grey = page(*LETTERS).grey.copy()
    grey[20:130, 5:215] = np.maximum(grey[20:130, 5:215], 1)
    grey[24:126, 9:211] = page(*LETTERS).grey[24:126, 9:211]
    (line,) = lines_of(Ink(grey, grey > 0, 1.0))
    assert line.box == (20, 50, 200, 100)


def test_what_is_much_fainter_than_the_writing_is_left_out() -> None:
    grey = page(*LETTERS).grey + page((240, 50, 250, 100), level=0.5).grey
    (line,) = lines_of(Ink(grey, grey > 0, 1.0))
    assert line.box == (20, 50, 200, 100)


def test_of_a_page_full_of_specks_only_the_largest_marks_are_looked_at() -> None:
    grey = np.zeros((400, 400), np.float32)
    grey[::4, ::4] = 1
    grey[100:150, 100:121] = 1
    (line, *others) = lines_of(Ink(grey, grey > 0, 1.0))
    assert line.box[0] <= 100
    assert line.box[2] >= 121
    assert sum(len(np.flatnonzero(one.kept)) for one in (line, *others)) <= MOST_MARKS

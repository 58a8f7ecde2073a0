"""Marks cut into pieces."""

import numpy as np
from digit.numbers.lines import lines_of
from digit.numbers.pieces import cut
from digit.numbers.scaled import PAPER, Scaled, scaled
from digit.preprocess import find_ink
from PIL import Image, ImageDraw


def rings(count: int, apart: int) -> Scaled:
    """Returns a line of rings that are so many pixels apart, or overlap."""
    picture = Image.new("L", (count * (60 + max(apart, 0)) + 60, 120), 255)
    pen = ImageDraw.Draw(picture)
    for i in range(count):
        left = 20 + i * (50 + apart)
        pen.ellipse((left, 30, left + 49, 93), outline=0, width=6)
    ink = find_ink(picture)
    return scaled(ink.grey, lines_of(ink)[0])


def test_marks_that_need_no_cut_are_the_pieces_from_left_to_right() -> None:
    pieces = cut(rings(3, 10), [])
    assert len(pieces) == 3
    assert (np.diff(pieces.boxes[:, 0]) > 0).all()
    assert len(pieces.joints) == 0


def test_rings_that_touch_are_cut_into_pieces_with_seams_between_them() -> None:
    line = rings(2, -3)
    assert len(line.marks) == 1
    pieces = cut(line, [0])
    assert len(pieces) >= 2
    assert len(pieces.joints) == len(pieces.crossed) == len(pieces) - 1
    assert (pieces.joints[:, 0] < pieces.joints[:, 1]).all()
    assert pieces.crossed.max() < 4


def test_pieces_hold_all_ink_of_the_line_once() -> None:
    line = rings(2, -3)
    pieces = cut(line, [0])
    assert pieces.area.sum() == line.marks.area.sum()
    assert ((pieces.label != PAPER) == (line.label != PAPER)).all()
    for piece, (left, top, right, bottom) in enumerate(pieces.boxes):
        rows, columns = np.nonzero(pieces.label == piece)
        assert len(rows) == pieces.area[piece]
        assert (left, top, right, bottom) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_the_line_itself_is_not_changed() -> None:
    line = rings(2, -3)
    before = line.label.copy()
    cut(line, [0])
    assert (line.label == before).all()


def test_knows_between_which_pieces_a_seam_runs() -> None:
    pieces = cut(rings(2, -3), [0])
    assert all(pieces.parted_at(place) for place in range(1, len(pieces)))
    assert not cut(rings(3, 10), []).parted_at(1)

import numpy as np
import pytest
from ocr.pieces import joined, pieces_of
from ocr.postprocess import Character
from ocr.preprocess import MAX_LINE_WIDTH, scaled_width


def test_a_line_of_usual_length_stays_whole() -> None:
    line = np.zeros((30, 600, 3), np.uint8)
    (piece,) = pieces_of(line)
    assert piece.picture is line


def test_a_long_line_is_cut_where_there_is_no_ink() -> None:
    line = np.full((20, 4000, 3), 255, np.uint8)
    line[:, :, :] = np.where(np.arange(4000)[None, :, None] % 40 < 20, np.arange(20)[:, None, None] * 10, 255)
    pieces = pieces_of(line)
    assert len(pieces) > 1
    assert sum(piece.picture.shape[1] for piece in pieces) == 4000
    assert all(scaled_width(piece.picture) <= MAX_LINE_WIDTH for piece in pieces)
    assert all(round(piece.start * 4000) % 40 >= 20 for piece in pieces[1:])


def test_what_was_read_of_the_pieces_is_put_together() -> None:
    pieces = pieces_of(np.zeros((10, 4000, 3), np.uint8))
    read = joined(pieces, [(Character("x", 1.0, 0.5),)] * len(pieces))
    assert [character.centre for character in read] == pytest.approx(
        [piece.start + piece.share / 2 for piece in pieces]
    )

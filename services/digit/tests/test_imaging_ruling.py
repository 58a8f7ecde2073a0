"""Ruling goes, strokes stay."""

import numpy as np
from digit.imaging.ruling import without_ruling


def _blank() -> np.ndarray:
    return np.zeros((200, 240), np.bool_)


def _left(mask: np.ndarray) -> np.ndarray:
    return without_ruling(mask, mask.astype(np.float32) * 255)


def test_ruled_lines_go_and_a_crossing_stroke_stays() -> None:
    mask = _blank()
    mask[20::40] = True
    stroke = _blank()
    stroke[50:150, 100:112] = True
    left = _left(mask | stroke)
    assert (left & stroke).sum() == stroke.sum()
    assert (left & ~stroke).sum() < 150


def test_leaning_lines_go() -> None:
    mask = _blank()
    columns = np.arange(240)
    for row in (30, 70, 110, 150):
        mask[(row + columns * 0.06).astype(int), columns] = True
    stroke = _blank()
    stroke[60:140, 90:100] = True
    left = _left(mask | stroke)
    assert (left & ~stroke).sum() < 0.15 * mask.sum()
    assert (left & stroke).sum() == stroke.sum()


def test_a_box_around_the_writing_goes() -> None:
    mask = _blank()
    mask[10:190, 20:220] = True
    mask[14:186, 24:216] = False
    stroke = _blank()
    stroke[60:140, 100:112] = True
    assert (_left(mask | stroke) == stroke).all()


def test_the_foot_of_a_digit_is_no_ruling() -> None:
    mask = _blank()
    mask[170:178, 40:200] = True
    mask[20:178, 110:120] = True
    mask[20:60, 80:118] = True
    assert (_left(mask) == mask).all()


def test_a_lone_stroke_is_no_ruling() -> None:
    mask = _blank()
    mask[:, 100:104] = True
    assert (_left(mask) == mask).all()


def test_an_empty_ruled_page_is_empty() -> None:
    mask = _blank()
    mask[10::30] = True
    assert not _left(mask).any()

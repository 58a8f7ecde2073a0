"""Cuts through a blot of ink."""

import numpy as np
from digit.numbers.seams import seams
from PIL import Image, ImageDraw

STROKE = 6.0
TALL = 64.0


def rings(overlap: int) -> np.ndarray:
    """Returns two rings side by side that overlap by some pixels (64, 2 * 50 - overlap)."""
    picture = Image.new("L", (100 - overlap, 64), 0)
    pen = ImageDraw.Draw(picture)
    for left in (0, 50 - overlap):
        pen.ellipse((left, 0, left + 49, 63), outline=255, width=int(STROKE))
    return np.asarray(picture, np.float32) / 255


def sides(ink: np.ndarray, columns: np.ndarray) -> float:
    """Returns the share of the ink left of a seam."""
    left = np.arange(ink.shape[1]) < columns[:, None]
    return float((ink * left).sum() / ink.sum())


def test_a_cheap_seam_parts_two_rings_that_touch() -> None:
    ink = rings(overlap=1)
    found = seams(ink, TALL, STROKE, 0.0)
    apart = [abs(sides(ink, columns) - 0.5) for columns in found.columns]
    best = int(np.argmin(apart))
    assert apart[best] < 0.08
    assert found.crossed[best] < 4 * STROKE


def test_seams_run_from_left_to_right_with_ink_between_them() -> None:
    ink = rings(overlap=2)
    shares = [sides(ink, columns) for columns in seams(ink, TALL, STROKE, 0.0).columns]
    assert len(shares) > 2
    assert np.diff([0, *shares, 1]).min() > 0.02


def test_a_seam_moves_one_column_a_row_at_most() -> None:
    found = seams(rings(overlap=2), TALL, STROKE, 0.0)
    assert np.abs(np.diff(found.columns, axis=1)).max() <= 1


def test_seams_lean_between_leaning_strokes_without_crossing_ink() -> None:
    ink = np.zeros((64, 90), np.float32)
    for row in range(64):
        for start in (50, 75):
            ink[row, start - row // 2 : start - row // 2 + 6] = 1
    crossed = [min(seams(ink, TALL, STROKE, lean).crossed) for lean in (0.0, 0.5)]
    assert crossed[1] == 0 < crossed[0]


def test_a_solid_block_is_not_cut() -> None:
    assert len(seams(np.ones((64, 60), np.float32), TALL, STROKE, 0.0).columns) == 0


def test_what_is_narrower_than_a_stroke_is_not_cut() -> None:
    assert len(seams(np.ones((64, 5), np.float32), TALL, STROKE, 0.0).columns) == 0

"""A line of writing at a bounded size."""

import numpy as np
import pytest
from digit.numbers.lines import lines_of
from digit.numbers.scaled import PAPER, TALL, Scaled, scaled
from digit.preprocess import find_ink
from PIL import Image, ImageOps
from train.strokes import generator
from train.written_numbers import Style, drawn, write


def line_of(text: str, seed: int = 1, **style: tuple[float, float]) -> tuple[Scaled, Image.Image]:
    picture = ImageOps.invert(write(generator(seed, "train"), text, drawn("train"), Style(**style)))
    ink = find_ink(picture, bound=1024)
    return scaled(ink.grey, lines_of(ink)[0]), picture


@pytest.mark.parametrize(("tall_px", "tall"), [((200, 201), TALL), ((30, 31), 30)])
def test_tall_writing_is_reduced_and_small_writing_stays(tall_px: tuple[int, int], tall: float) -> None:
    line, _ = line_of("4711", tall_px=tall_px)
    assert line.tall == pytest.approx(tall, rel=0.15)
    assert line.ink.max() == pytest.approx(1)


def test_every_pixel_of_ink_has_the_number_of_its_mark() -> None:
    line, _ = line_of("205")
    for mark in range(len(line.marks)):
        rows, columns = np.nonzero(line.label == mark)
        assert len(rows) == line.marks.area[mark]
        assert (rows.min(), columns.min()) == (line.marks.top[mark], line.marks.left[mark])
        assert (rows.max() + 1, columns.max() + 1) == (line.marks.bottom[mark], line.marks.right[mark])
    assert (line.label == PAPER).sum() + line.marks.area.sum() == line.label.size


@pytest.mark.parametrize("tall_px", [(40, 41), (150, 151)])
def test_knows_where_on_the_page_its_pixels_lie(tall_px: tuple[float, float]) -> None:
    line, picture = line_of("17174", tall_px=tall_px)
    rows, columns = np.nonzero(line.ink > 0.9)
    x = (line.corner[0] + line.scale * (columns + 0.5)).astype(int)
    y = (line.corner[1] + line.scale * (rows + 0.5)).astype(int)
    assert (np.asarray(picture)[y, x] < 128).mean() > 0.95


def test_a_hairline_stays_ink_when_it_is_reduced() -> None:
    line, _ = line_of("8", tall_px=(300, 301), pen=(0.005, 0.006))
    assert len(line.marks)
    assert line.marks.area.max() > 60


def test_knows_the_width_of_the_pen() -> None:
    thin, _ = line_of("2580", pen=(0.05, 0.051))
    thick, _ = line_of("2580", pen=(0.15, 0.151))
    assert 2 < thick.stroke / thin.stroke < 4


@pytest.mark.parametrize("slant_deg", [(-20, -19), (19, 20)])
def test_knows_how_far_the_writing_leans(slant_deg: tuple[float, float]) -> None:
    line, _ = line_of("1714171", slant_deg=slant_deg)
    assert line.lean == pytest.approx(np.tan(np.deg2rad(slant_deg[0])), abs=0.15)

import math

import numpy as np
import pytest
from ocr.geometry import Quad
from ocr.layout import reading_order


def box(x: float, y: float, width: float, height: float = 20) -> Quad:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


def turned(quads: list[Quad], degrees: float) -> list[Quad]:
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return [(quad @ np.array([[cosine, sine], [-sine, cosine]])).astype(np.float32) for quad in quads]


# A headline over two columns of running text, a line across both, and a foot of two columns again.
NEWSPAPER = [
    box(0, 0, 620, 40),
    *[box(0, 60 + 30 * i, 300) for i in range(4)],
    *[box(320, 60 + 30 * i, 300) for i in range(4)],
    box(0, 190, 620),
    *[box(0, 220 + 30 * i, 295) for i in range(3)],
    *[box(320, 225 + 30 * i, 300) for i in range(3)],
]
# Names to the left, prices to the right.
RECEIPT = [each for i in range(8) for each in (box(0, 30 * i, 160), box(420, 30 * i + 3, 60))]
SHUFFLES = range(3)


def order_of(quads: list[Quad], seed: int) -> list[int]:
    """Returns the reading order of the lines after they were shuffled, as indices into `quads`."""
    places = np.random.default_rng(seed).permutation(len(quads)).tolist()
    return [places[i] for i in reading_order([quads[place] for place in places])]


@pytest.mark.parametrize("seed", SHUFFLES)
@pytest.mark.parametrize("degrees", [0, 2, -2, 90, 180, 270])
@pytest.mark.parametrize("page", [NEWSPAPER, RECEIPT], ids=["newspaper", "receipt"])
def test_columns_are_read_one_by_one_and_receipts_across(page: list[Quad], degrees: float, seed: int) -> None:
    assert order_of(turned(page, degrees), seed) == list(range(len(page)))


@pytest.mark.parametrize("seed", SHUFFLES)
def test_three_columns(seed: int) -> None:
    page = [box(220 * column, 30 * row, 200) for column in range(3) for row in range(5)]
    assert order_of(page, seed) == list(range(15))


@pytest.mark.parametrize("seed", SHUFFLES)
def test_a_table_of_short_cells_is_read_row_by_row(seed: int) -> None:
    page = [box(150 * column, 40 * row + column % 2, 80) for row in range(6) for column in range(4)]
    assert order_of(page, seed) == list(range(24))


def test_no_lines_have_no_order() -> None:
    assert reading_order([]) == []


def test_every_line_is_there_once_whatever_the_places() -> None:
    chance = np.random.default_rng(5)
    page = [box(*chance.uniform(0, 500, 2), *chance.uniform(5, 300, 2)) for _ in range(120)]
    assert sorted(reading_order(page)) == list(range(120))

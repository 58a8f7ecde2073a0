import math

import pytest
from ocr.pdf import quads

BOX = (10.0, 20.0, 110.0, 40.0)


@pytest.mark.parametrize(
    ("angle", "top_left", "top_right"),
    [(0, (10, 20), (110, 20)), (90, (110, 20), (110, 40)), (180, (110, 40), (10, 40)), (270, (10, 40), (10, 20))],
)
def test_a_box_begins_at_the_texts_own_top_left(
    angle: float, top_left: tuple[float, float], top_right: tuple[float, float]
) -> None:
    quad = quads.of_box(BOX, angle)
    assert quad[:2] == (top_left, top_right)
    assert set(quad) == {(10, 20), (110, 20), (110, 40), (10, 40)}


def around(x: float, y: float, width: float, height: float, angle: float) -> tuple[float, float, float, float]:
    """Returns the upright box around a slanted rectangle with that middle."""
    c, s = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
    half_x, half_y = (width * c + height * s) / 2, (width * s + height * c) / 2
    return x - half_x, y - half_y, x + half_x, y + half_y


@pytest.mark.parametrize("angle", [20, 70, 160, 250, 340])
def test_slanted_text_is_found_again_out_of_the_boxes_around_its_letters(angle: float) -> None:
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    first, last = around(100, 100, 8, 20, angle), around(100 + 50 * cosine, 100 + 50 * sine, 12, 20, angle)
    a, b, c, d = quads.slanted(first, last, angle)
    assert math.dist(a, b) == pytest.approx(50 + 4 + 6)
    assert (math.dist(b, c), math.dist(a, d)) == (pytest.approx(20), pytest.approx(20))
    assert math.atan2(b[1] - a[1], b[0] - a[0]) % math.tau == pytest.approx(math.radians(angle))


def test_at_45_degrees_a_letter_is_taken_for_half_as_wide_as_high() -> None:
    box = around(100, 100, 10, 20, 45)
    a, b, c, _ = quads.slanted(box, box, 45)
    assert (math.dist(a, b), math.dist(b, c)) == (pytest.approx(10), pytest.approx(20))


def test_a_line_is_the_least_quadrilateral_around_its_words() -> None:
    one = quads.of_box((10, 20, 50, 40), 0)
    two = quads.of_box((60, 18, 90, 38), 0)
    assert quads.of_line([one, two], 0) == ((10, 18), (90, 18), (90, 40), (10, 40))

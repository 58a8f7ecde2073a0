"""Quadrilaterals of text that may run in any direction."""

import math
from collections.abc import Sequence

from ocr.pages import Point, Quad
from ocr.pdf.engine import Box

STEEP = 0.1  # sines and cosines below it divide badly


def is_right(angle: float) -> bool:
    """Whether text in that direction fills an upright box."""
    return angle % 90 == 0


def of_box(box: Box, angle: float) -> Quad:
    """Returns a box's corners from the text's own top left on, as it reads; the angle is a right one."""
    quarters = int(angle // 90)
    left, top, right, bottom = box
    a, b, c, d = (left, top), (right, top), (right, bottom), (left, bottom)
    if quarters == 0:
        return a, b, c, d
    return ((b, c, d, a), (c, d, a, b), (d, a, b, c))[quarters - 1]


def slanted(first: Box, last: Box, angle: float) -> Quad:
    """Returns the quadrilateral of slanted text, out of the upright boxes around its first and its last letter."""
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    starts, height = _extent(first, cosine, sine)
    ends, _ = _extent(last, cosine, sine)
    (x0, y0), (x1, y1) = _centre(first), _centre(last)
    x0, y0 = x0 - cosine * starts / 2, y0 - sine * starts / 2
    x1, y1 = x1 + cosine * ends / 2, y1 + sine * ends / 2
    dx, dy = -sine * height / 2, cosine * height / 2  # from the middle to the text's own bottom
    return (x0 - dx, y0 - dy), (x1 - dx, y1 - dy), (x1 + dx, y1 + dy), (x0 + dx, y0 + dy)


def _extent(box: Box, cosine: float, sine: float) -> tuple[float, float]:
    """Returns width w and height h of the slanted rectangle in a box that is w cos + h sin wide, w sin + h cos high."""
    width, height = box[2] - box[0], box[3] - box[1]
    c, s = abs(cosine), abs(sine)
    if abs(c * c - s * s) < STEEP:  # about 45 degrees the two equations say the same: a letter is about half as wide
        side = (width + height) / (c + s) / 1.5
        return side / 2, side
    w = (width * c - height * s) / (c * c - s * s)
    return max(0.0, w), max(0.0, (height - s * w) / c if c > s else (width - c * w) / s)


def around(first: Box, last: Box) -> Box:
    return min(first[0], last[0]), min(first[1], last[1]), max(first[2], last[2]), max(first[3], last[3])


def _centre(box: Box) -> Point:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def of_line(quads: Sequence[Quad], angle: float) -> Quad:
    """Returns the least quadrilateral in that direction around all of these."""
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    points = [point for quad in quads for point in quad]
    along = [x * cosine + y * sine for x, y in points]
    across = [y * cosine - x * sine for x, y in points]
    u0, u1, v0, v1 = min(along), max(along), min(across), max(across)

    def corner(u: float, v: float) -> Point:
        return u * cosine - v * sine, u * sine + v * cosine

    return corner(u0, v0), corner(u1, v0), corner(u1, v1), corner(u0, v1)

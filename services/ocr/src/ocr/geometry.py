"""Quadrilaterals around lines of text, and the pictures within them."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (h, w, 3) blue, green, red
Quad = NDArray[np.float32]  # (4, 2) corners x, y: top left of the text, then clockwise as it reads

VERTICAL = 1.5  # PP-OCR: a crop this many times as high as wide is a line that runs downwards
HALF = np.float32(0.5)


def sides(quad: Quad) -> tuple[float, float]:
    """Returns the width and height of a quadrilateral: the longer one of each two opposite sides."""
    top, right, bottom, left = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    return float(max(top, bottom)), float(max(left, right))


def whole(picture: Picture) -> Quad:
    """Returns the quadrilateral of the picture's own corners."""
    height, width = picture.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def lying(quad: Quad) -> Quad:
    """Returns the corners with the text's own top left first where the box stands on end.

    Whether such a line reads downwards or upwards is not known yet: it is taken to read downwards, as PP-OCR does.
    """
    width, height = sides(quad)
    return np.roll(quad, -1, axis=0) if height >= VERTICAL * width else quad


def turned(quad: Quad) -> Quad:
    """Returns the corners of the same place for text that stands on its head."""
    return np.roll(quad, 2, axis=0)


def on_its_side(picture: Picture, turn: int) -> Picture:
    """Returns the picture turned clockwise by 90 or 270 degrees."""
    return cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE if turn == 90 else cv2.ROTATE_90_COUNTERCLOCKWISE).astype(
        np.uint8, copy=False
    )


def turned_back(quad: Quad, turn: int, picture: Picture) -> Quad:
    """Returns the place in the picture of what was found in `on_its_side(picture, turn)`."""
    height, width = picture.shape[:2]
    x, y = quad[:, 0], quad[:, 1]
    return np.column_stack((y, height - x) if turn == 90 else (width - y, x)).astype(np.float32)


def cut(picture: Picture, quad: Quad) -> Picture:
    """Returns what is within the quadrilateral, straightened so that its first side is on top."""
    width, height = (max(1, round(side)) for side in sides(quad))
    x, y = quad[0]
    straight = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)
    if np.array_equal(straight, quad) and x == int(x) and y == int(y):
        return picture[int(y) : int(y) + height, int(x) : int(x) + width]
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    # OpenCV counts from the centre of the first pixel, a quadrilateral from its corner.
    transform = cv2.getPerspectiveTransform(quad - HALF, target - HALF)
    straightened: Picture = cv2.warpPerspective(
        picture, transform, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8, copy=False)
    return straightened


def within(quad: Quad, from_left: float, to_left: float) -> Quad:
    """Returns the part of a line between two shares of its width, 0 being its left end and 1 its right one."""
    top_left, top_right, bottom_right, bottom_left = quad
    top, bottom = top_right - top_left, bottom_right - bottom_left
    left, right = from_left, to_left
    ends = (top_left + left * top, top_left + right * top, bottom_left + right * bottom, bottom_left + left * bottom)
    return np.array(ends, np.float32)

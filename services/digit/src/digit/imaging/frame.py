"""The MNIST frame: the digit's longer side 20 pixels, its centre of mass at the centre of 28 × 28."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digit.imaging.components import Mask
from digit.imaging.pen import thickened

SIDE = 28
DIGIT_SIDE = 20  # MNIST: "size normalized to fit in a 20x20 pixel box while preserving their aspect ratio"
FINE = 3  # times the digit's size, in which the pen is looked at
CENTRE = 14  # MNIST: the mean pixel index of every image rounds to 14

Plane = NDArray[np.float32]  # (h, w) in [0, 1]
STEPS = np.arange(2048, dtype=np.float32)


def box_of(mask: Mask) -> tuple[int, int, int, int]:
    """Returns (left, top, right, bottom), the last two exclusive, of a mask that is not empty."""
    rows, columns = np.asarray(mask.any(axis=1)), np.asarray(mask.any(axis=0))
    return (
        int(columns.argmax()),
        int(rows.argmax()),
        len(columns) - int(columns[::-1].argmax()),
        len(rows) - int(rows[::-1].argmax()),
    )


def frame(grey: Plane, mask: Mask) -> Plane:
    """Returns (28, 28): the masked ink of `grey` (h, w), 0 paper and 1 ink, sized and centred as MNIST has it."""
    left, top, right, bottom = box_of(mask)
    area = slice(top, bottom), slice(left, right)
    return _centred(_sized(np.where(grown(mask[area]), grey[area], np.float32(0))))


def grown(mask: Mask) -> Mask:
    """Adds one pixel all around: the fringe of a stroke is ink too."""
    across = mask.copy()
    across[:, 1:] |= mask[:, :-1]
    across[:, :-1] |= mask[:, 1:]
    around = across.copy()
    around[1:] |= across[:-1]
    around[:-1] |= across[1:]
    return around


def _sized(crop: Plane) -> Plane:
    if max(crop.shape) >= FINE * DIGIT_SIDE:
        crop = thickened(resized(crop, FINE * DIGIT_SIDE), DIGIT_SIDE)
    small = resized(crop, DIGIT_SIDE)
    peak = float(small.max())
    return small * np.float32(1 / peak) if 0 < peak < 1 else small


def resized(crop: Plane, longer: int) -> Plane:
    """Brings the longer side to that many pixels: by area where it shrinks, else by cubic interpolation."""
    height, width = crop.shape
    now = max(height, width)
    if now == longer:
        return crop
    size = max(1, round(width * longer / now)), max(1, round(height * longer / now))
    how = Image.Resampling.BOX if longer < now else Image.Resampling.BICUBIC
    sized: Plane = np.clip(np.asarray(Image.fromarray(crop).resize(size, how)), 0, 1)
    return sized


def _centred(small: Plane) -> Plane:
    height, width = small.shape
    down, across = small.sum(axis=1), small.sum(axis=0)
    total = float(down.sum()) or 1.0
    row, column = float(down @ STEPS[:height]) / total, float(across @ STEPS[:width]) / total
    top = min(max(round(CENTRE - row), 0), SIDE - height)
    left = min(max(round(CENTRE - column), 0), SIDE - width)
    pixels = np.zeros((SIDE, SIDE), np.float32)
    pixels[top : top + height, left : left + width] = small
    return pixels

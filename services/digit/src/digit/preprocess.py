"""From any picture of a handwritten digit to what the networks were trained on: 28 × 28, white ink on black."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digit.imaging.components import Mask
from digit.imaging.frame import SIDE, Plane, box_of, frame, grown
from digit.imaging.grey import grey_of
from digit.imaging.ink import Writing, writing
from digit.imaging.parts import digit_of, is_block

__all__ = ["BOUND", "SIDE", "Ink", "Prepared", "find_ink", "frame", "prepare", "prepare_grey"]

BOUND = 480  # px: a picture whose longer side is decoded no smaller than this loses nothing
WORKED_ON = 600  # px: the longer side, at most, of what the work is done on
LEAST_OF_TILE = 0.3  # of a tile's longer side, that a digit in it has


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture as the networks want it."""

    pixels: NDArray[np.float32]  # (28, 28) in [0, 1], white ink on black
    has_ink: bool  # False: a blank page; the pixels are zero
    box: tuple[int, int, int, int]  # x, y, width, height of the digit in the given picture's pixels


@dataclass(frozen=True, eq=False)
class Ink:
    """A picture with all but the writing removed."""

    grey: Plane  # (h, w) ink 1, paper 0
    mask: Mask  # (h, w)
    scale: float  # picture pixels per array pixel


def prepare(picture: Image.Image) -> Prepared:
    """Finds the digit in an upright picture of any size and mode and frames it."""
    found, factor = _written(picture, WORKED_ON)
    if not found.keep.any():
        return Prepared(np.zeros((SIDE, SIDE), np.float32), has_ink=False, box=(0, 0, 0, 0))
    mask = found.mask(digit_of(found.parts, found.keep))
    left, top, right, bottom = box_of(mask)
    box = _scaled((left, top, right, bottom), factor, picture.size)
    if is_block(mask[top:bottom, left:right]):
        inner = _inside(picture, box)
        if inner is not None:
            return inner
    return Prepared(frame(found.level, mask), has_ink=True, box=box)


def _inside(picture: Image.Image, box: tuple[int, int, int, int]) -> Prepared | None:
    """Returns the digit in a block of another tone, such as a dark tile on a white page, if there is one."""
    x, y, width, height = box
    rim = 1 + min(width, height) // 40
    tile = prepare(picture.crop((x + rim, y + rim, x + width - rim, y + height - rim)))
    if not tile.has_ink or max(tile.box[2:]) < LEAST_OF_TILE * max(width, height):
        return None
    return replace(tile, box=(tile.box[0] + x + rim, tile.box[1] + y + rim, *tile.box[2:]))


def _scaled(edges: tuple[int, int, int, int], factor: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (edge * factor for edge in edges)
    return left, top, min(right, size[0]) - left, min(bottom, size[1]) - top


def prepare_grey(grey: NDArray[np.uint8]) -> Prepared:
    """Does what `prepare` does to a grey picture (h, w); it is MNIST's way in too."""
    return prepare(Image.fromarray(grey))


def find_ink(picture: Image.Image, *, bound: int = BOUND) -> Ink:
    """Returns the writing alone: light, paper, ruling and specks removed; the longer side at most `bound` pixels."""
    found, factor = _written(picture, bound)
    mask = found.mask(found.keep)
    return Ink(np.where(grown(mask), found.level, np.float32(0)), mask, float(factor))


def _written(picture: Image.Image, bound: int) -> tuple[Writing, int]:
    """Returns the writing, and how many of the picture's pixels make one of its own."""
    factor = -(-max(picture.size) // bound)
    return writing(grey_of(picture.reduce(factor) if factor > 1 else picture)), factor

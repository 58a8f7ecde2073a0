"""From a picture, or a region of it, to what the networks read: a square of 224 × 224 px, whatever its aspect."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cars.recognition import Box

SIDE = 224
BOUND = 640  # px, at least, of the longer side of a reduced picture: a car over a quarter of it is as fine as a crop
GAP = 1.5  # a picture is first reduced by a whole factor to no less than so many times what is wanted: faster by half

Pixels = NDArray[np.uint8]  # (n, side, side, 3)


def squashed(picture: Image.Image, box: Box | None = None, side: int = SIDE) -> Pixels:
    """Returns a region of an RGB picture, or all of it, as (1, side, side, 3)."""
    corners = None if box is None else (box.x, box.y, box.x + box.width, box.y + box.height)
    square = picture.resize((side, side), Image.Resampling.BICUBIC, box=corners, reducing_gap=GAP)
    return np.asarray(square)[None]


def mirrored(pixels: Pixels) -> Pixels:
    """Returns the pictures (n, h, w, 3) with left and right exchanged."""
    return pixels[:, :, ::-1]

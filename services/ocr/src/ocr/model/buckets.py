"""The few shapes that a GPU gets to see: its compiler makes a program for each one, which takes minutes."""

import numpy as np

from ocr.preprocess import LINE_HEIGHT, MAX_LINE_WIDTH, STRIDE, Size, Tensor

LINE_WIDTHS = (96, 160, 240, 320, 480, 640, 960, 1280, 1920, 2560, MAX_LINE_WIDTH)
# Widths and heights for the detector: pages and photographs of the usual proportions, and lines.
DETECTOR_SIZES = (
    (320, 320),
    (640, 640),
    (1056, 736),
    (736, 1056),
    (1312, 736),
    (736, 1312),
    (1600, 1152),
    (1152, 1600),
    (1600, 1600),
    (2272, 1120),
    (1120, 2272),
    (3488, 736),
    (736, 3488),
)


def line_width(width: int) -> int:
    """Returns the least width that holds a line."""
    return next(bucket for bucket in LINE_WIDTHS if bucket >= width)


def detector_size(size: Size) -> Size:
    """Returns the size of least area that holds a picture; raises ValueError for one that was not `fitted`."""
    return min((each for each in DETECTOR_SIZES if _holds(each, size)), key=lambda each: each[0] * each[1])


def fitted(size: Size) -> Size:
    """Returns a picture's size, made smaller where no bucket holds it."""
    if any(_holds(each, size) for each in DETECTOR_SIZES):
        return size
    scale = max(min(width / size[0], height / size[1]) for width, height in DETECTOR_SIZES)
    width, height = (max(STRIDE, int(side * scale) // STRIDE * STRIDE) for side in size)
    return width, height


def _holds(bucket: Size, size: Size) -> bool:
    return bucket[0] >= size[0] and bucket[1] >= size[1]


def padded(tensor: Tensor, width: int, height: int = LINE_HEIGHT) -> Tensor:
    """Returns (…, height, width), grey to the right and below."""
    below, right = height - tensor.shape[-2], width - tensor.shape[-1]
    return np.pad(tensor, [(0, 0)] * (tensor.ndim - 2) + [(0, below), (0, right)])

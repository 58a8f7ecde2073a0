"""From pictures to what the networks take: sizes, margins, and numbers between -1 and 1."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ocr.geometry import Picture

Tensor = NDArray[np.float32]
Size = tuple[int, int]  # width, height

STRIDE = 32  # of the detector: both sides are multiples of it
LINE_HEIGHT = 48
CLASSIFIER_WIDTH = 192
MIN_LINE_WIDTH = 16
MAX_LINE_WIDTH = 3200  # about 130 characters; a longer line is read in pieces
MAX_ENLARGEMENT = 6.0  # of a line's width; nothing can be read in one that is lower than 8 pixels

# A text that touches the border of its picture is not found by the detector: a tight crop gets a margin.
TIGHT_HEIGHT, TIGHT_PIXELS, TIGHT_ASPECT = 96, 40_000, 8.0
MARGIN = 0.5  # of the shorter side
MIN_MARGIN = 16  # pixels

# PP-OCR enlarges every picture to 736 pixels on its shorter side, a plate of 94 × 24 to 2944 × 736.
SHORTER_SIDE = 736
MAX_PIXELS = 1440 * 1440  # the network takes 140 bytes of memory for each, with floats 270


@dataclass(frozen=True, eq=False)
class DetectorInput:
    """The detector's tensor (1, 3, h, w), and how its coordinates become the picture's."""

    tensor: Tensor
    width: int  # of the picture with its margin
    height: int
    margin: int


def picture_of(image: Image.Image) -> Picture:
    """Returns any image as (h, w, 3) BGR; a transparent one lies on the paper that its ink stands out from."""
    if image.has_transparency_data:
        planes = np.asarray(image.convert("RGBA"))
        colours = _on_paper(planes) if planes[..., 3].min() < 255 else planes[..., :3]
    else:
        colours = np.asarray(_eight_bits(image).convert("RGB"))
    return np.ascontiguousarray(colours[..., ::-1])


def detector_size(width: int, height: int, *, enlarge: bool) -> Size:
    """Returns width and height, multiples of STRIDE: enlarged to SHORTER_SIDE if asked, at most MAX_PIXELS."""
    scale = max(1.0, SHORTER_SIDE / min(width, height)) if enlarge else 1.0
    scale = min(scale, math.sqrt(MAX_PIXELS / (width * height)))
    return _multiple(width * scale), _multiple(height * scale)


def detector_input(
    picture: Picture, shrink: float = 1.0, fitted: Callable[[Size], Size] | None = None
) -> DetectorInput:
    """Returns the picture in a size at which its text can be found, times `shrink`, and made smaller by `fitted`."""
    margin = margin_of(picture)
    framed = _with_margin(picture, margin) if margin else picture
    height, width = framed.shape[:2]
    size = detector_size(width, height, enlarge=not margin)
    if shrink < 1:
        size = _multiple(size[0] * shrink), _multiple(size[1] * shrink)
    size = fitted(size) if fitted else size
    return DetectorInput(normalised(cv2.resize(framed, size))[None], width, height, margin)


def margin_of(picture: Picture) -> int:
    """Returns the width of the margin that a tight crop needs; 0 for every other picture."""
    height, width = picture.shape[:2]
    shorter, longer = sorted((height, width))
    if shorter >= TIGHT_HEIGHT and longer < TIGHT_ASPECT * shorter and height * width >= TIGHT_PIXELS:
        return 0
    return max(MIN_MARGIN, int(MARGIN * shorter))


def scaled_width(line: Picture) -> int:
    """Returns how wide a straightened line is at LINE_HEIGHT, however wide that is."""
    height, width = map(int, line.shape[:2])
    return max(MIN_LINE_WIDTH, math.ceil(width * min(LINE_HEIGHT / height, MAX_ENLARGEMENT)))


def line_width(line: Picture) -> int:
    """Returns the width of what the recogniser sees of a line; a longer line would have been cut in pieces."""
    return min(MAX_LINE_WIDTH, scaled_width(line))


def line_input(line: Picture, full_width: int) -> Tensor:
    """Returns (3, 48, full_width) of a straightened line, grey to its right where it is narrower."""
    return _padded(line, line_width(line), full_width)


def classifier_input(lines: Sequence[Picture]) -> Tensor:
    """Returns (n, 3, 48, 192): the lines, those that are longer squeezed, as PP-OCR's classifier has learnt them."""
    widths = [min(CLASSIFIER_WIDTH, line_width(line)) for line in lines]
    return np.stack([_padded(line, width, CLASSIFIER_WIDTH) for line, width in zip(lines, widths, strict=True)])


def normalised(picture: NDArray[Any]) -> Tensor:
    """Returns (3, h, w) from -1 to 1."""
    tensor: Tensor = np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)
    tensor *= np.float32(2 / 255)
    tensor -= 1
    return tensor


def _padded(line: Picture, width: int, full_width: int) -> Tensor:
    tensor = np.zeros((3, LINE_HEIGHT, full_width), np.float32)
    tensor[:, :, :width] = normalised(cv2.resize(line, (width, LINE_HEIGHT)))
    return tensor


def _with_margin(picture: Picture, margin: int) -> Picture:
    """Surrounds the picture with the colour of its own border."""
    border = np.concatenate((picture[0], picture[-1], picture[:, 0], picture[:, -1]))
    colour = tuple(float(level) for level in np.median(border, axis=0))
    framed: Picture = cv2.copyMakeBorder(
        picture, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=colour
    ).astype(np.uint8, copy=False)
    return framed


def _multiple(side: float) -> int:
    return max(STRIDE, round(side / STRIDE) * STRIDE)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Returns pictures of 16 or 32 bits a pixel in 8, which Pillow would only cut off at 255."""
    if not image.mode.startswith(("I", "F")):
        return image
    levels = np.asarray(image, np.float32)
    low, high = float(levels.min()), float(levels.max())
    full = 65535.0 if image.mode.startswith("I;16") or high > 255 else 255.0
    low, high = (0.0, full) if low >= 0 and high <= full else (low, high)
    return Image.fromarray(((levels - low) * (255 / max(high - low, 1))).astype(np.uint8))


def _on_paper(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Puts a picture (h, w, 4) on white where what it shows is dark, else on black."""
    share = planes[..., 3:].astype(np.float32) / 255
    light = planes[..., :3].mean(axis=2, dtype=np.float32)
    shown = float((light * share[..., 0]).sum()) / max(1.0, float(share.sum()))
    paper = np.float32(255 if shown < 128 else 0)
    mixed = planes[..., :3] * share + paper * (1 - share)
    on_paper: NDArray[np.uint8] = (mixed + 0.5).astype(np.uint8)
    return on_paper

"""Digits that are not MNIST: strokes and fonts, by many pens, on canvases of many sizes and on photographed paper."""

import numpy as np
from digit.preprocess import Prepared, prepare, prepare_grey
from numpy.typing import NDArray
from PIL import Image

from train import fonts, strokes
from train.data import Digits
from train.strokes import photographs

SHARE_FONTS = 0.25
SHARE_PHOTOGRAPHS = 0.2
SHORTEST, LONGEST = 24, 360  # pixels of a canvas's side
FINEST_PEN, BROADEST_PEN = 0.02, 0.2  # of the side: from a hairline to a felt pen


def make(n: int, seed: int, share_fonts: float = SHARE_FONTS) -> Digits:
    """Returns n prepared digits (n, 28, 28), as many of each; the templates are those of the training split."""
    rng = strokes.generator(seed, "train")
    pixels: list[NDArray[np.uint8]] = []
    while len(pixels) < n:
        prepared = _one(rng, len(pixels) % 10, share_fonts)
        if prepared.has_ink:
            pixels.append(np.rint(prepared.pixels * 255).astype(np.uint8))
    return Digits(np.stack(pixels), np.arange(n) % 10)


def _one(rng: np.random.Generator, digit: int, share_fonts: float) -> Prepared:
    if rng.random() < share_fonts:
        return prepare_grey(fonts.drawn(str(digit), rng, held=False))
    cover = drawn(rng, strokes.digit(rng, digit, "train"))
    return prepare(photographed(rng, cover)) if rng.random() < SHARE_PHOTOGRAPHS else prepare(cover)


def drawn(rng: np.random.Generator, lines: strokes.Strokes) -> Image.Image:
    """Draws strokes with some pen on a canvas of some size: white on black, mode L."""
    side = round(float(np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST)))))
    width_px = max(1.0, side * float(np.exp(rng.uniform(np.log(FINEST_PEN), np.log(BROADEST_PEN)))))
    pressure = strokes.pressures(rng, lines, 0.3) if rng.random() < 0.5 else None
    return strokes.cover(lines, (side, side), width_px=width_px, antialias=rng.random() < 0.7, pressure=pressure)


def prepared_cover(cover: Image.Image) -> NDArray[np.uint8]:
    """Returns a drawing (28, 28) as the networks get it."""
    return np.rint(prepare(cover).pixels * 255).astype(np.uint8)


def photographed(rng: np.random.Generator, cover: Image.Image) -> Image.Image:
    """Puts the ink on paper and takes a picture of it under uneven light; RGB."""
    large = cover.resize((200, 200), Image.Resampling.BICUBIC)
    shade = int(rng.integers(150, 250))
    paper = photographs.sheet(rng, large.size, (shade, shade, shade - int(rng.integers(0, 30))), rng.uniform(0, 4))
    ink = (int(rng.integers(0, 90)),) * 3
    picture = photographs.inked(paper, large, ink, rng.uniform(0.6, 1))
    picture = photographs.lit(rng, picture, strength=rng.uniform(0, 0.5))
    return photographs.shot(rng, picture, blur_px=rng.uniform(0, 1.5), noise=rng.uniform(0, 5))

"""What can be done to a picture of a digit so that it stays the same digit.

A picture is taken apart into ink, pen and paper; the variations change one of them and leave the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Colour = tuple[int, int, int]

LARGEST = 600  # pixels of the longer side of what is made
SEEN = 64  # of 255: what counts as ink where its edge is looked for
LEAST_STROKE = 2.5  # pixels; a thinner one made thinner falls to pieces
MOST_AT_ONCE = 3


@dataclass(frozen=True, eq=False)
class Sketch:
    """A picture taken apart."""

    ink: Image.Image  # mode L: 255 is full ink, 0 is paper
    pen: Colour
    paper: Colour
    noise: float = 0.0  # standard deviation in grey levels
    quality: int | None = None  # of JPEG; None: PNG


def sketch_of(grey: NDArray[np.uint8]) -> Sketch:
    """Takes grey levels (h, w) apart: paper is what the border mostly is, the pen what differs most from it."""
    border = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    paper = int(np.median(border))
    away = grey.astype(np.int16) - paper
    span = int(away.flat[np.abs(away).argmax()]) or (255 if paper < 128 else -255)  # a blank page has no span
    ink = np.clip(away * (255 / span), 0, 255).astype(np.uint8)
    return Sketch(Image.fromarray(ink), (paper + span,) * 3, (paper,) * 3)


def varied(sketch: Sketch, random: Generator) -> tuple[Sketch, list[str]]:
    """Applies one to three variations; returns what came of it and their names."""
    chosen = random.choice(list(VARIATIONS), size=random.integers(1, MOST_AT_ONCE + 1), replace=False).tolist()
    names = [name for name in VARIATIONS if name in chosen]
    for name in names:
        sketch = VARIATIONS[name](sketch, random)
    return sketch, names


def picture_of(sketch: Sketch, random: Generator) -> Image.Image:
    """Puts the sketch together: mode L where pen and paper are grey, else RGB."""
    ink = np.asarray(sketch.ink, np.float32)[..., np.newaxis] / 255  # (h, w, 1)
    pixels = ink * np.array(sketch.pen, np.float32) + (1 - ink) * np.array(sketch.paper, np.float32)
    if len({*sketch.pen}) == len({*sketch.paper}) == 1:
        pixels = pixels[..., 0]
    if sketch.noise:
        pixels = pixels + random.normal(0, sketch.noise, pixels.shape)
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))


def _shift(sketch: Sketch, random: Generator) -> Sketch:
    left, top, right, bottom = _box(sketch.ink)
    width, height = sketch.ink.size
    dx = random.uniform(-min(left, 0.15 * width), min(width - right, 0.15 * width))
    dy = random.uniform(-min(top, 0.15 * height), min(height - bottom, 0.15 * height))
    moved = sketch.ink.transform(
        sketch.ink.size, Image.Transform.AFFINE, (1, 0, -dx, 0, 1, -dy), Image.Resampling.BICUBIC
    )
    return replace(sketch, ink=moved)


def _rotation(sketch: Sketch, random: Generator) -> Sketch:
    angle = random.choice((-1, 1)) * random.uniform(4, 15)
    return replace(sketch, ink=sketch.ink.rotate(angle, Image.Resampling.BICUBIC, expand=True))


def _scale(sketch: Sketch, random: Generator) -> Sketch:
    """Draws the digit smaller on a sheet of the same size."""
    width, height = sketch.ink.size
    factor = random.uniform(0.6, 0.9)
    small = sketch.ink.resize((max(1, round(width * factor)), max(1, round(height * factor))), Image.Resampling.BOX)
    sheet = Image.new("L", sketch.ink.size)
    sheet.paste(small, ((width - small.width) // 2, (height - small.height) // 2))
    return replace(sketch, ink=sheet)


def _size(sketch: Sketch, random: Generator) -> Sketch:
    """More pixels for the same picture."""
    factor = min(random.uniform(1.5, 6), LARGEST / max(sketch.ink.size))
    width, height = (max(1, round(side * factor)) for side in sketch.ink.size)
    return replace(sketch, ink=sketch.ink.resize((width, height), Image.Resampling.BICUBIC))


def _stroke(sketch: Sketch, random: Generator) -> Sketch:
    """Moves the edge of the ink outwards or inwards: a blur of a quarter of the stroke, cut at another level."""
    width = _stroke_width(sketch.ink)
    blurred = sketch.ink.filter(ImageFilter.GaussianBlur(0.25 * width))
    thinner = width >= LEAST_STROKE and random.random() < 0.5
    level = random.uniform(0.6, 0.7) if thinner else random.uniform(0.2, 0.35)
    highest = float(np.asarray(blurred).max())
    steep = [min(255, max(0, round((value - level * highest) * 3 + 127.5))) for value in range(256)]
    return replace(sketch, ink=blurred.point([0, *steep[1:]]))


def _blur(sketch: Sketch, random: Generator) -> Sketch:
    radius = random.uniform(0.1, 0.3) * _stroke_width(sketch.ink)
    return replace(sketch, ink=sketch.ink.filter(ImageFilter.GaussianBlur(radius)))


def _polarity(sketch: Sketch, _random: Generator) -> Sketch:
    return replace(sketch, pen=sketch.paper, paper=sketch.pen)


def _colour(sketch: Sketch, random: Generator) -> Sketch:
    dark, light = (_any_colour(random, *levels) for levels in ((0, 100), (180, 256)))
    pen, paper = (dark, light) if sum(sketch.pen) < sum(sketch.paper) else (light, dark)
    return replace(sketch, pen=pen, paper=paper)


def _any_colour(random: Generator, low: int, high: int) -> Colour:
    red, green, blue = random.integers(low, high, 3).tolist()
    return red, green, blue


def _noise(sketch: Sketch, random: Generator) -> Sketch:
    return replace(sketch, noise=random.uniform(3, 12))


def _jpeg(sketch: Sketch, random: Generator) -> Sketch:
    return replace(sketch, quality=int(random.integers(25, 81)))


def _box(ink: Image.Image) -> tuple[int, int, int, int]:
    found = ink.point([0] * SEEN + [255] * (256 - SEEN)).getbbox()
    return found or (0, 0, *ink.size)


def _stroke_width(ink: Image.Image) -> float:
    """Returns about how many pixels wide the strokes are: twice the area by the length of the edge."""
    levels = np.asarray(ink, np.float32)
    down, across = np.gradient(np.pad(levels, 1))
    edge = float(np.hypot(down, across).sum())
    return 2 * float(levels.sum()) / edge if edge else 0.0


# In the order in which a picture comes about: the drawing, the paper, the camera, the file.
VARIATIONS: dict[str, Callable[[Sketch, Generator], Sketch]] = {
    "shift": _shift,
    "rotation": _rotation,
    "scale": _scale,
    "size": _size,
    "stroke": _stroke,
    "blur": _blur,
    "polarity": _polarity,
    "colour": _colour,
    "noise": _noise,
    "jpeg": _jpeg,
}

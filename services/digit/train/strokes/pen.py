"""Draws strokes as a pen would."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from train.strokes.curves import Strokes

Colour = tuple[int, int, int]
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
FINEST = 4  # sub-pixels per pixel, each way
MOST_SUBPIXELS = 2_000_000


def pressures(rng: np.random.Generator, strokes: Strokes, strength: float) -> list[NDArray[np.float64]]:
    """Returns for each stroke the relative pen width (k,) along it, slowly changing around 1."""
    return [
        1 + strength * np.sin(np.linspace(0, rng.uniform(2, 7), len(points)) + rng.uniform(0, 2 * np.pi))
        for points in strokes
    ]


def draw(
    strokes: Strokes,
    size: tuple[int, int],
    *,
    width_px: float,
    box: tuple[float, float, float, float] | None = None,
    ink: Colour = BLACK,
    paper: Colour | None = WHITE,
    antialias: bool = True,
    pressure: Sequence[NDArray[np.float64]] | None = None,
) -> Image.Image:
    """Draws unit-box strokes into `box` (x, y, width, height) of a picture; RGBA where `paper` is None, else RGB.

    Without a box they fill the middle, four fifths of the shorter side. The proportions of the strokes are kept.
    """
    coverage = cover(strokes, size, width_px=width_px, box=box, antialias=antialias, pressure=pressure)
    if paper is None:
        picture = Image.new("RGBA", size, (*ink, 0))
        picture.putalpha(coverage)
        return picture
    return Image.composite(Image.new("RGB", size, ink), Image.new("RGB", size, paper), coverage)


def cover(
    strokes: Strokes,
    size: tuple[int, int],
    *,
    width_px: float,
    box: tuple[float, float, float, float] | None = None,
    antialias: bool = True,
    pressure: Sequence[NDArray[np.float64]] | None = None,
) -> Image.Image:
    """Draws as `draw` does, into a mask (mode L) of how much of each pixel the ink covers."""
    fine = _fineness(size) if antialias else 1
    canvas = Image.new("L", (size[0] * fine, size[1] * fine), 0)
    pen = ImageDraw.Draw(canvas)
    x, y, width, height = box or _middle(size)
    scale = min(width, height)
    origin = np.array([x + (width - scale) / 2, y + (height - scale) / 2])
    for i, points in enumerate(strokes):
        widths = width_px * (pressure[i] if pressure else np.ones(len(points)))
        _trace(pen, (points * scale + origin) * fine, widths * fine)
    return canvas.reduce(fine) if fine > 1 else canvas


def _middle(size: tuple[int, int]) -> tuple[float, float, float, float]:
    side = 0.8 * min(size)
    return (size[0] - side) / 2, (size[1] - side) / 2, side, side


def _fineness(size: tuple[int, int]) -> int:
    return max(1, min(FINEST, int((MOST_SUBPIXELS / (size[0] * size[1])) ** 0.5)))


def _trace(pen: ImageDraw.ImageDraw, points: NDArray[np.float64], widths: NDArray[np.float64]) -> None:
    """Draws a polyline of pixels (k, 2) with a round pen of widths (k,)."""
    for start, end, width in zip(points[:-1], points[1:], widths[1:], strict=True):
        pen.line((*start.tolist(), *end.tolist()), fill=255, width=max(1, round(width)))
    for (x, y), width in zip(points.tolist(), widths.tolist(), strict=True):
        if width >= 2:
            half = width / 2 - 0.5
            pen.ellipse((x - half, y - half, x + half, y + half), fill=255)

"""Variety in batches: what pens, hands, screens and cameras do to a digit after the preprocessing.

NumPy alone, so that both frameworks train on the same stream; 160 pictures cost about 6 ms, 4 % of a training step.
Elastic distortion after Simard, Steinkraus and Platt, "Best practices for convolutional neural networks" (ICDAR 2003),
with a coarse random grid in place of the smoothed noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SIDE = 28
GRID = 5  # control points a side of the elastic field
PADDING = 1


@dataclass(frozen=True)
class Strength:
    """How far each change goes, in pixels, degrees or shares; the middle of each range changes nothing."""

    rotation_deg: float = 15.0
    slant: float = 0.25
    aspect: float = 1.35  # widths from 1/1.35 to 1.35
    scale: float = 1.15
    shift_px: float = 1.6
    elastic_px: float = 1.3
    share_pen: float = 0.4  # of the pictures get another stroke width
    share_soft: float = 0.45  # … are blurred, or of low resolution
    share_tone: float = 0.5  # … have another gamma and contrast
    share_noise: float = 0.12
    share_erased: float = 0.12


STRONG = Strength()
MILD = Strength(9.0, 0.15, 1.15, 1.1, 1.2, 0.9, 0.15, 0.15, 0.25, 0.0, 0.06)


def augment(pixels: Array, rng: np.random.Generator, strength: Strength = STRONG) -> Array:
    """Returns a changed copy of pixels (n, 28, 28) in [0, 1]."""
    pictures = _warped(pixels, rng, strength)
    pictures = _another_pen(pictures, rng, strength.share_pen)
    pictures = _softened(pictures, rng, strength.share_soft)
    pictures = _toned(pictures, rng, strength.share_tone)
    pictures = _noisy(pictures, rng, strength.share_noise)
    return _erased(pictures, rng, strength.share_erased)


def _uniform(rng: np.random.Generator, n: int, reach: float) -> Array:
    return rng.uniform(-reach, reach, (n, 1, 1)).astype(np.float32)


def _warped(pixels: Array, rng: np.random.Generator, strength: Strength) -> Array:
    n = len(pixels)
    angle = np.deg2rad(_uniform(rng, n, strength.rotation_deg))
    slant = _uniform(rng, n, strength.slant)
    wide = np.exp(_uniform(rng, n, np.log(strength.aspect)))
    scale = np.exp(_uniform(rng, n, np.log(strength.scale)))
    y, x = np.meshgrid(*[np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2] * 2, indexing="ij")
    turned_x = np.cos(angle) * x + np.sin(angle) * y
    turned_y = np.cos(angle) * y - np.sin(angle) * x
    source_x = (turned_x + slant * turned_y) / (scale * wide) + _elastic(rng, n, strength)
    source_y = turned_y / scale + _elastic(rng, n, strength)
    return _sampled(pixels, source_y + (SIDE - 1) / 2, source_x + (SIDE - 1) / 2)


def _elastic(rng: np.random.Generator, n: int, strength: Strength) -> Array:
    """Returns displacements (n, 28, 28) in pixels: a coarse grid, smoothly enlarged, and one shift of the whole."""
    size = rng.uniform(0, strength.elastic_px, (n, 1, 1))
    grid = (rng.standard_normal((n, GRID, GRID)) * size * 0.6).astype(np.float32)
    bends: Array = _ENLARGE @ grid @ _ENLARGE.T
    return bends + _uniform(rng, n, strength.shift_px)


def _sampled(pixels: Array, y: Array, x: Array) -> Array:
    """Returns pixels (n, 28, 28) read bilinearly at y and x; outside is black."""
    n, padded_side = len(pixels), SIDE + 2 * PADDING
    padded = np.pad(pixels, ((0, 0), (PADDING, PADDING), (PADDING, PADDING))).ravel()
    y = np.clip(y + PADDING, 0, padded_side - 1.001)
    x = np.clip(x + PADDING, 0, padded_side - 1.001)
    top, left = y.astype(np.int32), x.astype(np.int32)
    down, right = y - top.astype(np.float32), x - left.astype(np.float32)
    corner = top * padded_side + left + (np.arange(n, dtype=np.int32) * padded_side**2)[:, None, None]
    upper = padded[corner] * (1 - right) + padded[corner + 1] * right
    corner += padded_side
    lower = padded[corner] * (1 - right) + padded[corner + 1] * right
    result: Array = upper * (1 - down) + lower * down
    return result


def _another_pen(pictures: Array, rng: np.random.Generator, share: float) -> Array:
    """Thickens or thins the strokes of a share of pictures (n, 28, 28), by up to a pixel a side."""
    chosen = rng.random(len(pictures)) < share
    some = pictures[chosen]
    amount = _uniform(rng, len(some), 1.0)
    padded = np.pad(some, ((0, 0), (1, 1), (1, 1)))
    around = [padded[:, y : y + SIDE, x : x + SIDE] for y, x in ((1, 2), (2, 1), (1, 0), (0, 1))]
    thick = np.maximum.reduce([some, *around])
    thin = np.minimum(some, np.sort(around, axis=0)[1])  # the second least neighbour: a line of 1 px survives
    pictures[chosen] = some + np.where(amount > 0, amount * (thick - some), -amount * (thin - some))
    return pictures


def _softened(pictures: Array, rng: np.random.Generator, share: float) -> Array:
    """Blurs a share of pictures, or shows them as a lower resolution would."""
    chosen = np.flatnonzero(rng.random(len(pictures)) < share)
    filters = _FILTERS[rng.integers(len(_FILTERS), size=len(chosen))]
    pictures[chosen] = filters @ pictures[chosen] @ filters.transpose(0, 2, 1)
    return pictures


def _toned(pictures: Array, rng: np.random.Generator, share: float) -> Array:
    chosen = np.flatnonzero(rng.random(len(pictures)) < share)
    n = len(chosen)
    gamma = np.exp(_uniform(rng, n, 0.5))
    gain = rng.uniform(0.8, 1.6, (n, 1, 1)).astype(np.float32)
    pictures[chosen] = np.minimum(gain * np.clip(pictures[chosen], 0, 1) ** gamma, 1)
    return pictures


def _noisy(pictures: Array, rng: np.random.Generator, share: float) -> Array:
    chosen = np.flatnonzero(rng.random(len(pictures)) < share)
    size = rng.uniform(0, 0.12, (len(chosen), 1, 1))
    noise = (rng.standard_normal((len(chosen), SIDE, SIDE)) * size).astype(np.float32)
    pictures[chosen] = np.clip(pictures[chosen] + noise, 0, 1)
    return pictures


def _erased(pictures: Array, rng: np.random.Generator, share: float) -> Array:
    """Blacks out a rectangle of 3 to 7 px a side, so that no single part of a digit decides."""
    for i in np.flatnonzero(rng.random(len(pictures)) < share):
        height, width = rng.integers(3, 8, 2)
        top, left = rng.integers(4, 24 - height), rng.integers(4, 24 - width)
        pictures[i, top : top + height, left : left + width] = 0
    return pictures


def _enlarging() -> Array:
    """Returns (28, GRID): cubic B-spline weights of the control points for each pixel."""
    position = np.linspace(0, GRID - 1, SIDE)[:, None]
    distance = np.abs(position - np.arange(GRID))
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    weights = np.where(distance < 1, near, far)
    shares: Array = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def _filters() -> Array:
    """Returns (k, 28, 28): Gaussian blurs of 0.4 to 1.1 px, and reductions to 10…18 px and back."""
    offset = np.arange(SIDE)[:, None] - np.arange(SIDE)
    blurs = [np.exp(-(offset**2) / (2 * sigma**2)) for sigma in (0.4, 0.5, 0.6, 0.7, 0.9, 1.1)]
    blurs = [blur / blur.sum(axis=1).max() for blur in blurs]
    return np.stack([*blurs, *(_reduced(side) for side in (10, 11, 12, 13, 14, 16, 18))]).astype(np.float32)


def _reduced(side: int) -> NDArray[np.float64]:
    """Returns (28, 28): the mean over each of `side` cells, and back, by nearest neighbour (even) or linearly (odd)."""
    edges = np.arange(side + 1) * SIDE / side
    pixel = np.arange(SIDE)
    overlap = np.clip(np.minimum(pixel + 1, edges[1:, None]) - np.maximum(pixel, edges[:-1, None]), 0, None)
    down = overlap * side / SIDE  # (side, 28)
    centre = (pixel + 0.5) * side / SIDE - 0.5
    distance = np.abs(centre[:, None] - np.arange(side))
    up = np.clip(1 - distance, 0, 1) if side % 2 else (distance <= 0.5).astype(np.float64)
    product: NDArray[np.float64] = (up / up.sum(axis=1, keepdims=True)) @ down
    return product


_ENLARGE = _enlarging()
_FILTERS = _filters()

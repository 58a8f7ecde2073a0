"""Writes numbers of several digits with the strokes of train.strokes, as one hand would."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from train.strokes import Hand, Split, Strokes, cover, digit, pressures

Mask = NDArray[np.uint8]  # (h, w) how much of each pixel the ink covers, 0 to 255
Span = tuple[float, float]

SOLID = 96  # covered more than this is ink where the distance of two digits is measured
WIDEST = 1.0  # of the height: a digit that would be wider is made smaller
MARGIN = 0.6  # of the height: paper on each side


@dataclass(frozen=True)
class Style:
    """How a number is written; lengths in heights of a digit unless they say pixels."""

    tall_px: Span = (50, 110)
    pen: Span = (0.06, 0.11)
    gap: Span = (0.08, 0.3)  # between the nearest ink of neighbours
    touching: float = 0.0  # share of the neighbours that are joined
    overlap_px: Span = (1, 4)  # where they are
    slant_deg: Span = (-6, 6)  # of the whole number
    vary: float = 0.06  # standard deviation of the logarithm of the digits' heights
    drift: float = 0.03  # standard deviation of the steps that the baseline takes
    climb: float = 0.03  # standard deviation of the slope of the baseline


def write(rng: np.random.Generator, text: str, split: Split, style: Style) -> Image.Image:
    """Writes the digits of `text`; returns how much of each pixel the ink covers (mode L)."""
    return Image.fromarray(write_apart(rng, text, split, style).max(axis=0))


def write_apart(rng: np.random.Generator, text: str, split: Split, style: Style) -> NDArray[np.uint8]:
    """Writes as `write` does; returns the digits' covers (n, h, w), each on a plane of its own."""
    tall = rng.uniform(*style.tall_px)
    pen = max(1.5, tall * rng.uniform(*style.pen))
    slant = float(np.tan(np.deg2rad(rng.uniform(*style.slant_deg))))
    climb = rng.normal(0, style.climb)
    placed: list[tuple[int, int, Mask]] = []
    drift, middle = 0.0, 0
    canvas_tall = round(4 * tall + len(text) * tall)
    reached = np.full(canvas_tall, -(10**6))  # (h,) in each row the last column of ink
    baseline = canvas_tall / 2
    for label in text:
        height = tall * float(np.exp(rng.normal(0, style.vary)))
        mask = _glyph(rng, int(label), split, height, pen, slant)
        drift = 0.7 * drift + tall * rng.normal(0, style.drift)
        top = round(baseline + drift - climb * middle - mask.shape[0])
        left = max(middle, _beside(rng, reached, mask, top, tall, style))
        middle = left + mask.shape[1] // 2
        _reach(reached, mask, top, left)
        placed.append((left, top, mask))
    return _composed(placed, round(MARGIN * tall))


def _glyph(rng: np.random.Generator, label: int, split: Split, height: float, pen: float, slant: float) -> Mask:
    """Returns one digit, its ink tight in the mask."""
    strokes = _sheared(digit(rng, label, split, Hand(slant=0.05, turn_deg=3.0)), slant)
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (height - pen) / max(float(high[1] - low[1]), float(high[0] - low[0]) / WIDEST)
    size = (high - low) * scale + 2 * pen + 2
    side = float(size.max())
    unit = [((points - low) * scale + pen) / side for points in strokes]
    whole = (int(np.ceil(size[0])), int(np.ceil(size[1])))
    pressure = pressures(rng, strokes, 0.15)
    mask = np.asarray(cover(unit, whole, width_px=pen, box=(0, 0, side, side), pressure=pressure))
    rows, columns = np.flatnonzero(mask.max(axis=1)), np.flatnonzero(mask.max(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _sheared(strokes: Strokes, slant: float) -> Strokes:
    return [points - np.stack((slant * points[:, 1], np.zeros(len(points))), axis=1) for points in strokes]


def _beside(
    rng: np.random.Generator, reached: NDArray[np.int_], mask: Mask, top: int, tall: float, style: Style
) -> int:
    """Returns the column of a digit that keeps its distance to the ink so far, or overlaps it by a few pixels."""
    first = _first(mask)
    rows = np.flatnonzero(first >= 0)
    near = np.array([reached[max(0, top + row - 2) : top + row + 3].max() for row in rows])
    contact = int((near + 1 - first[rows]).max())
    if contact < -(10**5):
        return 0
    if rng.random() < style.touching:
        return contact - round(rng.uniform(*style.overlap_px))
    return contact + max(1, round(tall * rng.uniform(*style.gap)))


def _first(mask: Mask) -> NDArray[np.int_]:
    """Returns the first column of ink in each row (h,), -1 where there is none."""
    solid = mask > SOLID
    return np.where(solid.any(axis=1), solid.argmax(axis=1), -1)


def _reach(reached: NDArray[np.int_], mask: Mask, top: int, left: int) -> None:
    solid = mask > SOLID
    last = mask.shape[1] - 1 - solid[:, ::-1].argmax(axis=1)
    rows = np.flatnonzero(solid.any(axis=1))
    reached[top + rows] = np.maximum(reached[top + rows], left + last[rows])


def _composed(placed: list[tuple[int, int, Mask]], margin: int) -> NDArray[np.uint8]:
    left = min(x for x, _, _ in placed) - margin
    top = min(y for _, y, _ in placed) - margin
    right = max(x + mask.shape[1] for x, _, mask in placed) + margin
    bottom = max(y + mask.shape[0] for _, y, mask in placed) + margin
    planes = np.zeros((len(placed), bottom - top, right - left), np.uint8)
    for plane, (x, y, mask) in zip(planes, placed, strict=True):
        plane[y - top : y - top + mask.shape[0], x - left : x - left + mask.shape[1]] = mask
    return planes

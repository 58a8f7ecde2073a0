"""Writes numbers of several digits as one hand would: side by side, joined, leaning, on a baseline that drifts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from train.data import Digits
from train.strokes import Hand, Split, Strokes, cover, digit, letter, pressures

Rng = np.random.Generator
Mask = NDArray[np.uint8]  # (h, w) how much of each pixel the ink covers, 0 to 255
Columns = NDArray[np.int_]
Span = tuple[float, float]

LETTER = "?"
MARKS: dict[str, tuple[Strokes, float]] = {  # strokes, and how far they end above the baseline, in heights of a digit
    ".": ([np.array([[0, 0], [0.02, 0.02]])], 0.0),
    ",": ([np.array([[0.07, 0], [0.07, 0.08], [0, 0.2]])], -0.12),
    "-": ([np.array([[0, 0.02], [0.4, 0]])], 0.45),
}
SOLID = 96  # covered more than this is ink where the distance of two digits is measured
NOWHERE = -(10**6)
WIDEST = 1.0  # of the height: a digit that would be wider is made smaller
MARGIN = 0.6  # of the height: paper on each side


@dataclass(frozen=True)
class Style:
    """How a number is written; lengths in heights of a digit unless they say pixels."""

    tall_px: Span = (50, 110)
    pen: Span = (0.06, 0.11)
    gap: Span = (0.08, 0.3)  # between the nearest ink of neighbours
    touching: float = 0.0  # how often a digit is joined to the one before
    chains: bool = False  # whether that one may be joined as well
    overlap_px: Span = (1, 4)  # where they are
    slant_deg: Span = (-6, 6)  # of the whole number
    vary: float = 0.06  # standard deviation of the logarithm of the digits' heights
    drift: float = 0.03  # standard deviation of the steps that the baseline takes
    climb: float = 0.03  # standard deviation of the slope of the baseline


class Pen(NamedTuple):
    """What the digits of one number have in common."""

    tall: float  # pixels
    width: float  # pixels
    slant: float  # tangent


class Glyph(NamedTuple):
    """One digit or mark, its ink tight in the mask, and how far it ends above the baseline in pixels."""

    mask: Mask
    rise: float = 0.0


Hands = Callable[[Rng, str, Pen], Glyph]  # writes one character


def drawn(split: Split) -> Hands:
    """Writes with the strokes of a split: digits, the marks of MARKS, and LETTER for any letter."""

    def write_one(rng: Rng, character: str, pen: Pen) -> Glyph:
        if character in MARKS:
            strokes, rise = MARKS[character]
            return Glyph(_inked(rng, [points * pen.tall for points in strokes], pen.width), rise * pen.tall)
        hand = Hand(slant=0.05, turn_deg=3.0)
        strokes = letter(rng, split, hand) if character == LETTER else digit(rng, int(character), split, hand)
        return Glyph(_inked(rng, _sized(strokes, pen), pen.width))

    return write_one


def pasted(digits: Digits) -> Hands:
    """Takes pictures of digits instead, those of MNIST, each as it was written."""

    def paste_one(rng: Rng, character: str, pen: Pen) -> Glyph:
        rows = np.flatnonzero(digits.labels == int(character))
        picture = _tight(digits.pixels[rng.choice(rows)])
        width = max(1, round(picture.shape[1] * pen.tall / picture.shape[0]))
        enlarged = Image.fromarray(picture).resize((width, round(pen.tall)), Image.Resampling.BICUBIC)
        return Glyph(_tight(np.asarray(enlarged)))

    return paste_one


def _sized(strokes: Strokes, pen: Pen) -> Strokes:
    """Returns strokes in pixels, leaning, as high as the pen's ink may be."""
    leaning = [points - np.stack((pen.slant * points[:, 1], np.zeros(len(points))), axis=1) for points in strokes]
    width, height = np.ptp(np.concatenate(leaning), axis=0)
    scale = (pen.tall - pen.width) / max(float(height), float(width) / WIDEST)
    return [points * scale for points in leaning]


def _inked(rng: Rng, strokes: Strokes, width: float) -> Mask:
    """Draws strokes (pixels)."""
    points = np.concatenate(strokes)
    low, size = points.min(axis=0), np.ptp(points, axis=0) + 2 * width + 2
    side = float(size.max())
    unit = [(points - low + width) / side for points in strokes]
    whole = (int(np.ceil(size[0])), int(np.ceil(size[1])))
    pressure = pressures(rng, strokes, 0.15)
    return _tight(np.asarray(cover(unit, whole, width_px=width, box=(0, 0, side, side), pressure=pressure)))


def _tight(mask: Mask) -> Mask:
    rows, columns = np.flatnonzero(mask.max(axis=1)), np.flatnonzero(mask.max(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def write(rng: Rng, text: str, hands: Hands, style: Style) -> Image.Image:
    """Writes the characters of `text`; returns how much of each pixel the ink covers (mode L)."""
    return Image.fromarray(write_apart(rng, text, hands, style).max(axis=0))


def write_apart(rng: Rng, text: str, hands: Hands, style: Style) -> NDArray[np.uint8]:
    """Writes as `write` does; returns what each character covers (n, h, w)."""
    tall = rng.uniform(*style.tall_px)
    width = max(1.5, tall * rng.uniform(*style.pen))
    slant = float(np.tan(np.deg2rad(rng.uniform(*style.slant_deg))))
    climb = rng.normal(0, style.climb)
    reached = np.full(round((4 + len(text)) * tall), NOWHERE)  # (h,) the last column of ink in each row so far
    placed: list[tuple[int, int, Mask]] = []
    drift, middle, joined = 0.0, 0, False
    for character in text:
        height = tall * float(np.exp(rng.normal(0, style.vary)))
        mask, rise = hands(rng, character, Pen(height, width, slant))
        drift = 0.7 * drift + tall * rng.normal(0, style.drift)
        top = round(len(reached) / 2 + drift - climb * middle - rise - mask.shape[0])
        joined = bool(placed) and rng.random() < style.touching and (style.chains or not joined)
        left = max(middle, _beside(rng, reached, mask, top, tall, style, joined=joined))
        middle = left + mask.shape[1] // 2
        _reach(reached, mask, top, left)
        placed.append((left, top, mask))
    return _composed(placed, round(MARGIN * tall))


def _beside(rng: Rng, reached: Columns, mask: Mask, top: int, tall: float, style: Style, *, joined: bool) -> int:
    """Returns the column of a digit that keeps its distance to the ink so far, or overlaps it by a few pixels."""
    solid = mask > SOLID
    rows = np.flatnonzero(solid.any(axis=1))
    near = np.array([reached[max(0, top + row - 2) : top + row + 3].max() for row in rows])
    contact = int((near + 1 - solid.argmax(axis=1)[rows]).max())
    if joined:
        return contact - round(rng.uniform(*style.overlap_px))
    return contact + max(1, round(tall * rng.uniform(*style.gap)))


def _reach(reached: Columns, mask: Mask, top: int, left: int) -> None:
    solid = mask > SOLID
    last = mask.shape[1] - 1 - solid[:, ::-1].argmax(axis=1)
    rows = np.flatnonzero(solid.any(axis=1))
    reached[top + rows] = np.maximum(reached[top + rows], left + last[rows])


def _composed(placed: list[tuple[int, int, Mask]], margin: int) -> NDArray[np.uint8]:
    left, top = min(x for x, _, _ in placed) - margin, min(y for _, y, _ in placed) - margin
    right = max(x + mask.shape[1] for x, _, mask in placed) + margin
    bottom = max(y + mask.shape[0] for _, y, mask in placed) + margin
    planes = np.zeros((len(placed), bottom - top, right - left), np.uint8)
    for plane, (x, y, mask) in zip(planes, placed, strict=True):
        plane[y - top : y - top + mask.shape[0], x - left : x - left + mask.shape[1]] = mask
    return planes

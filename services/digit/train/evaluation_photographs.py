"""Photographed and scanned notes: sheets, ruling, pencil, boards, and light that is uneven or cut by a shadow."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from train.evaluation_drawings import Rng, colour, placed, written
from train.strokes import Colour, cover, pressures
from train.strokes.photographs import inked, jpeg, lit, png, rule, seen_askew, sheet, shot

SHADOW_EDGES = 1 / 300, 1 / 3  # of the longer side: how wide the edge of a shadow is
SHADOW_LIGHT = 0.35, 0.6  # what a shadow leaves of the light


def _noted(rng: Rng, label: int, paper: Image.Image, ink: Colour, density: float, least: float = 0.15) -> Image.Image:
    """Writes the digit onto paper with a pen of common width."""
    strokes = written(rng, label)
    box = placed(rng, paper.size, least, 0.7)
    pen = box[2] * np.exp(rng.uniform(np.log(0.025), np.log(0.12)))
    mask = cover(strokes, paper.size, width_px=pen, box=box, pressure=pressures(rng, strokes, 0.2))
    return inked(paper, mask, ink, density)


def _camera(rng: Rng, picture: Image.Image, strength: float) -> Image.Image:
    lighted = lit(rng, picture, strength=strength)
    return shot(rng, lighted, blur_px=rng.uniform(0.3, 1.6), noise=rng.uniform(1, 7))


def _format(rng: Rng) -> tuple[int, int]:
    width = int(rng.integers(480, 1300))
    return (width, int(width * 1.33)) if rng.random() < 0.5 else (int(width * 1.33), width)


def photographs(rng: Rng, label: int) -> bytes:
    """A note photographed by hand: desk, shadow, slope of light, perspective, blur, noise, JPEG."""
    size = _format(rng)
    paper = sheet(rng, size, colour(rng, (0.8, 0.98), (0, 0.12)), rng.uniform(0.5, 3))
    note = _noted(rng, label, paper, colour(rng, (0, 0.4)), rng.uniform(0.7, 1))
    desk = sheet(rng, size, colour(rng, (0.15, 0.6), (0.1, 0.6)), rng.uniform(2, 8)) if rng.random() < 0.4 else None
    seen = seen_askew(rng, note, rng.uniform(0, 0.06), desk)
    return jpeg(_camera(rng, seen, rng.uniform(0.1, 0.9)), int(rng.integers(30, 91)))


def _ruled(rng: Rng, label: int, *, squared: bool) -> bytes:
    size = _format(rng)
    paper = sheet(rng, size, colour(rng, (0.88, 1), (0, 0.06)), rng.uniform(0, 2))
    rule(rng, paper, min(size) * rng.uniform(0.06, 0.2), colour(rng, (0.55, 0.85), (0.1, 0.7)), squared=squared)
    note = _noted(rng, label, paper, colour(rng, (0, 0.35)), rng.uniform(0.8, 1), least=0.25)
    if rng.random() < 0.4:
        return png(note)
    seen = seen_askew(rng, note, rng.uniform(0, 0.03), None)
    return jpeg(_camera(rng, seen, rng.uniform(0, 0.5)), int(rng.integers(50, 93)))


def ruled_paper(rng: Rng, label: int) -> bytes:
    """A digit on lines, scanned or photographed."""
    return _ruled(rng, label, squared=False)


def squared_paper(rng: Rng, label: int) -> bytes:
    """A digit on squares, scanned or photographed."""
    return _ruled(rng, label, squared=True)


def pencil(rng: Rng, label: int) -> bytes:
    """A soft grey line on grainy paper."""
    size = _format(rng)
    paper = sheet(rng, size, colour(rng, (0.82, 0.97), (0, 0.08)), rng.uniform(1, 3))
    grey = int(rng.integers(60, 120))
    note = _noted(rng, label, paper, (grey, grey, grey), rng.uniform(0.35, 0.7), least=0.25)
    return jpeg(_camera(rng, note, rng.uniform(0, 0.5)), int(rng.integers(50, 93)))


def blackboard(rng: Rng, label: int) -> bytes:
    """Chalk on a board."""
    size = _format(rng)
    board = sheet(rng, size, colour(rng, (0.12, 0.35), (0, 0.5)), rng.uniform(1, 5))
    note = _noted(rng, label, board, colour(rng, (0.85, 1), (0, 0.2)), rng.uniform(0.6, 1))
    return jpeg(_camera(rng, note, rng.uniform(0, 0.7)), int(rng.integers(40, 93)))


def hard_shadows(rng: Rng, label: int) -> bytes:
    """A note on any paper, half in the shadow of a lamp, a hand or the telephone: one or two, with sharp edges."""
    size = (300, 300) if rng.random() < 0.5 else _format(rng)
    paper = sheet(rng, size, colour(rng, (0.85, 1), (0, 0.08)), rng.uniform(0, 2))
    if rng.random() < 0.5:
        lines = colour(rng, (0.55, 0.85), (0.1, 0.7))
        rule(rng, paper, min(size) * rng.uniform(0.06, 0.2), lines, squared=bool(rng.random() < 0.5))
    ink = colour(rng, (0, 0.35)) if rng.random() < 0.6 else colour(rng, (0.3, 0.7), (0.6, 1))
    note = _noted(rng, label, paper, ink, rng.uniform(0.8, 1), least=0.3)
    light = _shadow(rng, size) * (_shadow(rng, size) if rng.random() < 0.5 else 1)
    shaded = Image.fromarray(np.clip(np.asarray(note) * light[..., None], 0, 255).astype(np.uint8))
    seen = shot(rng, shaded, blur_px=rng.uniform(0.3, 1.3), noise=rng.uniform(0, 5))
    return jpeg(seen, int(rng.integers(50, 93)))


def _shadow(rng: Rng, size: tuple[int, int]) -> NDArray[np.float64]:
    """Returns the light (h, w) beside a straight edge or, for one in three, a corner, somewhere near the middle."""
    longer = max(size)
    y, x = np.mgrid[0 : size[1], 0 : size[0]] / longer
    soft = np.exp(rng.uniform(*np.log(SHADOW_EDGES)))
    turn = rng.uniform(0, 2 * np.pi)
    middle_x, middle_y = np.array(size) / longer * rng.uniform(0.25, 0.75, 2)
    turns = [turn, turn + rng.uniform(0.3, 0.6) * np.pi] if rng.random() < 0.35 else [turn]
    inside = [np.cos(angle) * (x - middle_x) + np.sin(angle) * (y - middle_y) for angle in turns]
    depth = np.clip(np.min(inside, axis=0) / soft + 0.5, 0, 1)
    shade: NDArray[np.float64] = 1 - (1 - rng.uniform(*SHADOW_LIGHT)) * depth
    return shade

"""Pictures that are no digit: letters, signs, scribbles, blots, noise, and digits cut in half or crowded.

Letters that some hand writes like a digit (O, l, S, Z …) carry a low weight: they shape the order of the scores
without teaching that a round zero is no digit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from digit.preprocess import prepare_grey
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from train import drawings, fonts, strokes
from train.data import Digits

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LOOKALIKES = frozenset("OoIlSsZzBbqg|")
NEARLY = frozenset("DQGiJjTUuyYAahLrtV")
SYMBOLS = "+=%&@#?<>*$~^{}"
CANVAS = 120


@dataclass(frozen=True, eq=False)
class Others:
    """Prepared pictures (n, 28, 28) uint8 that are no digit, how much each counts (n,), and their kinds (n,)."""

    pixels: NDArray[np.uint8]
    weights: NDArray[np.float32]
    kinds: NDArray[np.str_]


Picture = tuple[NDArray[np.uint8], float]  # white on black (h, w), weight
Maker = Callable[[np.random.Generator, Digits, bool], Picture]


def make(n: int, seed: int, digits: Digits, *, held: bool) -> Others:
    """Returns n prepared pictures; `held` takes the fonts and letters that training never sees."""
    rng = np.random.default_rng(seed)
    names = list(MAKERS)
    shares = np.array([share for share, _ in MAKERS.values()])
    pixels: list[NDArray[np.uint8]] = []
    weights: list[float] = []
    kinds: list[str] = []
    while len(pixels) < n:
        name = str(rng.choice(names, p=shares / shares.sum()))
        grey, weight = MAKERS[name][1](rng, digits, held)
        prepared = prepare_grey(grey)
        if prepared.has_ink:
            pixels.append(np.rint(prepared.pixels * 255).astype(np.uint8))
            weights.append(weight)
            kinds.append(name)
    return Others(np.stack(pixels), np.array(weights, np.float32), np.array(kinds))


def weight_of(letter: str) -> float:
    """Returns how much a letter counts as no digit."""
    return 0.15 if letter in LOOKALIKES else 0.5 if letter in NEARLY else 1.0


def _letter(rng: np.random.Generator, _digits: Digits, held: bool) -> Picture:
    letter = str(rng.choice(list(LETTERS)))
    return fonts.drawn(letter, rng, held=held), weight_of(letter)


def _written(rng: np.random.Generator, _digits: Digits, held: bool) -> Picture:
    """Letters and signs of the hand-made templates; those that look like digits are not among them."""
    lines = strokes.letter(rng, "evaluation" if held else "train", strokes.Hand(slant=0.22, turn_deg=8))
    return np.asarray(drawings.drawn(rng, lines)), 1.0


def _scrawl(rng: np.random.Generator, _digits: Digits, held: bool) -> Picture:
    return np.asarray(drawings.drawn(rng, strokes.scribble(rng, "evaluation" if held else "train"))), 1.0


def _word(rng: np.random.Generator, _digits: Digits, held: bool) -> Picture:
    letters = rng.choice(list(LETTERS), size=rng.integers(2, 6))
    return fonts.drawn("".join(letters), rng, held=held), 1.0


def _symbol(rng: np.random.Generator, _digits: Digits, held: bool) -> Picture:
    return fonts.drawn(str(rng.choice(list(SYMBOLS))), rng, held=held), 0.8


def _canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (CANVAS, CANVAS))
    return image, ImageDraw.Draw(image)


def _pen(rng: np.random.Generator) -> int:
    return int(rng.integers(3, 12))


def _stroke(draw: ImageDraw.ImageDraw, points: NDArray[np.float64], width: int) -> None:
    draw.line([(float(x), float(y)) for x, y in points], fill=255, width=width, joint="curve")


def _scribble(rng: np.random.Generator, _digits: Digits, _held: bool) -> Picture:
    """A pen that wanders: a random walk of its direction, of 8 to 40 turns."""
    image, draw = _canvas()
    n = int(rng.integers(60, 400))
    turning = np.cumsum(rng.standard_normal(n) * rng.uniform(0.1, 0.7)) + rng.uniform(-0.2, 0.2) * np.arange(n)
    path = np.cumsum(np.stack([np.cos(turning), np.sin(turning)], axis=1) * rng.uniform(1, 4, 2), axis=0)
    path -= (path.max(axis=0) + path.min(axis=0)) / 2
    path *= min(1.0, 52 / max(float(np.abs(path).max()), 1e-6))
    _stroke(draw, path + CANVAS / 2, _pen(rng))
    return np.asarray(image), 1.0


def _zigzag(rng: np.random.Generator, _digits: Digits, _held: bool) -> Picture:
    image, draw = _canvas()
    n = int(rng.integers(4, 14))
    x = np.linspace(15, 105, n) + rng.normal(0, 3, n)
    y = 60 + np.where(np.arange(n) % 2, 1, -1) * rng.uniform(8, 45, n)
    points = np.stack([x, y], axis=1)
    _stroke(draw, points if rng.random() < 0.6 else points[:, ::-1], _pen(rng))
    return np.asarray(image), 1.0


def _lines(rng: np.random.Generator, _digits: Digits, _held: bool) -> Picture:
    """Two to seven separate straight or bent lines: crosses, stars, grids, heaps."""
    image, draw = _canvas()
    width = _pen(rng)
    for _ in range(int(rng.integers(2, 8))):
        ends = rng.uniform(12, 108, (2, 2))
        middle = ends.mean(axis=0) + rng.normal(0, 12, 2)
        _stroke(draw, np.stack([ends[0], middle, ends[1]]), width)
    return np.asarray(image), 1.0


def _tick(rng: np.random.Generator, _digits: Digits, _held: bool) -> Picture:
    image, draw = _canvas()
    corner = rng.uniform([30, 75], [60, 105])
    start, end = corner - rng.uniform([10, 10], [30, 35]), corner + rng.uniform([25, -90], [55, -35])
    _stroke(draw, np.stack([start, corner, end]), _pen(rng))
    return np.asarray(image), 0.7


def _cross(rng: np.random.Generator, _digits: Digits, _held: bool) -> Picture:
    image, draw = _canvas()
    width = _pen(rng)
    lying, upright = ([20, 20, 100, 100], [100, 20, 20, 100]), ([60, 15, 60, 105], [15, 60, 105, 60])
    for ends in lying if rng.random() < 0.5 else upright:
        _stroke(draw, (ends + rng.normal(0, 8, 4)).reshape(2, 2), width)
    return np.asarray(image), 1.0


def _shape(rng: np.random.Generator, _digits: Digits, _held: bool) -> Picture:
    """Polygons, stars and other closed lines, empty or filled."""
    image, draw = _canvas()
    n = int(rng.integers(3, 9))
    angles = np.sort(rng.uniform(0, 2 * np.pi, n)) if rng.random() < 0.5 else np.arange(n) * 2 * np.pi / n
    radii = rng.uniform(15, 50, n) if rng.random() < 0.6 else np.where(np.arange(n) % 2, 20.0, 48.0)
    points = 60 + np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    if rng.random() < 0.35:
        draw.polygon([(float(x), float(y)) for x, y in points], fill=255)
    else:
        _stroke(draw, np.concatenate([points, points[:2]]), _pen(rng))
    return np.asarray(image), 0.8


def _spiral(rng: np.random.Generator, _digits: Digits, _held: bool) -> Picture:
    image, draw = _canvas()
    turns = np.linspace(0, rng.uniform(1.8, 4.5) * 2 * np.pi, 160) * rng.choice([-1, 1])
    radius = np.linspace(rng.uniform(2, 12), 50, 160)
    squeeze = rng.uniform(0.5, 1.0)
    path = np.stack([radius * np.cos(turns) * squeeze, radius * np.sin(turns)], axis=1)
    _stroke(draw, 60 + path, int(rng.integers(3, 7)))
    return np.asarray(image), 1.0


def _noise(rng: np.random.Generator, _digits: Digits, _held: bool) -> Picture:
    side = int(rng.choice([4, 7, 14, 28]))
    cells = rng.random((side, side)) ** rng.uniform(0.5, 6) * 255
    return np.asarray(Image.fromarray(cells.astype(np.uint8)).resize((56, 56), Image.Resampling.BICUBIC)), 1.0


def _dots(rng: np.random.Generator, _digits: Digits, _held: bool) -> Picture:
    image, draw = _canvas()
    for _ in range(int(rng.integers(2, 25))):
        x, y = rng.uniform(15, 105, 2)
        radius = rng.uniform(3, 9)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(image), 1.0


def _one(rng: np.random.Generator, digits: Digits) -> NDArray[np.uint8]:
    one: NDArray[np.uint8] = digits.pixels[rng.integers(len(digits))]
    return one


def _crowd(rng: np.random.Generator, digits: Digits, _held: bool) -> Picture:
    """Two to four digits side by side, as nearly as people write them."""
    parts = []
    for _ in range(int(rng.choice([2, 2, 2, 3, 4]))):
        one = _one(rng, digits)
        columns = np.flatnonzero(one.max(axis=0) > 60)
        parts.append(np.pad(one[:, columns[0] : columns[-1] + 1], ((0, 0), (0, int(rng.integers(0, 6))))))
    return np.pad(np.concatenate(parts, axis=1), 4), 1.0


def _heap(rng: np.random.Generator, digits: Digits, _held: bool) -> Picture:
    """Two digits written over each other, a little apart."""
    dx, dy = rng.integers(-6, 7, 2)
    return np.maximum(_one(rng, digits), np.roll(_one(rng, digits), (dy, dx), (0, 1))), 0.7


def _part(rng: np.random.Generator, digits: Digits, _held: bool) -> Picture:
    """A half of a digit, low in weight: half an 8 can be a 3, and half a 1 is a 1."""
    one = _one(rng, digits).copy()
    rotated = np.rot90(one, int(rng.integers(4)))
    rotated[: int(rng.integers(12, 17))] = 0
    return one, 0.25


def _struck(rng: np.random.Generator, digits: Digits, _held: bool) -> Picture:
    """A digit crossed out by three to five strokes."""
    image = Image.fromarray(_one(rng, digits)).resize((CANVAS, CANVAS))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(3, 6))):  # one stroke makes a crossed 7 or a slashed 0
        y = rng.uniform(25, 95, 2)
        _stroke(draw, np.array([[rng.uniform(8, 25), y[0]], [rng.uniform(95, 112), y[1]]]), _pen(rng))
    return np.asarray(image), 0.7


MAKERS: dict[str, tuple[float, Maker]] = {
    "letter": (0.28, _letter),
    "written": (0.2, _written),
    "scrawl": (0.07, _scrawl),
    "word": (0.05, _word),
    "symbol": (0.06, _symbol),
    "scribble": (0.09, _scribble),
    "zigzag": (0.03, _zigzag),
    "lines": (0.04, _lines),
    "tick": (0.02, _tick),
    "cross": (0.02, _cross),
    "shape": (0.04, _shape),
    "spiral": (0.02, _spiral),
    "noise": (0.02, _noise),
    "dots": (0.02, _dots),
    "crowd": (0.06, _crowd),
    "heap": (0.03, _heap),
    "part": (0.02, _part),
    "struck": (0.03, _struck),
}

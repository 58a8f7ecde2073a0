"""Lines that mean nothing: what a hand draws when it draws no digit."""

from collections.abc import Callable

import numpy as np

from train.strokes.curves import Strokes, fitted

Scribble = Callable[[np.random.Generator], Strokes]


def wander(rng: np.random.Generator) -> Strokes:
    """A line that turns at random."""
    steps = int(rng.integers(30, 120))
    heading = np.cumsum(rng.normal(0, rng.uniform(0.25, 0.8), steps))
    return [np.cumsum(np.stack((np.cos(heading), np.sin(heading)), axis=1), axis=0)]


def zigzag(rng: np.random.Generator) -> Strokes:
    """A line back and forth, as one fills an area or strikes a word out."""
    turns = int(rng.integers(4, 12))
    x = np.repeat(np.linspace(0, rng.uniform(0.5, 2), turns), 2)
    y = np.tile([0.0, 1.0, 1.0, 0.0], turns)[: 2 * turns]
    points = np.stack((x, y), axis=1)[::2] + rng.normal(0, 0.07, (turns, 2))
    points[::2, 1] += 1
    return [points]


def coil(rng: np.random.Generator) -> Strokes:
    """Loops side by side or around one middle."""
    turns = rng.uniform(2.5, 6)
    angle = np.linspace(0, 2 * np.pi * turns, int(30 * turns))
    aside = rng.random() < 0.5
    radius = np.linspace(1 if aside else 0.05, 1, len(angle)) + 0.1 * np.sin(rng.uniform(1, 3) * angle)
    drift = np.linspace(0, aside * rng.uniform(2, 6), len(angle))
    return [np.stack((np.cos(angle) * radius + drift, np.sin(angle) * radius), axis=1)]


def dashes(rng: np.random.Generator) -> Strokes:
    """Several short lines in all directions."""
    n = int(rng.integers(3, 9))
    middle, angle = rng.uniform(0, 1, (n, 2)), rng.uniform(0, np.pi, n)
    reach = np.stack((np.cos(angle), np.sin(angle)), axis=1) * rng.uniform(0.1, 0.4, (n, 1))
    return [np.stack((one - half, one + half)) for one, half in zip(middle, reach, strict=True)]


def hatch(rng: np.random.Generator) -> Strokes:
    """Parallel lines, sometimes crossed by others."""
    n = int(rng.integers(3, 7))
    lean = rng.normal(0, 0.3)
    lines = [np.array([[x, 0.0], [x + lean, 1.0]]) + rng.normal(0, 0.03, (2, 2)) for x in np.linspace(0, 1, n)]
    crossed = [line[:, ::-1].copy() for line in lines] if rng.random() < 0.4 else []
    return lines + crossed


def dots(rng: np.random.Generator) -> Strokes:
    """A few dots, as drops of ink."""
    middles = rng.uniform(0, 1, (int(rng.integers(2, 12)), 2))
    return [middle + np.array([[0.0, 0.0], [0.02, 0.01]]) for middle in middles]


def bars(rng: np.random.Generator) -> Strokes:
    """Rows of flat lines, as under a heading or through an empty field."""
    n = int(rng.integers(1, 5))
    ends = np.array([[0.0, 0.0], [1.0, 0.0]])
    return [ends + np.array([0, 0.25 * i]) + rng.normal(0, 0.03, (2, 2)) for i in range(n)]


def peaks(rng: np.random.Generator) -> Strokes:
    """A jagged line, as a hurried signature."""
    n = int(rng.integers(6, 20))
    x = np.linspace(0, rng.uniform(1, 3), n) + rng.normal(0, 0.03, n)
    return [np.stack((x, rng.uniform(0, 0.8, n)), axis=1)]


KINDS: dict[str, tuple[Scribble, ...]] = {
    "train": (wander, zigzag, coil, dashes, hatch, dots),
    "evaluation": (wander, coil, dashes, bars, peaks),
}
SLIMMEST = 0.4  # width to height: anything slimmer may be a 1


def scribbled(rng: np.random.Generator, split: str) -> Strokes:
    """Returns one scribble in the unit box."""
    kinds = KINDS[split]
    while True:
        strokes = fitted(kinds[rng.integers(len(kinds))](rng))
        if np.ptp(np.concatenate(strokes)[:, 0]) >= SLIMMEST:
            return [points + rng.normal(0, 0.004, points.shape) for points in strokes]

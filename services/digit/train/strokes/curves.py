"""Templates as curves, and what a hand does to them."""

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (k, 2): x, y
Strokes = list[Points]

STEPS = 10  # points of the drawn curve between two points of a template


@dataclass(frozen=True)
class Hand:
    """How far a writer departs from the template: standard deviations, lengths in units of the digit's height."""

    jitter: float = 0.022  # of each control point
    slip: float = 0.02  # of each stroke against the others
    warp: float = 0.025  # of a slow bend of the whole
    tremor: float = 0.003  # of neighbouring points along the curve
    slant: float = 0.16  # shear: x per y
    turn_deg: float = 5.0
    turn_most_deg: float = 15.0
    aspect: float = 0.16  # of the logarithm of width to height


PLAIN = Hand(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@cache
def parse(template: str) -> tuple[tuple[tuple[float, float, bool], ...], ...]:
    """Reads "x,y x,y* …|…" into strokes of (x, y, corner) in a unit box."""
    return tuple(tuple(_point(word) for word in stroke.split()) for stroke in template.split("|"))


def _point(word: str) -> tuple[float, float, bool]:
    x, y = word.rstrip("*").split(",")
    return float(x) / 100, float(y) / 100, word.endswith("*")


def written(rng: np.random.Generator, template: str, hand: Hand) -> Strokes:
    """Writes a template once, by that hand: smooth curves in a unit box, the proportions kept."""
    strokes = []
    for stroke in parse(template):
        points = np.array([point[:2] for point in stroke])
        points += rng.normal(0, hand.jitter, points.shape) + rng.normal(0, hand.slip, 2)
        strokes.append(_curve(points, [point[2] for point in stroke]))
    return fitted(_deformed(rng, strokes, hand))


def _curve(points: Points, corners: list[bool]) -> Points:
    """Joins the points (k, 2) by Catmull-Rom splines that start anew at each corner."""
    breaks = [0, *(i for i, corner in enumerate(corners) if corner and 0 < i < len(points) - 1), len(points) - 1]
    pieces = [_spline(points[start : end + 1])[:-1] for start, end in itertools.pairwise(breaks)]
    return np.concatenate([*pieces, points[-1:]])


def _spline(points: Points) -> Points:
    ends = np.concatenate((2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]))
    p0, p1, p2, p3 = (ends[i : i + len(points) - 1, None] for i in range(4))
    t = (np.arange(STEPS) / STEPS)[None, :, None]
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return np.concatenate((curve.reshape(-1, 2), points[-1:]))


def _deformed(rng: np.random.Generator, strokes: Strokes, hand: Hand) -> Strokes:
    turn = np.deg2rad(np.clip(rng.normal(0, hand.turn_deg), -hand.turn_most_deg, hand.turn_most_deg))
    stretch = np.exp(rng.normal(0, hand.aspect))
    shear = np.array([[stretch, -rng.normal(0, hand.slant)], [0, 1]])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    phase, pitch = rng.uniform(0, 2 * np.pi, (2, 2)), rng.uniform(2, 6, (2, 2))
    depth = rng.normal(0, hand.warp, (2, 2))
    bent = []
    for points in strokes:
        waves = np.sin(points[:, None, :] * pitch + phase) * depth  # (k, 2, 2)
        shaken = points + waves.sum(axis=2) + _tremor(rng, len(points), hand.tremor)
        bent.append((shaken - 0.5) @ (rotation @ shear).T)
    return bent


def _tremor(rng: np.random.Generator, n: int, size: float) -> Points:
    noise = rng.normal(0, size, (n + 2, 2))
    return np.asarray((noise[:-2] + noise[1:-1] + noise[2:]) / np.sqrt(3))


def fitted(strokes: Strokes) -> Strokes:
    """Moves and scales strokes, without distortion, to fill the unit box and lie in its middle."""
    everything = np.concatenate(strokes)
    low, high = everything.min(axis=0), everything.max(axis=0)
    longer = max(float((high - low).max()), 1e-6)
    return [(points - (low + high) / 2) / longer + 0.5 for points in strokes]

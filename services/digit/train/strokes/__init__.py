"""Digits, letters, signs and scribbles from templates made by hand for this project.

The two splits share no template of a digit, letter or sign: what is published on `evaluation` was never trained on.

    >>> rng = np.random.default_rng(1)
    >>> picture = draw(digit(rng, 7, "train"), (280, 280), width_px=18)
"""

from typing import Literal

import numpy as np

from train.strokes import digits, letters
from train.strokes.curves import Hand, Strokes, fitted, written
from train.strokes.pen import Colour, cover, draw, pressures
from train.strokes.scribbles import scribbled

__all__ = [
    "Colour",
    "Hand",
    "Split",
    "Strokes",
    "cover",
    "digit",
    "draw",
    "fitted",
    "generator",
    "letter",
    "pressures",
    "scribble",
]

Split = Literal["train", "evaluation"]

_DIGITS = {"train": digits.TRAIN, "evaluation": digits.EVALUATION}
_LETTERS = {"train": letters.LETTERS_TRAIN, "evaluation": letters.LETTERS_EVALUATION}
_SIGNS = {"train": letters.SIGNS_TRAIN, "evaluation": letters.SIGNS_EVALUATION}
SEEDS = {"train": 0, "evaluation": 1}


def generator(seed: int, split: Split) -> np.random.Generator:
    """Returns a generator whose numbers no generator of the other split ever gives, whatever the seeds."""
    return np.random.default_rng((SEEDS[split], seed))


def digit(rng: np.random.Generator, label: int, split: Split, hand: Hand | None = None) -> Strokes:
    """Writes the digit `label` once: strokes (k, 2) in a unit box."""
    templates = _DIGITS[split][label]
    return written(rng, templates[rng.integers(len(templates))], hand or Hand())


def letter(rng: np.random.Generator, split: Split, hand: Hand | None = None) -> Strokes:
    """Writes a letter that no one takes for a digit, or (one in four) a sign such as a tick or a plus."""
    if rng.random() < 0.25:
        templates = _SIGNS[split]
    else:
        names = list(_LETTERS[split])
        templates = _LETTERS[split][names[rng.integers(len(names))]]
    return written(rng, templates[rng.integers(len(templates))], hand or Hand())


def scribble(rng: np.random.Generator, split: Split) -> Strokes:
    """Draws lines that mean nothing."""
    return scribbled(rng, split)

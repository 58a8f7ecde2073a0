"""How well a candidate is read as one digit, or left out as no digit: log-linear in a few features.

The weights were learned from whole numbers by `python -m train.number_weights`, which prints them; `between` alone was
set by hand, so that a digit within a number is not left out.
"""

import numpy as np

from digit.numbers.lattice import Floats
from digit.numbers.recognition import Recognised

# Of the digits 0 to 9: logarithms of width to height, and of ink to that of a stroke of the same height.
ASPECT = np.array([-0.27, -1.07, -0.10, -0.28, -0.33, -0.30, -0.40, -0.31, -0.44, -0.43])
ASPECT_SPREAD = np.array([0.23, 0.43, 0.21, 0.20, 0.20, 0.21, 0.20, 0.20, 0.20, 0.20])
AMOUNT = np.array([0.79, 0.05, 0.69, 0.61, 0.54, 0.62, 0.64, 0.41, 0.76, 0.58])
AMOUNT_SPREAD = 0.2
ODDEST = 16.0

LEAST = 1e-4  # a probability below it says no more than this does

READ = {
    "digit": -0.62,
    "certainty": 2.96,
    "digitness": 0.17,
    "no_digit": -0.33,
    "whole": 0.34,
    "short": -3.73,
    "high": -3.89,
    "wide": 1.53,
    "aspect": -0.05,
    "amount": 0.03,
    "faint": -2.40,
    "gap": -3.22,
    "cuts": -0.48,
    "crossed": 0.20,
    "pieces": -0.44,
}
LEFT_OUT = {
    "between": -2.00,
    "mark": 1.39,
    "tall": -2.88,
    "ink": -0.51,
    "cuts": -3.39,
    "crossed": -1.02,
}


def read_features(found: Recognised) -> Floats:
    """Returns (m, features) of reading each candidate."""
    lattice, probabilities, digitness = found.lattice, found.probabilities, found.digitness
    tall, wide, ink = lattice.tall, lattice.wide, lattice.ink
    likeliest = probabilities.argmax(axis=1)
    columns = {
        "digit": np.ones(len(lattice)),
        "certainty": np.log(np.maximum(probabilities.max(axis=1), LEAST)),
        "digitness": np.log(np.maximum(digitness, LEAST)),
        "no_digit": np.log(np.maximum(1 - digitness, LEAST)),
        "whole": found.whole,
        "short": np.maximum(0, 0.7 - tall),
        "high": np.maximum(0, tall - 1.2),
        "wide": np.maximum(0, wide - 0.8),
        "aspect": _oddity(np.log(wide / tall), ASPECT[likeliest], ASPECT_SPREAD[likeliest]),
        "amount": _oddity(np.log(ink / tall), AMOUNT[likeliest], AMOUNT_SPREAD),
        "faint": np.maximum(0, 1 - ink),
        "gap": lattice.gap,
        "cuts": lattice.cuts,
        "crossed": lattice.crossed,
        "pieces": lattice.last - lattice.first - 1,
    }
    return np.stack([columns[name] for name in READ], axis=1)


def _oddity(values: Floats, usual: Floats, spread: Floats | float) -> Floats:
    """Returns the squares of how many spreads the values are away from the usual, up to a limit."""
    return np.minimum(((values - usual) / spread) ** 2, ODDEST)


def left_out_features(found: Recognised) -> Floats:
    """Returns (m, features) of leaving each candidate out."""
    lattice = found.lattice
    inside = (lattice.first > 0) & (lattice.last < len(lattice.pieces))
    columns = {
        "between": inside * np.minimum(lattice.tall, 1.2),
        "mark": np.ones(len(lattice)),
        "tall": np.minimum(lattice.tall, 1.2),
        "ink": np.minimum(lattice.ink, 3),
        "cuts": lattice.cuts,
        "crossed": lattice.crossed,
    }
    return np.stack([columns[name] for name in LEFT_OUT], axis=1)


def scores(found: Recognised) -> tuple[Floats, Floats]:
    """Returns the scores (m,) of reading each candidate as a digit, and of leaving it out."""
    read = read_features(found) @ np.array(list(READ.values()))
    left_out = left_out_features(found) @ np.array(list(LEFT_OUT.values()))
    return np.where(found.lattice.plausible, read, -np.inf), left_out

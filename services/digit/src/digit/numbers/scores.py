"""How well a candidate is read as one digit, or left out as no digit: log-linear in a few features.

The weights were learned from whole numbers by `python -m train.number_weights`, which prints them.
"""

import numpy as np

from digit.numbers.lattice import Floats, Lattice

# Of the digits 0 to 9: logarithms of width to height, and of ink to that of a stroke of the same height.
ASPECT = np.array([-0.27, -1.07, -0.10, -0.28, -0.33, -0.30, -0.40, -0.31, -0.44, -0.43])
ASPECT_SPREAD = np.array([0.23, 0.43, 0.21, 0.20, 0.20, 0.21, 0.20, 0.20, 0.20, 0.20])
AMOUNT = np.array([0.79, 0.05, 0.69, 0.61, 0.54, 0.62, 0.64, 0.41, 0.76, 0.58])
AMOUNT_SPREAD = 0.2
ODDEST = 16.0

LEAST = 1e-4  # a probability below it says no more than this does

READ = {
    "digit": 0.12,
    "certainty": 1.79,
    "digitness": 0.23,
    "no_digit": -0.49,
    "short": -8.93,
    "high": -5.37,
    "wide": -1.16,
    "aspect": -0.07,
    "amount": -0.04,
    "faint": -3.55,
    "gap": -2.60,
    "cuts": -0.56,
    "crossed": -0.64,
    "pieces": -0.12,
}
LEFT_OUT = {
    "mark": 1.08,
    "tall": -2.94,
    "ink": -0.61,
    "cuts": -2.68,
    "crossed": 0.49,
}


def read_features(lattice: Lattice, probabilities: Floats, digitness: Floats) -> Floats:
    """Returns (m, features) of reading each candidate, given its class probabilities (m, 10) and digitness (m,)."""
    tall, wide, ink = lattice.tall, lattice.wide, lattice.ink
    likeliest = probabilities.argmax(axis=1)
    columns = {
        "digit": np.ones(len(lattice)),
        "certainty": np.log(np.maximum(probabilities.max(axis=1), LEAST)),
        "digitness": np.log(np.maximum(digitness, LEAST)),
        "no_digit": np.log(np.maximum(1 - digitness, LEAST)),
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


def left_out_features(lattice: Lattice) -> Floats:
    """Returns (m, features) of leaving each candidate out."""
    columns = {
        "mark": np.ones(len(lattice)),
        "tall": np.minimum(lattice.tall, 1.2),
        "ink": np.minimum(lattice.ink, 3),
        "cuts": lattice.cuts,
        "crossed": lattice.crossed,
    }
    return np.stack([columns[name] for name in LEFT_OUT], axis=1)


def scores(lattice: Lattice, probabilities: Floats, digitness: Floats) -> tuple[Floats, Floats]:
    """Returns the scores (m,) of reading each candidate as a digit, and of leaving it out."""
    read = read_features(lattice, probabilities, digitness) @ np.array(list(READ.values()))
    left_out = left_out_features(lattice) @ np.array(list(LEFT_OUT.values()))
    return np.where(lattice.plausible, read, -np.inf), left_out

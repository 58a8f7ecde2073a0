"""How well a candidate is read as one digit, or left out as no digit: log-linear in a few features.

The weights were learned from whole numbers by `python -m train.number_weights`, which prints them.
"""

import numpy as np

from digit.numbers.lattice import Floats, Lattice

LEAST = 1e-4  # a probability below it says no more than this does

READ = {
    "digit": 0.76,
    "certainty": 2.21,
    "digitness": 0.11,
    "no_digit": -0.53,
    "short": -9.60,
    "high": -2.03,
    "wide": -1.10,
    "narrow": -2.54,
    "wide_one": -0.05,
    "faint": -3.49,
    "dense": -1.44,
    "gap": -1.78,
    "cuts": -0.52,
    "crossed": -0.78,
    "pieces": 0.49,
}
LEFT_OUT = {
    "mark": 0.53,
    "tall": -3.64,
    "ink": -1.06,
    "cuts": -3.00,
    "crossed": -0.10,
}


def read_features(lattice: Lattice, probabilities: Floats, digitness: Floats) -> Floats:
    """Returns (m, features) of reading each candidate, given its class probabilities (m, 10) and digitness (m,)."""
    tall, wide, ink = lattice.tall, lattice.wide, lattice.ink
    is_one = probabilities.argmax(axis=1) == 1
    columns = {
        "digit": np.ones(len(lattice)),
        "certainty": np.log(np.maximum(probabilities.max(axis=1), LEAST)),
        "digitness": np.log(np.maximum(digitness, LEAST)),
        "no_digit": np.log(np.maximum(1 - digitness, LEAST)),
        "short": np.maximum(0, 0.7 - tall),
        "high": np.maximum(0, tall - 1.2),
        "wide": np.maximum(0, wide - 0.8),
        "narrow": ~is_one * np.maximum(0, 0.4 - wide),
        "wide_one": is_one * np.maximum(0, wide - 0.35),
        "faint": np.maximum(0, 1 - ink),
        "dense": np.maximum(0, ink - 3.5),
        "gap": lattice.gap,
        "cuts": lattice.cuts,
        "crossed": lattice.crossed,
        "pieces": lattice.last - lattice.first - 1,
    }
    return np.stack([columns[name] for name in READ], axis=1)


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

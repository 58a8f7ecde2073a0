"""Candidates of written numbers, as digit.numbers cuts them, and which of them are one whole digit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from digit.numbers import judge
from digit.numbers.lines import lines_of
from digit.numbers.reading import BOUND
from digit.numbers.recognition import Recognise, Recognised, recognised
from digit.postprocess import Outputs
from digit.preprocess import find_ink
from numpy.typing import NDArray
from PIL import Image

from train.strokes import generator
from train.written_numbers import Hands, Rng, Style, write_apart

Covers = NDArray[np.uint8]  # (digits, h, w)

ALIKE = 0.6, 0.9  # overlap with a digit, ink in both to ink in either, at which a candidate is all wrong and all right
BEST = 0.7  # overlap from which on the best candidate of a digit is right, as there is none better
COVERED = 100  # of 255: a pixel belongs to a digit


@dataclass(frozen=True, eq=False)
class Cuts:
    """Windows (n, SIDE, SIDE, 2) of 0 to 255, and how far they show one whole digit (n,), from 0 to 1."""

    windows: NDArray[np.uint8]
    right: NDArray[np.float32]


def style(rng: Rng) -> Style:
    """Returns how one number is written: in any way, and mostly so that digits touch."""
    return Style(
        tall_px=(28, 120),
        pen=(0.03, 0.18),
        gap=(0.03, rng.choice([0.15, 0.4])),
        touching=float(rng.choice([0.0, 0.6, 1.0], p=[0.2, 0.5, 0.3])),
        chains=bool(rng.random() < 0.5),
        overlap_px=(0, rng.choice([2, 5])),
        slant_deg=(-25, 25),
        vary=rng.choice([0.05, 0.15]),
        drift=rng.choice([0.03, 0.1]),
        climb=0.05,
    )


def numbers(seed: int, count: int, hands: Hands) -> Iterator[Covers]:
    """Yields what each digit of a number covers."""
    rng = generator(seed, "train")
    for _ in range(count):
        text = "".join(map(str, rng.integers(0, 10, rng.integers(1, 8))))
        yield write_apart(rng, text, hands, style(rng))


def cuts(covers: Covers, recognise: Recognise) -> Cuts:
    """Returns the windows of one number's candidates, and how right they are."""
    ink = find_ink(Image.fromarray(255 - covers.max(axis=0)), bound=BOUND)
    lines = lines_of(ink)
    if len(lines) != 1:
        return Cuts(np.zeros((0, judge.SIDE, judge.SIDE, 2), np.uint8), np.zeros(0, np.float32))
    found = recognised(ink.grey, lines[0], recognise, max_digits=32)
    overlap = overlaps(found, covers, ink.scale)  # (m, digits)
    right = np.clip((overlap.max(axis=1) - ALIKE[0]) / (ALIKE[1] - ALIKE[0]), 0, 1)
    best = overlap.argmax(axis=0)
    right[best[overlap.max(axis=0) >= BEST]] = 1
    chosen = np.flatnonzero(found.lattice.plausible)
    windows = np.rint(255 * judge.windows(found.lattice, chosen)).astype(np.uint8)
    return Cuts(windows, right[chosen].astype(np.float32))


def overlaps(found: Recognised, covers: Covers, scale: float) -> NDArray[np.float64]:
    """Returns (m, digits): the ink that a candidate and a digit share, to the ink that either has."""
    pieces, lattice = found.lattice.pieces, found.lattice
    rows, columns = np.nonzero(pieces.label >= 0)
    left, top = found.line.corner
    x = np.clip((scale * (left + found.line.scale * (columns + 0.5))).astype(int), 0, covers.shape[2] - 1)
    y = np.clip((scale * (top + found.line.scale * (rows + 0.5))).astype(int), 0, covers.shape[1] - 1)
    label = pieces.label[rows, columns]
    each = [np.bincount(label, cover > COVERED, len(pieces)) for cover in covers[:, y, x]]
    counts = np.stack([*each, pieces.area], axis=1)  # (pieces, digits + 1)
    sums = np.concatenate((np.zeros((1, counts.shape[1])), np.cumsum(counts, axis=0)))
    inside = sums[lattice.last] - sums[lattice.first]  # (m, digits + 1)
    shared, area = inside[:, :-1], inside[:, -1:]
    return np.asarray(shared / np.maximum(area + sums[-1, :-1] - shared, 1))


def gather(seed: int, count: int, hands: Hands, recognise: Recognise) -> Cuts:
    """Cuts `count` numbers; every other one everywhere, as if the model were sure of nothing."""

    def unsure(pixels: NDArray[np.float32]) -> Outputs:
        return replace(recognise(pixels), digitness=np.zeros(len(pixels)))

    return joined(
        [cuts(covers, recognise if number % 2 else unsure) for number, covers in enumerate(numbers(seed, count, hands))]
    )


def joined(parts: list[Cuts]) -> Cuts:
    return Cuts(np.concatenate([part.windows for part in parts]), np.concatenate([part.right for part in parts]))

"""Learns how `digit.numbers` weighs one way of cutting a number against another, from whole numbers and nothing else.

    python -m train.number_weights --mnist DIR

prints READ and LEFT_OUT of digit.numbers.scores. Paths through the lattice are log-linear in the features of their
steps; the likelihood of all paths that spell the number, against all paths, is raised by gradients that the
forward-backward algorithm gives: discriminative forward training, after LeCun, Bottou, Bengio and Haffner,
"Gradient-based learning applied to document recognition", Proceedings of the IEEE 86 (1998), section VI; the networks
themselves stay as they are.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from digit.model import Models
from digit.numbers import scores
from digit.numbers.lines import lines_of
from digit.numbers.reading import BOUND
from digit.numbers.recognition import Recognise, recognised
from digit.preprocess import find_ink
from digit.settings import SHIPPED
from numpy.typing import NDArray
from PIL import ImageOps

from train import data
from train.number_strings import KINDS, PASTED, Sample, opened, samples
from train.strokes import generator
from train.strokes.photographs import png
from train.written_numbers import LETTER, Style, drawn, pasted, write

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Gradient = tuple[float, Floats, Floats]  # log-likelihood, and its slope by the weights of reading and of leaving out

SEED = 41
ROUNDS = 40
STEP = 0.15  # of Adam, at first
TIED = 0.1  # how strongly the weights are drawn to those that are in use
NEVER = -1e9
HOPELESS = -30.0  # log-likelihood below which a number teaches nothing: its ink was lost or the network is wrong


@dataclass(frozen=True, eq=False)
class Example:
    """The lattice of a number, and what it says."""

    n: int  # pieces
    first: Ints  # (m,)
    last: Ints  # (m,)
    read: Floats  # (m, features)
    left_out: Floats  # (m, features)
    plausible: NDArray[np.bool_]  # (m,)
    likeliest: Ints  # (m,)
    wanted: Ints  # (t,)


def examples(pictures: Iterable[Sample], recognise: Recognise) -> Iterator[Example]:
    """Yields the lattices of the pictures in which writing is found."""
    for sample in pictures:
        ink = find_ink(opened(sample), bound=BOUND)
        lines = lines_of(ink)
        if lines:
            found = recognised(ink.grey, lines[0], recognise, max_digits=32)
            lattice = found.lattice
            yield Example(
                len(lattice.pieces),
                lattice.first,
                lattice.last,
                scores.read_features(found),
                scores.left_out_features(found),
                lattice.plausible,
                found.probabilities.argmax(axis=1),
                np.array([int(digit) for digit in sample.text], np.intp),
            )


def letters(count: int) -> Iterator[Sample]:
    """Yields pictures of one to four letters, which are no number."""
    rng, hands = generator(SEED, "train"), drawn("train")
    for number in range(count):
        cover = write(rng, LETTER * (number % 4 + 1), hands, Style())
        yield Sample("letters", "", png(ImageOps.invert(cover)))


def gradient(example: Example, read: Floats, left_out: Floats) -> Gradient | None:
    """Returns the log-likelihood of the number and its slopes, None where no path spells it."""
    taken = np.where(example.plausible, example.read @ read, NEVER)
    omitted = example.left_out @ left_out
    right = _steps(example, taken, omitted, example.wanted)
    every = _steps(example, taken, omitted, None)
    if right[0] < NEVER / 2:
        return None
    return (
        right[0] - every[0],
        (right[1] - every[1]) @ example.read,
        (right[2] - every[2]) @ example.left_out,
    )


def _steps(example: Example, taken: Floats, omitted: Floats, wanted: Ints | None) -> tuple[float, Floats, Floats]:
    """Returns the log of the sum over the paths, and how often each candidate is read and left out in them.

    A state is a piece and the number of digits read so far, which is not kept where any reading will do.
    """
    if wanted is None:
        spelled, step = np.zeros((len(taken), 1)), 0
    else:
        spelled, step = np.where(example.likeliest[:, None] == wanted, 0.0, NEVER), 1
    states = spelled.shape[1] + step
    ahead, behind = np.full((2, example.n + 1, states), 2 * NEVER)
    ahead[0, 0], behind[example.n, -1] = 0.0, 0.0
    reading = taken[:, None] + spelled  # (m, states - step)
    spans = list(zip(example.first.tolist(), example.last.tolist(), strict=True))
    for index, (first, last) in enumerate(spans):
        ahead[last] = np.logaddexp(ahead[last], ahead[first] + omitted[index])
        ahead[last, step:] = np.logaddexp(ahead[last, step:], ahead[first, : states - step] + reading[index])
    for index, (first, last) in reversed(list(enumerate(spans))):
        behind[first] = np.logaddexp(behind[first], behind[last] + omitted[index])
        behind[first, : states - step] = np.logaddexp(
            behind[first, : states - step], behind[last, step:] + reading[index]
        )
    total = float(ahead[example.n, -1])
    before, after = ahead[example.first], behind[example.last]
    read = np.exp(before[:, : states - step] + reading + after[:, step:] - total).sum(axis=1)
    out = np.exp(before + omitted[:, None] + after - total).sum(axis=1)
    return total, read, out


def fit(learned: list[Example], rounds: int, told: Callable[[str], object]) -> tuple[Floats, Floats]:
    """Returns the weights of reading and of leaving out, by Adam from those that are in use."""
    start = np.array([*scores.READ.values(), *scores.LEFT_OUT.values()])
    weights, cut = start.copy(), len(scores.READ)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for done in range(1, rounds + 1):
        found = [gradient(example, weights[:cut], weights[cut:]) for example in learned]
        used = [one for one in found if one is not None and one[0] > HOPELESS]
        slope = np.sum([np.concatenate(one[1:]) for one in used], axis=0) - TIED * (weights - start)
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        pace = STEP * (1 - 0.8 * done / rounds) / (np.sqrt(square / (1 - 0.99**done)) + 1e-6)
        weights = weights + pace * mean / (1 - 0.9**done)
        if done % 10 == 0:
            told(f"# round {done}: log-likelihood {np.mean([one[0] for one in used]):.4f}, {len(used)} numbers\n")
    return weights[:cut], weights[cut:]


def as_code(name: str, names: Iterable[str], weights: Floats) -> str:
    rows = "".join(f'    "{one}": {weight:.2f},\n' for one, weight in zip(names, weights, strict=True))
    return f"{name} = {{\n{rows}}}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True, help="folder of MNIST's four files")
    parser.add_argument("--count", type=int, default=40, help="numbers of each kind")
    parser.add_argument("--touching", type=int, default=4, help="times as many of those that touch")
    parser.add_argument("--model", default="cnn_transformer")
    parser.add_argument("--weights", type=Path, default=SHIPPED, help="folder of weights.json")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    models = Models(asked.weights, asked.model)
    mnist = data.load(asked.mnist)
    learned: list[Example] = []
    for hands, kinds in ((drawn("train"), tuple(KINDS)), (pasted(mnist.train), PASTED)):
        for kind in kinds:
            count = asked.count * (asked.touching if kind == "touching" else 1)
            pictures = samples(SEED, count, [kind], hands)
            learned += examples(pictures, lambda pixels: models.predict(asked.model, pixels))
    learned += examples(letters(asked.count), lambda pixels: models.predict(asked.model, pixels))
    read, left_out = fit(learned, asked.rounds, sys.stdout.write)
    sys.stdout.write(as_code("READ", scores.READ, read) + as_code("LEFT_OUT", scores.LEFT_OUT, left_out))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What both frameworks train on: prepared pictures, kept in one file, and an endless mix of augmented batches.

python -m train.stream --mnist DIR --output pool.npz
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from digit.preprocess import prepare_grey
from numpy.typing import NDArray

from train import data, drawings, evaluation_sets, nondigits, pictures
from train.augment import MILD, STRONG, augment
from train.data import Digits
from train.nondigits import Others

DIGITS, DRAWN, OTHERS = 112, 16, 28  # of a batch: MNIST, digits drawn here, no digits
BATCH = DIGITS + DRAWN + OTHERS
SHARE_MILD, SHARE_MILD_LATE = 0.4, 0.7  # of a batch is augmented a little only; late in the training more of it
LATE = 0.75  # of the epochs


@dataclass(frozen=True)
class Sizes:
    """How many pictures a pool has."""

    digits: int  # of MNIST's training images, at most
    drawn: int
    others: int
    of_a_kind: int  # of each development set


FULL = Sizes(digits=55_000, drawn=12_000, others=36_000, of_a_kind=60)
QUICK = Sizes(digits=6_000, drawn=400, others=1_000, of_a_kind=1)


@dataclass(frozen=True, eq=False)
class Pool:
    """Every picture as the networks get it."""

    train: Digits
    held: Digits
    drawn: Digits  # strokes and handwriting-like fonts, drawn on canvases of many sizes
    others: Others
    held_others: Others
    development: Digits  # the evaluation's kinds of pictures, of another seed than the published one

    def save(self, path: Path) -> None:
        """Writes all of it into one .npz file."""
        parts: dict[str, NDArray[np.generic]] = {}
        for name, part in vars(self).items():
            parts |= {f"{name}.{key}": value for key, value in vars(part).items()}
        np.savez_compressed(path, allow_pickle=False, **parts)

    @classmethod
    def load(cls, path: Path) -> "Pool":
        """Reads what `save` wrote."""
        with np.load(path) as file:
            parts = {name: _part(file, name) for name in dict.fromkeys(key.partition(".")[0] for key in file.files)}
        return cls(**parts)


def _part(file: Mapping[str, NDArray[Any]], name: str) -> Any:
    if f"{name}.kinds" in file:
        return Others(file[f"{name}.pixels"], file[f"{name}.weights"], file[f"{name}.kinds"])
    return Digits(file[f"{name}.pixels"], file[f"{name}.labels"])


@dataclass(frozen=True, eq=False)
class Batch:
    pixels: NDArray[np.float32]  # (BATCH, 28, 28) in [0, 1]
    labels: NDArray[np.int64]  # (BATCH,), 0 where there is no digit
    is_digit: NDArray[np.float32]  # (BATCH,) 1 or 0
    weights: NDArray[np.float32]  # (BATCH,) of the digit head's loss


def prepared(digits: Digits) -> Digits:
    """Runs the service's own preprocessing over the pictures."""
    pixels = [np.rint(prepare_grey(picture).pixels * 255).astype(np.uint8) for picture in digits.pixels]
    return Digits(np.stack(pixels), digits.labels)


def steps_of_epoch(pool: Pool) -> int:
    """Returns after how many batches each of MNIST's training images was seen once."""
    return len(pool.train) // DIGITS


def batches(pool: Pool, rng: np.random.Generator, progress: float = 0.0) -> Iterator[Batch]:
    """Yields the batches of one epoch; `progress` is the share of the training that is done."""
    share_mild = SHARE_MILD_LATE if progress >= LATE else SHARE_MILD
    order = rng.permutation(len(pool.train))
    is_digit = np.repeat(np.array([1, 0], np.float32), [DIGITS + DRAWN, OTHERS])
    for step in range(steps_of_epoch(pool)):
        rows = order[step * DIGITS : (step + 1) * DIGITS]
        drawn = rng.integers(len(pool.drawn), size=DRAWN)
        others = rng.integers(len(pool.others.pixels), size=OTHERS)
        pixels = np.concatenate([pool.train.pixels[rows], pool.drawn.pixels[drawn], pool.others.pixels[others]])
        labels = np.concatenate([pool.train.labels[rows], pool.drawn.labels[drawn], np.zeros(OTHERS, np.int64)])
        weights = np.concatenate([np.ones(DIGITS + DRAWN, np.float32), pool.others.weights[others]])
        scaled = pixels.astype(np.float32) / np.float32(255)
        yield Batch(_varied(scaled, rng, share_mild), labels, is_digit, weights)


def _varied(pixels: NDArray[np.float32], rng: np.random.Generator, share_mild: float) -> NDArray[np.float32]:
    mild = rng.random(len(pixels)) < share_mild
    varied = np.empty_like(pixels)
    varied[mild] = augment(pixels[mild], rng, MILD)
    varied[~mild] = augment(pixels[~mild], rng, STRONG)
    return varied


def gather(mnist: data.Mnist, sizes: Sizes) -> Pool:
    """Prepares and draws everything; the seeds are fixed, so that two runs with the same fonts agree."""
    mnist = mnist.reduced(sizes.digits)
    drawn = evaluation_sets.samples(evaluation_sets.DEVELOPMENT, sizes.of_a_kind)
    development, labels = pictures.prepared(drawn)
    return Pool(
        train=prepared(mnist.train),
        held=prepared(mnist.held),
        drawn=drawings.make(sizes.drawn, seed=11),
        others=nondigits.make(sizes.others, seed=12, digits=mnist.train, held=False),
        held_others=nondigits.make(sizes.others // 10, seed=13, digits=mnist.held, held=True),
        development=Digits(np.rint(development * 255).astype(np.uint8), labels),
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what both trainings take."""
    parser.add_argument("--pool", type=Path, help="the file that train.stream wrote")
    parser.add_argument("--folder", type=Path, default=Path("runs"), help="where the state and the models go")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a short run on few pictures, which needs --mnist alone")
    parser.add_argument("--mnist", type=Path, help="the folder of the four original files, for --quick")


def asked(arguments: argparse.Namespace, quick_epochs: int) -> tuple[Pool, int]:
    """Returns the pool and the epochs that the arguments ask for; raises DataError, ValueError."""
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.quick and arguments.mnist:
        pool = gather(data.load(arguments.mnist), QUICK)
        pool.save(arguments.folder / "pool.npz")
        return pool, quick_epochs
    if arguments.pool and not arguments.quick:
        return Pool.load(arguments.pool), arguments.epochs
    message = "say either --quick --mnist DIR, or --pool FILE (python -m train.stream makes it)"
    raise ValueError(message)


def main() -> int:
    parser = argparse.ArgumentParser(description="Prepares MNIST and draws the other pictures, once for both networks.")
    parser.add_argument("--mnist", type=Path, required=True, help="the folder of the four original files")
    parser.add_argument("--output", type=Path, required=True, help="the .npz file to write")
    arguments = parser.parse_args()
    pool = gather(data.load(arguments.mnist), FULL)
    pool.save(arguments.output)
    for name, part in vars(pool).items():
        print(f"{name}: {len(part.pixels)} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())

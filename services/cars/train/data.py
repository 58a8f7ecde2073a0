"""The crops of Stanford Cars, decoded once into arrays on disk, and the split that every choice is made on.

Stanford Cars: Krause, Stark, Deng and Fei-Fei, "3D Object Representations for Fine-Grained Categorization" (3dRR-13,
ICCV 2013). The pictures come from the web, and no licence is stated: they stay out of this repository.

    python -m train.data --cars DIR --work DIR       # DIR of the crops: train/, test/, index.csv, labels.json
"""

import argparse
import csv
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]  # (n, 224, 224, 3), squashed to squares
Labels = NDArray[np.int64]  # (n,)

SIDE = 224  # the crops have the area of 160 × 160 px: more would store nothing more
SPLITS = ("train", "test")
HELD_BACK = 0.1  # of each class: about 800 crops that choose everything, so that the test set chooses nothing
SPLIT_SEED = 196


@dataclass(frozen=True, eq=False)
class Cars:
    """Crops on disk (n, 224, 224, 3) and what they show (n,)."""

    pixels: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Names:
    """What the 196 labels mean; classes that share a make, a body or a year share its number."""

    classes: list[dict[str, Any]]
    groups: dict[str, Labels]  # "make", "model", "body", "year" → (196,)


def names(folder: Path) -> Names:
    """Reads labels.json, which lies beside the crops and beside the arrays."""
    classes = json.loads((folder / "labels.json").read_text())["classes"]
    keys = {
        "make": [row["make"] for row in classes],
        "model": [(row["make"], row["model"]) for row in classes],
        "body": [row["body"] or "" for row in classes],
        "year": [row["year"] for row in classes],
    }
    return Names(classes, {key: _numbered(values) for key, values in keys.items()})


def load(work: Path, split: str) -> Cars:
    """Opens what `prepare` wrote; the pixels stay on disk."""
    return Cars(np.load(work / f"{split}.npy", mmap_mode="r"), np.load(work / f"{split}-labels.npy"))


def divide(work: Path) -> tuple[Labels, Labels]:
    """Returns the rows of train/ to learn from and those to choose by: the same tenth of each class every time."""
    labels, twins = np.load(work / "train-labels.npy"), np.load(work / "train-twins.npy")
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    order = order[~twins[order]]  # of two copies of one picture, neither judges the other
    by_class = [order[labels[order] == label] for label in range(labels.max() + 1)]
    held = np.concatenate([rows[: round(HELD_BACK * np.sum(labels == label))] for label, rows in enumerate(by_class)])
    return np.setdiff1d(np.arange(len(labels)), held), np.sort(held)


def prepare(cars: Path, work: Path) -> None:
    """Decodes every crop once, so that an epoch costs no JPEG."""
    with (cars / "index.csv").open(newline="") as file:
        index = list(csv.DictReader(file))
    work.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(cars / "labels.json", work / "labels.json")
    for split in SPLITS:
        rows = [row for row in index if row["split"] == split]
        np.save(work / f"{split}-labels.npy", np.array([int(row["label"]) for row in rows], np.int64))
        np.save(work / f"{split}-twins.npy", np.array([row["near_duplicate_of"] != "" for row in rows]))
        partial = work / f"{split}.part.npy"
        pixels = open_memmap(partial, "w+", np.uint8, (len(rows), SIDE, SIDE, 3))
        for i, row in enumerate(rows):
            pixels[i] = squashed(Image.open(cars / row["file"]))
        pixels.flush()
        partial.replace(work / f"{split}.npy")


def squashed(picture: Image.Image, side: int = SIDE) -> Pixels:
    """Returns a picture (side, side, 3) without regard to its aspect: every crop fills the square."""
    return np.asarray(picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))


def _numbered(values: list[Any]) -> Labels:
    order = sorted(set(values))
    return np.array([order.index(value) for value in values], np.int64)


def main() -> int:
    parser = argparse.ArgumentParser(description="Decodes the crops once into arrays of 224 × 224 px.")
    parser.add_argument("--cars", type=Path, required=True, help="the folder of train/, test/ and index.csv")
    parser.add_argument("--work", type=Path, required=True, help="where the arrays go: 2.3 GB")
    arguments = parser.parse_args()
    prepare(arguments.cars, arguments.work)
    learning, held = divide(arguments.work)
    sys.stdout.write(f"train {len(learning)}, held back {len(held)}, test {len(load(arguments.work, 'test'))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

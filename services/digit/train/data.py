"""MNIST: the four original files, read from a folder or downloaded, and the split that every choice is made on.

MNIST is by Yann LeCun and Corinna Cortes, derived from NIST's Special Databases 1 and 3.

    python -m train.data --mnist DIR       # downloads what is missing into DIR, and verifies all four files
"""

import argparse
import gzip
import hashlib
import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # (n, 28, 28), white ink on black
Labels = NDArray[np.int64]  # (n,)

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
MD5 = {  # as published with the original files
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
HELD_BACK = 500  # of each digit: 5,000 images that choose everything, so that the test set chooses nothing
SPLIT_SEED = 20260
DOWNLOAD_TIMEOUT_S = 60


class DataError(Exception):
    """MNIST is not there and cannot be had; the text says which file, and what would help."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Pictures (n, 28, 28) uint8, white ink on black, and what they show (n,)."""

    pixels: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> "Digits":
        return Digits(self.pixels[rows], self.labels[rows])


@dataclass(frozen=True, eq=False)
class Mnist:
    train: Digits  # 55,000
    held: Digits  # 5,000 of the training images, 500 of each digit
    test: Digits  # 10,000: looked at once, at the end

    def reduced(self, n: int) -> "Mnist":
        """Returns it with n training images at most, and a tenth of that held back."""
        return Mnist(self.train[:n], self.held[:: -(-10 * len(self.held) // n)], self.test)


def load(folder: Path, mirrors: tuple[str, ...] = MIRRORS) -> Mnist:
    """Reads MNIST from `folder`, downloading what is missing; raises DataError."""
    for name in MD5:
        if not (folder / name).exists():
            _download(folder / name, mirrors)
    train, held = split(_digits(folder, "train"))
    return Mnist(train, held, _digits(folder, "t10k"))


def split(digits: Digits) -> tuple[Digits, Digits]:
    """Returns (training, held back): the same 500 of each digit every time."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(digits))
    held = np.concatenate([order[digits.labels[order] == digit][:HELD_BACK] for digit in range(10)])
    rest = np.setdiff1d(order, held)
    return digits[rest], digits[np.sort(held)]


def _digits(folder: Path, prefix: str) -> Digits:
    pixels = _verified(folder / f"{prefix}-images-idx3-ubyte.gz")[16:]  # after magic, count, rows, columns
    labels = _verified(folder / f"{prefix}-labels-idx1-ubyte.gz")[8:]  # after magic, count
    return Digits(np.frombuffer(pixels, np.uint8).reshape(-1, 28, 28), np.frombuffer(labels, np.uint8).astype(np.int64))


def _verified(path: Path) -> bytes:
    packed = path.read_bytes()
    digest = hashlib.md5(packed, usedforsecurity=False).hexdigest()
    if digest != MD5[path.name]:
        message = f"{path.name} has the md5 {digest}, the published one is {MD5[path.name]}: remove it and start again"
        raise DataError(message)
    return gzip.decompress(packed)


def _download(path: Path, mirrors: tuple[str, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    for mirror in mirrors:
        try:
            with urllib.request.urlopen(mirror + path.name, timeout=DOWNLOAD_TIMEOUT_S) as answer:  # noqa: S310 - https
                data = answer.read()
        except (urllib.error.URLError, OSError) as error:
            reasons.append(f"{mirror}: {error}")
            continue
        partial = path.with_suffix(".part")
        partial.write_bytes(data)
        partial.replace(path)
        return
    message = (
        f"{path.name} is not in {path.parent}, and no mirror answered ({'; '.join(reasons)}). "
        "Put the four original MNIST files there (--mnist DIR), or name another mirror (--mirror URL)."
    )
    raise DataError(message)


def main() -> int:
    parser = argparse.ArgumentParser(description="Fetches and verifies the four original files of MNIST.")
    parser.add_argument("--mnist", type=Path, required=True, help="the folder of the four .gz files")
    parser.add_argument("--mirror", action="append", help="a URL that ends in /; the first that answers is taken")
    arguments = parser.parse_args()
    try:
        mnist = load(arguments.mnist, tuple(arguments.mirror or MIRRORS))
    except DataError as error:
        sys.stderr.write(f"{error}{os.linesep}")
        return 1
    sys.stdout.write(f"train {len(mnist.train)}, held back {len(mnist.held)}, test {len(mnist.test)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

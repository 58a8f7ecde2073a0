"""What the ONNX files answer for the crops: computed once, and kept beside the arrays.

The service's own code asks them, so that what is chosen and reported is what is served.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cars.preprocess import mirrored
from numpy.typing import NDArray
from servicekit import onnx

from train import data as arrays

BATCH = 16
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answers:
    """Logits (n, 196) and features (n, 1280) of pictures, and of their mirror images where these were asked for."""

    logits: Array
    features: NDArray[np.float32]
    other_logits: Array
    other_features: NDArray[np.float32]

    def taken(self, both: bool) -> tuple[Array, NDArray[np.float32]]:
        """Returns logits and features; with `both`, the means of the two ways round."""
        if not both:
            return self.logits, self.features
        return (self.logits + self.other_logits) / 2, (self.features + self.other_features) / 2


class Cars:
    """`cars.onnx` of a folder."""

    def __init__(self, folder: Path) -> None:
        data = (folder / "cars.onnx").read_bytes()
        self.sha256 = hashlib.sha256(data).hexdigest()
        self._session = onnx.session(data)

    def crops(self, work: Path, split: str, rows: arrays.Labels, name: str, both: bool = True) -> Answers:
        """Returns the answers for rows of a split, from `work/outputs` where they were asked for before."""
        path = work / "outputs" / f"{self.sha256[:12]}-{name}.npz"
        if path.exists():
            with np.load(path) as kept:
                return Answers(**kept)
        pixels = arrays.load(work, split).pixels
        found = self.ask((pixels[part] for part in np.array_split(rows, -(-len(rows) // BATCH))), both)
        path.parent.mkdir(exist_ok=True)
        np.savez(path, **found.__dict__)
        return found

    def ask(self, batches: Iterable[NDArray[np.uint8]], both: bool = True) -> Answers:
        """Reads pictures (n, 224, 224, 3), a batch after the other."""
        parts = []
        for pixels in batches:
            plain = self._run(pixels)
            parts.append((*plain, *(self._run(mirrored(pixels)) if both else plain)))
        return Answers(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _run(self, pixels: NDArray[np.uint8]) -> tuple[Array, NDArray[np.float32]]:
        logits, features = self._session.run(("logits", "features"), {"pixels": np.ascontiguousarray(pixels)})
        return logits.astype(np.float64), features

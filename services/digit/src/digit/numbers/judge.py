"""Whether a candidate is cut rightly: a small convolutional network that sees it amid what is around it.

The digit networks are shown a candidate alone, where half an 8 is a good 3; beside the rest of its 8 it is not. The
network is run by NumPy: it is so small that a second runtime's session would be more code than this.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from safetensors.numpy import load
from servicekit import weights

from digit.numbers.lattice import Floats, Ints, Lattice
from digit.numbers.scaled import PAPER

Pixels = NDArray[np.float32]

FILE = "judge.safetensors"
FOLDER = Path(__file__).parent / "weights"
SIDE = 28  # pixels of a window
TALL = 18.0  # pixels in it of the typical height of a digit
LEAST = -8.0  # logit: surer than so it never is
LAYERS = 3
KERNEL = 3
STRIDE = 2


class Judge:
    """Convolutions of 3 × 3 with stride 2 and ReLU, then two dense layers."""

    def __init__(self, arrays: dict[str, Pixels]) -> None:
        """Takes kernels (3 * 3 * channels before, channels) and dense weights (inputs, outputs), each with a bias."""
        self._arrays = {name: array.astype(np.float32) for name, array in arrays.items()}

    def __call__(self, windows: Pixels) -> Floats:
        """Returns the logit (n,) of each window (n, SIDE, SIDE, 2) that it shows one whole digit."""
        planes = windows
        for layer in range(LAYERS):
            planes = self._dense(f"convolution{layer}", _patches(planes))
        hidden = self._dense("hidden", planes.reshape(len(planes), -1))
        logits = (hidden @ self._arrays["out"] + self._arrays["out_bias"])[:, 0]
        return np.clip(logits.astype(np.float64), LEAST, -LEAST)

    def _dense(self, name: str, inputs: Pixels) -> Pixels:
        return np.asarray(np.maximum(inputs @ self._arrays[name] + self._arrays[f"{name}_bias"], np.float32(0)))


def _patches(planes: Pixels) -> Pixels:
    """Returns (n, h / 2, w / 2, 9 * channels): what lies under the kernel at every place."""
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1), (0, 0)))
    views = sliding_window_view(padded, (KERNEL, KERNEL), axis=(1, 2))[:, ::STRIDE, ::STRIDE]  # (n, h, w, c, 3, 3)
    n, height, width = views.shape[:3]
    return np.ascontiguousarray(views).reshape(n, height, width, -1)


@cache
def judge() -> Judge:
    """Returns the shipped network; raises WeightsError."""
    file = weights.load(FOLDER, FILE)
    return Judge(load(file.data))


def windows(lattice: Lattice, chosen: Ints) -> Pixels:
    """Returns (n, SIDE, SIDE, 2) in [0, 1]: the ink of each chosen candidate, and the ink around it."""
    pieces = lattice.pieces
    scale = TALL / pieces.tall
    rows, columns = np.nonzero(pieces.label != PAPER)
    height, width = (int(np.ceil(side * scale)) + 2 * SIDE for side in pieces.label.shape)
    y, x = ((place * scale).astype(np.intp) + SIDE for place in (rows, columns))
    place = (pieces.label[rows, columns] * height + y) * width + x
    ink = np.bincount(place, pieces.ink[rows, columns], len(pieces) * height * width) * scale**2
    sums = np.zeros((len(pieces) + 1, height, width), np.float32)
    np.cumsum(ink.reshape(-1, height, width), axis=0, out=sums[1:])
    boxes = lattice.boxes[chosen] * scale
    left = ((boxes[:, 0] + boxes[:, 2] + SIDE) / 2).astype(np.intp)
    top = ((boxes[:, 1] + boxes[:, 3] + SIDE) / 2).astype(np.intp)
    within = top[:, None, None] + np.arange(SIDE)[:, None], left[:, None, None] + np.arange(SIDE)
    first, last = (piece[chosen][:, None, None] for piece in (lattice.first, lattice.last))
    own = sums[last, *within] - sums[first, *within]
    return np.asarray(np.minimum(np.stack((own, sums[-1][within] - own), axis=3), np.float32(1)))

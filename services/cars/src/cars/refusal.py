"""How well a car is known: the surer, the likelier it is one of those that the model was trained on.

Several measures of one reading, weighed by a logistic regression that was fitted on cars it knows and cars it does not.
Largest logit: Vaze et al., "Open-Set Recognition: a Good Closed-Set Classifier is All You Need?" (ICLR 2022); energy:
Liu et al. (NeurIPS 2020); nearest neighbours: Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors"
(ICML 2022), here in a space of fewer dimensions.
"""

import io
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from cars.postprocess import probabilities

Array = NDArray[np.float64]
Small = NDArray[np.float32]

NEIGHBOURS = 5


class Weighing(msgspec.Struct, frozen=True):
    """What `weights.json` says of the measures: each is standardised, weighed and summed."""

    measures: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    threshold: float  # of the certainty: less is a car that is not known


@dataclass(frozen=True, eq=False)
class Memory:
    """What the network made of the crops that it learned from, in fewer dimensions and of length 1."""

    mean: Small  # (features,)
    axes: Small  # (features, dimensions)
    crops: Small  # (m, dimensions), of length 1
    centres: Small  # (classes, dimensions), of length 1

    def placed(self, features: NDArray[np.float32]) -> Small:
        """Returns features (n, features) in the memory's space, of length 1."""
        centred: Small = unit(features) - self.mean
        return unit(centred @ self.axes)


def measures(memory: Memory, logits: Array, features: NDArray[np.float32]) -> dict[str, Array]:
    """Returns each measure (n,) of logits (n, classes) and features (n, features): more is better known."""
    placed = memory.placed(features)
    near = np.partition(placed @ memory.crops.T, (-NEIGHBOURS, -1), axis=1)
    top = np.partition(logits, (-2, -1), axis=1)
    p = probabilities(logits)
    return {
        "softmax": p.max(1),
        "logit": top[:, -1],
        "contrast": top[:, -1] - top.mean(1),
        "margin": top[:, -1] - top[:, -2],
        "energy": top[:, -1] - np.log(p.max(1)),
        "entropy": (p * np.log(p + 1e-12)).sum(1),
        "centre": (placed * memory.centres[logits.argmax(1)]).sum(1).astype(np.float64),
        "neighbour": near[:, -1].astype(np.float64),
        "neighbours": near[:, -NEIGHBOURS].astype(np.float64),
    }


def certainty(weighing: Weighing, measured: dict[str, Array]) -> Array:
    """Returns (n,) in [0, 1]."""
    columns = np.stack([measured[name] for name in weighing.measures], axis=-1)  # (n, measures)
    standard = (columns - np.array(weighing.means)) / np.array(weighing.deviations)
    result: Array = 1 / (1 + np.exp(-(standard @ np.array(weighing.weights) + weighing.bias)))
    return result


def loaded(data: bytes) -> Memory:
    """Returns the memory of a file that `saved` wrote."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return Memory(*(arrays[name].astype(np.float32) for name in ("mean", "axes", "crops", "centres")))


def saved(memory: Memory) -> bytes:
    """Returns a memory as a NumPy archive in FP16: half the size, and the same to three digits."""
    file = io.BytesIO()
    np.savez(file, **{name: getattr(memory, name).astype(np.float16) for name in ("mean", "axes", "crops", "centres")})
    return file.getvalue()


def unit(rows: NDArray[np.float32]) -> Small:
    """Returns rows (n, dimensions) of length 1."""
    result: Small = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return result

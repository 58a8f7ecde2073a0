"""Measures of how well a car is known: the higher, the likelier it is one of the 196.

Maximum of the logits after Vaze et al., "Open-Set Recognition: a Good Closed-Set Classifier is All You Need?"
(ICLR 2022); energy after Liu et al. (NeurIPS 2020); nearest neighbours after Sun et al. (ICML 2022).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Measure = Callable[[Array, Array], Array]  # logits (n, 196), features (n, 1280) → (n,)

NEIGHBOURS = 5


@dataclass(frozen=True, eq=False)
class Memory:
    """What the network made of the crops that it learned from."""

    features: Array  # (m, 1280)
    labels: NDArray[np.int64]  # (m,)


def measures(memory: Memory) -> dict[str, Measure]:
    """Returns every measure by name; the last two need the features of the training crops."""
    unit = _unit(memory.features)
    centres = _unit(np.stack([unit[memory.labels == label].mean(0) for label in range(memory.labels.max() + 1)]))
    return {
        "softmax": lambda logits, _: np.exp(logits.max(1) - _energy(logits)),
        "logit": lambda logits, _: logits.max(1),
        "energy": lambda logits, _: _energy(logits),
        "margin": lambda logits, _: np.diff(np.sort(logits, axis=1)[:, -2:], axis=1)[:, 0],
        "centre": lambda logits, features: (_unit(features) * centres[logits.argmax(1)]).sum(1),
        "neighbours": lambda _, features: np.sort(_unit(features) @ unit.T, axis=1)[:, -NEIGHBOURS],
    }


def _energy(logits: Array) -> Array:
    top = logits.max(1)
    result: Array = top + np.log(np.exp(logits - top[:, None]).sum(1))
    return result


def _unit(features: Array) -> Array:
    result: Array = features / np.linalg.norm(features, axis=1, keepdims=True)
    return result

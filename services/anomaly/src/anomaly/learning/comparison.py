"""Which of two models is better where nobody labelled an anomaly: the same faults are put into held-back rows of both.

Criterion: the share of faulty windows detected, averaged over the kinds of fault, at thresholds that let each model
raise the same false alarms on the untouched held-back rows (1 %). Faults: one sensor shifted for a whole window by 1,
2 or 4 of its training standard deviations, up or down; and one sensor's window taken from another time, which leaves
every value possible and breaks what ties the sensors together. Held-back rows and faults are the same for all models.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomaly.detector import blocks
from anomaly.preprocess import windows as windows_of

Array = NDArray[np.float64]
Scorer = Callable[[Array], Array]  # windows (n, W, d) to scores (n,)

FALSE_ALARMS = 0.01
SHIFTS = (1.0, 2.0, 4.0)
MAX_WINDOWS = 200  # per fold that get a fault
# A lead smaller than this is luck: the simpler model, which is fitted in closed form, is taken.
LEAD = 0.05
CRITERION = (
    "mean share of artificial faults detected in held-back rows (one sensor shifted by 1, 2 or 4 standard deviations, "
    "or taken from another time), at thresholds with 1 % false alarms on the same rows"
)


@dataclass(frozen=True)
class Faults:
    """Windows (n, W, d) of one fold with one kind of fault each, by the name of the fault."""

    kinds: Mapping[str, Array]


def faults(segments: Sequence[Array], window: int, scale: Array, seed: int) -> Faults:
    """Makes the faults of one fold from its held-back segments (n, d); `scale` (d,) is the unit of shifts."""
    generator = np.random.default_rng(seed)
    stack = np.concatenate([windows_of(segment, window) for segment in segments])  # (n, W, d)
    chosen = stack[np.sort(generator.choice(len(stack), min(MAX_WINDOWS, len(stack)), replace=False))]
    n, _, n_sensors = chosen.shape
    sensors = np.asarray(generator.integers(n_sensors, size=n))
    signs = generator.choice(np.array([-1.0, 1.0]), size=n)
    kinds: dict[str, Array] = {}
    rows = np.arange(n)
    healthy = chosen[rows, :, sensors]  # (n, W)
    with np.errstate(over="ignore"):
        for size in SHIFTS:
            kinds[f"shift_{size:g}"] = _replaced(chosen, sensors, healthy + size * (signs * scale[sensors])[:, None])
    others = generator.integers(len(stack), size=n)
    kinds["swap"] = _replaced(chosen, sensors, stack[others, :, sensors])
    return Faults(kinds)


def _replaced(chosen: Array, sensors: NDArray[np.int64], values: Array) -> Array:
    faulty = chosen.copy()
    faulty[np.arange(len(chosen)), :, sensors] = np.nan_to_num(values)
    return faulty


def detected(normal: Array, per_fold: Sequence[tuple[Scorer, Faults]]) -> dict[str, float]:
    """Returns the share detected per kind of fault and their mean, `detected`; `normal` are held-back scores (n,)."""
    index = min(len(normal), math.ceil((len(normal) + 1) * (1 - FALSE_ALARMS))) - 1
    threshold = float(np.partition(normal, index)[index])
    shares: dict[str, float] = {}
    for kind in per_fold[0][1].kinds:
        scores = np.concatenate([score(faulty.kinds[kind]) for score, faulty in per_fold])
        shares[kind] = round(float(np.mean(scores > threshold)), 4)
    return {"detected": round(float(np.mean(list(shares.values()))), 4), **shares}


def is_supported(held: Sequence[Array], window: int) -> bool:
    """Returns whether the held-back scores (n,) of each kind are worth enough to count the criterion's false alarms."""
    needed = blocks.blocks_needed(FALSE_ALARMS)
    return all(len(scores) // blocks.block_length(scores, window) >= needed for scores in held)


def better(autoencoder: Mapping[str, float], pca: Mapping[str, float]) -> str:
    """Returns the kind that detects more; `pca` unless the autoencoder leads by LEAD."""
    return "autoencoder" if autoencoder["detected"] >= pca["detected"] + LEAD else "pca"

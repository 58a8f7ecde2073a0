"""The three figures that are told of a model, from its outputs."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

BINS = 15


def accuracy(probabilities: Array, labels: NDArray[np.integer]) -> float:
    """Returns the share of pictures whose likeliest digit (n, 10) is the right one."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def calibration_error(probabilities: Array, labels: NDArray[np.integer], bins: int = BINS) -> float:
    """Returns the expected calibration error: confidence against accuracy in bins of equal width (Guo et al. 2017)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(place, right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def area_under_roc(positive: Array, negative: Array) -> float:
    """Returns how often a score of `positive` (n,) is above one of `negative` (m,); ties count a half."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left") + np.searchsorted(ordered, positive, side="right")
    return float(below.mean() / (2 * len(ordered)))


def likelihood_loss(probabilities: Array, labels: NDArray[np.integer]) -> float:
    """Returns the mean negative log likelihood of the right digits."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-300)).mean())

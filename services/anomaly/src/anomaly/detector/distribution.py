"""What the scores of held-back normal rows show: which threshold gives which rate, and how they are spread."""

import math

import numpy as np
from numpy.typing import NDArray

from anomaly.detector import extremes

Array = NDArray[np.float64]

CURVE_RATES = (0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 1e-5)
MIN_BINS, MAX_BINS = 10, 60


def conformal_quantile(scores: Array, probability: float) -> float:
    """Returns the ceil((n + 1) * probability)-th smallest score, or the largest where there is no such one.

    A new score of the same kind is over it with a probability of at most 1 - probability (Lei et al., JASA 113, 2018).
    """
    index = min(len(scores), max(1, math.ceil((len(scores) + 1) * probability - 1e-9)))
    return float(np.partition(scores, index - 1)[index - 1])


def exceedance(scores: Array, score: float) -> float:
    """Returns the estimated share of normal rows over `score`: counted, or by the fitted tail where few are over it."""
    tail = extremes.fit(scores)
    if tail is None or score < tail.level:
        return float(np.mean(scores > score))
    return tail.exceedance(score)


def curve(scores: Array) -> list[dict[str, float]]:
    """Returns thresholds for falling rates: counted while the rows suffice, then from the fitted tail."""
    points: list[dict[str, float]] = []
    tail, least = extremes.fit(scores), 0.0
    for rate in CURVE_RATES:
        if tail is not None and rate < tail.share:
            value = tail.quantile(rate)
        elif rate * len(scores) >= 1:
            value = conformal_quantile(scores, 1 - rate)
        else:
            break
        least = max(least, value)
        points.append({"false_alarm_rate": rate, "threshold": least})
    return points


def histogram(scores: Array, max_bins: int = MAX_BINS) -> dict[str, list[float]]:
    """Returns edges and counts, in at most `max_bins` bins of Freedman and Diaconis's width; none for no scores."""
    if not len(scores):
        return {"edges": [], "counts": []}
    high = float(scores.max()) or 1.0
    width = 2 * float(np.quantile(scores, 0.75) - np.quantile(scores, 0.25)) / len(scores) ** (1 / 3)
    n_bins = max_bins if width <= 0 else min(max_bins, max(MIN_BINS, math.ceil(min(high / width, 1e6))))
    counts, edges = np.histogram(scores, bins=n_bins, range=(0.0, high))
    return {"edges": edges.tolist(), "counts": counts.tolist()}

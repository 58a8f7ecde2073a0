"""The tail of the scores: a generalised Pareto distribution fitted to what exceeds a high level.

Peaks over threshold as in Siffer, Fouque, Termier and Largouet, KDD 2017 (SPOT), fitted by probability-weighted moments
(Hosking and Wallis, Technometrics 29, 1987), which are steadier than maximum likelihood for under 500 excesses. The
shape is drawn towards 0 with the weight of 10 excesses, as in Vehtari et al., JMLR 25 (2024), and one over the number
of independent excesses is added to it: exact for an exponential tail of unknown scale (its predictive distribution is
Lomax's), and wider where few bursts were seen.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomaly.detector.blocks import extremal_index

Array = NDArray[np.float64]

TAIL_SHARE = 0.1  # of the scores
MIN_EXCESSES, MAX_EXCESSES = 8, 1000
PRIOR_EXCESSES = 10
LIGHTEST, HEAVIEST = -0.5, 0.5  # shapes for which the moments exist and behave


@dataclass(frozen=True)
class Tail:
    """P(score > x) = share * (1 + shape * (x - level) / scale) ** (-1 / shape) for x over `level`."""

    level: float
    share: float
    shape: float
    scale: float
    excesses: int
    bursts: float

    def quantile(self, rate: float) -> float:
        """Returns the score that is exceeded with probability `rate`, which is at most `share`."""
        ratio = math.log(self.share / rate)
        if abs(self.shape) < 1e-9:
            return self.level + self.scale * ratio
        return self.level + self.scale / self.shape * math.expm1(self.shape * ratio)

    def exceedance(self, score: float) -> float:
        """Returns the probability of a score over `score`, which is at least `level`."""
        reach = (score - self.level) / self.scale
        if abs(self.shape) < 1e-9:
            return self.share * math.exp(-reach)
        base = 1 + self.shape * reach
        return self.share * float(base ** (-1 / self.shape)) if base > 0 else 0.0


def fit(scores: Array) -> Tail | None:
    """Fits the tail of scores in time order (n,); None where under MIN_EXCESSES scores differ from the level."""
    wanted = min(MAX_EXCESSES, max(MIN_EXCESSES, int(TAIL_SHARE * len(scores))))
    if len(scores) < 2 * MIN_EXCESSES:
        return None
    level = float(np.sort(scores)[-wanted - 1])
    excesses = np.sort(scores[scores > level] - level)
    if len(excesses) < MIN_EXCESSES or not excesses.mean() > 0:
        return None
    bursts = max(1.0, extremal_index(scores, level) * len(excesses))
    shape = _shape(excesses) + 1 / bursts
    scale = float(excesses.mean()) * (1 - min(shape, 0.9))
    return Tail(level, (len(excesses) + 1) / (len(scores) + 1), shape, scale, len(excesses), bursts)


def _shape(excesses: Array) -> float:
    """Returns the shape by probability-weighted moments of sorted excesses, drawn towards 0 where they are few."""
    n = len(excesses)
    weights = 1 - (np.arange(1, n + 1) - 0.35) / n
    mean, weighted = float(excesses.mean()), float(np.mean(weights * excesses))
    denominator = mean - 2 * weighted
    shape = 2 - mean / denominator if denominator > 0 else HEAVIEST
    return min(max(shape, LIGHTEST), HEAVIEST) * n / (n + PRIOR_EXCESSES)

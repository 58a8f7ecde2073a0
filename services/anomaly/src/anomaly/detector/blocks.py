"""Scores that follow each other are alike: how long for, and what that leaves of a promise.

Autocorrelation time: Sokal, "Monte Carlo methods in statistical mechanics" (1997), with his self-consistent window,
on ranks. Threshold for a rate: conformal risk control (Angelopoulos, Bates, Fisch, Lei and Schuster, ICLR 2024) with
blocks instead of rows as exchangeable units (Chernozhukov, Wüthrich and Zhu, COLT 2018); a block's loss is the share
of its rows that alarm. Extremal index: the intervals estimator of Ferro and Segers, J. R. Statist. Soc. B 65 (2003).
Halves: Mann and Whitney, Ann. Math. Statist. 18 (1947), on block means.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WINDOW_FACTOR = 5.0  # Sokal's c
BLOCK_TIMES = 2.0  # autocorrelation times in a block


def ranks(values: Array) -> Array:
    """Returns ranks from 0 (n,), ties sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts + 1) / 2)[inverse], dtype=np.float64)


def autocorrelation_time(values: Array) -> float:
    """Returns how many successive values (n,) count as one independent value, at least 1."""
    centered = ranks(values)
    centered -= centered.mean()
    n = len(centered)
    power = np.square(np.abs(np.fft.rfft(centered, 2 * n)))
    covariances = np.fft.irfft(power)[:n]
    if covariances[0] <= 0:
        return 1.0
    times = 2 * np.cumsum(covariances / covariances[0]) - 1  # times[M]: 1 + 2 * sum of the first M correlations
    settled = np.nonzero(np.arange(n) >= WINDOW_FACTOR * times)[0]
    return max(1.0, float(times[settled[0] if len(settled) else n - 1]))


def block_length(scores: Array, window: int) -> int:
    """Returns rows per block: at least the window, whose scores share rows, and twice the autocorrelation time."""
    longest = max(1, len(scores) // 2)
    return min(longest, max(window, math.ceil(BLOCK_TIMES * autocorrelation_time(scores) - 1)))


def controlled_threshold(scores: Array, block: int, rate: float) -> float | None:
    """Returns the lowest threshold at which the expected share of alarming rows is at most `rate`.

    None where the blocks are too few to promise it: 1 / rate - 1 are needed.
    """
    n_blocks = len(scores) // block
    allowed = (rate * (n_blocks + 1) - 1) / n_blocks if n_blocks else -1.0
    if allowed < -1e-12:
        return None
    used = np.sort(scores[len(scores) - n_blocks * block :])[::-1]  # the newest whole blocks
    return float(used[min(int(max(allowed, 0.0) * len(used) + 1e-9), len(used) - 1)])


def blocks_needed(rate: float) -> int:
    return math.ceil(1 / rate - 1 - 1e-9)


def extremal_index(scores: Array, threshold: float) -> float:
    """Returns 1 over the mean number of scores in a burst over the threshold, in (0, 1]; 1 where there is no burst."""
    gaps = np.diff(np.nonzero(scores > threshold)[0]).astype(np.float64)
    if len(gaps) < 2 or gaps.max() <= 1:
        return 1.0
    if gaps.max() > 2:
        index = 2 * float(np.sum(gaps - 1)) ** 2 / (len(gaps) * float(np.sum((gaps - 1) * (gaps - 2))))
    else:
        index = 2 * float(np.sum(gaps)) ** 2 / (len(gaps) * float(np.sum(np.square(gaps))))
    return min(1.0, index)


def halves_differ(scores: Array) -> float:
    """Returns the two-sided p-value that earlier and later blocks have scores of one size; 1 for under 8 blocks.

    The length of the blocks is that of the scores without their straight line, which is what is looked for.
    """
    if len(scores) < 8:
        return 1.0
    steps = np.arange(len(scores)) - (len(scores) - 1) / 2
    block = block_length(scores - steps * float(steps @ scores) / float(steps @ steps), 1)
    n_blocks = len(scores) // block
    if n_blocks < 8:
        return 1.0
    means = scores[len(scores) - n_blocks * block :].reshape(n_blocks, block).mean(axis=1)
    return mann_whitney(means[: n_blocks // 2], means[n_blocks // 2 :])


def mann_whitney(first: Array, second: Array) -> float:
    """Returns the two-sided p-value of the rank-sum test, by its normal approximation with ties."""
    n_1, n_2 = len(first), len(second)
    together = np.concatenate([first, second])
    n = n_1 + n_2
    statistic = float(ranks(together)[:n_1].sum()) - n_1 * (n_1 - 1) / 2
    _, counts = np.unique(together, return_counts=True)
    tied = float(np.sum(counts**3 - counts)) / (n * (n - 1))
    variance = n_1 * n_2 / 12 * (n + 1 - tied)
    if variance <= 0:
        return 1.0
    return 2 * NormalDist().cdf(-abs(statistic - n_1 * n_2 / 2) / math.sqrt(variance))

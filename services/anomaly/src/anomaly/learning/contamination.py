"""Training rows that are no normal rows: bursts of scores far beyond the rest, and sensors that change their level.

Bursts, on held-back scores: the logarithm of the score lies more than LIMIT robust deviations (1.4826 times the median
absolute deviation: Hampel, JASA 69, 1974; Iglewicz and Hoaglin, 1993) over the median. Bursts closer than a window are
one. Levels: the best split in two of a sensor's block means (binary segmentation: Scott, Knott, Biometrics 30, 1974).
"""

import math

import numpy as np
from numpy.typing import NDArray

from anomaly.learning.folds import Span, spans_of
from anomaly.preprocess import Scaler

Array = NDArray[np.float64]

LIMIT = 5.0
MIN_BURST = 3  # rows; single spikes belong to the life of a sensor
MAX_SHARE = 0.15  # of the rows; more are not outliers but another state of the machine
LEVEL_BLOCKS, MIN_LEVEL_BLOCKS, LEAST_PART = 20, 10, 3  # in all rows, for a judgement, on each side of a split
# Standard deviations of block means within the levels. A straight slope reaches 3.5: over that it was a step.
LEVEL_STEP = 6.0
LEAST_SPREAD = 0.01  # of a block mean, in standard deviations of rows: rounding must not look like perfect rest


def bursts(scores: Array, window: int) -> tuple[Span, ...]:
    """Returns spans of rows whose scores (n,), NaN where there is none, stand far out for MIN_BURST rows or more."""
    known = np.isfinite(scores)
    if known.sum() < 2 * MIN_BURST:
        return ()
    logs = np.log(np.maximum(scores, 1e-12))
    middle = float(np.median(logs[known]))
    spread = 1.4826 * float(np.median(np.abs(logs[known] - middle)))
    if not spread > 0:
        return ()
    far = known & (logs > middle + max(LIMIT * spread, math.log(2)))
    return tuple(span for span in _joined(spans_of(far), window) if span[1] - span[0] >= MIN_BURST)


def _joined(spans: tuple[Span, ...], gap: int) -> list[Span]:
    joined: list[Span] = []
    for start, stop in spans:
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined


def without(n_rows: int, spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Returns the spans of rows that remain."""
    usable = np.ones(n_rows, dtype=np.bool_)
    for start, stop in spans:
        usable[start:stop] = False
    return spans_of(usable)


def level_changes(rows: Array, window: int) -> tuple[tuple[int, int], ...]:
    """Returns (sensor, row) where a sensor of rows (n, d) moved to another level and stayed, the largest step first."""
    block = max(window, len(rows) // LEVEL_BLOCKS)
    n_blocks = len(rows) // block
    if n_blocks < MIN_LEVEL_BLOCKS:
        return ()
    skipped = len(rows) - n_blocks * block
    means = Scaler.fit(rows).apply(rows[skipped:]).reshape(n_blocks, block, -1).mean(axis=1)  # (n_blocks, d)
    splits = range(LEAST_PART, n_blocks - LEAST_PART + 1)
    steps = np.array([_step(means[:at], means[at:]) for at in splits])  # (splits, d)
    largest = np.max(steps, axis=0)
    found = [int(sensor) for sensor in np.argsort(-largest) if largest[sensor] > LEVEL_STEP]
    return tuple((sensor, skipped + splits[int(np.argmax(steps[:, sensor]))] * block) for sensor in found)


def _step(before: Array, after: Array) -> Array:
    """Returns the difference of levels (d,) in standard deviations of block means (k, d) within them."""
    squares = np.square(before - before.mean(axis=0)).sum(axis=0) + np.square(after - after.mean(axis=0)).sum(axis=0)
    within = np.sqrt(squares / (len(before) + len(after) - 2))
    return np.asarray(np.abs(after.mean(axis=0) - before.mean(axis=0)) / np.maximum(within, LEAST_SPREAD))

"""Training rows that are no normal rows: bursts of scores far beyond the rest, found on held-back scores.

Rule: the logarithm of the score lies more than LIMIT robust deviations (1.4826 times the median absolute deviation:
Hampel, JASA 69, 1974; Iglewicz and Hoaglin, 1993) over the median. Bursts closer than a window are one.
"""

import math

import numpy as np
from numpy.typing import NDArray

from anomaly.folds import Span, spans_of

Array = NDArray[np.float64]

LIMIT = 5.0
MIN_BURST = 3  # rows; single spikes belong to the life of a sensor
MAX_SHARE = 0.15  # of the rows; more are not outliers but another state of the machine


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

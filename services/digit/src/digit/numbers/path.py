"""The best way through the lattice, and how sure each step of it is.

Segmentation by recognition as a graph search, after LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied
to document recognition", Proceedings of the IEEE 86 (1998), sections V to VII: the Viterbi path is the reading, and the
forward scores of all paths are what its probability is held against.
"""

from dataclasses import dataclass
from math import exp, inf, log1p

import numpy as np

from digit.numbers.lattice import Floats, Lattice


@dataclass(frozen=True, eq=False)
class Path:
    """The candidates of the best path that are read as digits, and those that are left out, from left to right."""

    read: list[int]
    left_out: list[int]
    sureness: Floats  # (m,) probability of every candidate to be read, over all paths


def best_path(lattice: Lattice, read: Floats, left_out: Floats) -> Path:
    """Finds the path through all pieces with the greatest sum of scores (m,), each candidate read or left out."""
    n, better = len(lattice.pieces), np.maximum(read, left_out).tolist()
    best, came = [0.0] + [-inf] * n, [0] * (n + 1)
    for index, (first, last) in enumerate(_spans(lattice)):
        if best[first] + better[index] > best[last]:
            best[last] = best[first] + better[index]
            came[last] = index
    steps = []
    while n:
        steps.append(came[n])
        n = int(lattice.first[came[n]])
    steps.reverse()
    kept = read >= left_out
    return Path(
        [step for step in steps if kept[step]],
        [step for step in steps if not kept[step]],
        sureness(lattice, read, left_out),
    )


def sureness(lattice: Lattice, read: Floats, left_out: Floats) -> Floats:
    """Returns the probability (m,) that a candidate is read, by the forward-backward algorithm."""
    n, spans, either = len(lattice.pieces), _spans(lattice), np.logaddexp(read, left_out).tolist()
    ahead, behind = [0.0] + [-inf] * n, [-inf] * n + [0.0]
    for (first, last), score in zip(spans, either, strict=True):
        ahead[last] = _sum(ahead[last], ahead[first] + score)
    for (first, last), score in zip(reversed(spans), reversed(either), strict=True):
        behind[first] = _sum(behind[first], behind[last] + score)
    around = np.array(ahead)[lattice.first] + np.array(behind)[lattice.last]
    return np.asarray(np.exp(around + read - ahead[n]))


def _sum(one: float, other: float) -> float:
    """Returns log(exp(one) + exp(other)); NumPy's costs ten times as much on single numbers."""
    low, high = (one, other) if one < other else (other, one)
    return high + log1p(exp(low - high)) if low > -inf else high


def _spans(lattice: Lattice) -> list[tuple[int, int]]:
    return list(zip(lattice.first.tolist(), lattice.last.tolist(), strict=True))

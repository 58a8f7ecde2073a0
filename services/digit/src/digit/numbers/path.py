"""The best way through the lattice, and how sure each step of it is.

Segmentation by recognition as a graph search, after LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to
document recognition", Proceedings of the IEEE 86 (1998), sections V to VII: the Viterbi path is the reading, and the forward
scores of all paths are what its probability is held against.
"""

from dataclasses import dataclass

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
    better = np.maximum(read, left_out)
    n = len(lattice.pieces)
    best, came = np.full(n + 1, -np.inf), np.zeros(n + 1, np.intp)
    best[0] = 0.0
    for index, (first, last) in enumerate(_spans(lattice)):
        if best[first] + better[index] > best[last]:
            best[last] = best[first] + better[index]
            came[last] = index
    steps, piece = [], n
    while piece:
        steps.append(int(came[piece]))
        piece = int(lattice.first[came[piece]])
    steps.reverse()
    kept = read >= left_out
    return Path(
        [step for step in steps if kept[step]],
        [step for step in steps if not kept[step]],
        sureness(lattice, read, left_out),
    )


def sureness(lattice: Lattice, read: Floats, left_out: Floats) -> Floats:
    """Returns the probability (m,) that a candidate is read, by the forward-backward algorithm."""
    either = np.logaddexp(read, left_out)
    n, spans = len(lattice.pieces), _spans(lattice)
    ahead, behind = np.full(n + 1, -np.inf), np.full(n + 1, -np.inf)
    ahead[0], behind[n] = 0.0, 0.0
    for index, (first, last) in enumerate(spans):
        ahead[last] = np.logaddexp(ahead[last], ahead[first] + either[index])
    for index in range(len(spans) - 1, -1, -1):
        first, last = spans[index]
        behind[first] = np.logaddexp(behind[first], behind[last] + either[index])
    return np.exp(ahead[lattice.first] + read + behind[lattice.last] - ahead[n])


def _spans(lattice: Lattice) -> list[tuple[int, int]]:
    return list(zip(lattice.first.tolist(), lattice.last.tolist(), strict=True))

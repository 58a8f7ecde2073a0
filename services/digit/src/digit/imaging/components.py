"""Connected components of a mask, found among the runs of its rows: a few hundred instead of a million pixels."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]  # (h, w)
Ints = NDArray[np.intp]
FEW = 400  # runs that plain Python joins faster


class Components:
    """The 8-connected components of a mask: boxes, areas, and the runs they are made of.

    Runs are half-open ranges [start, end) in the flattened mask with one empty column added to each row. Boxes are
    worked out when they are asked for: (n,) first column and row, and one past the last.
    """

    def __init__(self, shape: tuple[int, int], starts: Ints, ends: Ints, owner: Ints, count: int) -> None:
        self.shape = shape
        self.starts, self.ends = starts, ends  # (runs,)
        self.owner = owner  # (runs,) the component of each run
        self.count = count

    def __len__(self) -> int:
        return self.count

    @cached_property
    def area(self) -> Ints:
        """Pixels of each (n,)."""
        return np.bincount(self.owner, self.ends - self.starts, self.count).astype(np.intp)

    @cached_property
    def row(self) -> Ints:
        """The row of each run (runs,)."""
        return self.starts // (self.shape[1] + 1)

    @cached_property
    def left(self) -> Ints:
        return self._least(self.starts % (self.shape[1] + 1))

    @cached_property
    def right(self) -> Ints:
        return -self._least(-(self.ends % (self.shape[1] + 1)))

    @cached_property
    def top(self) -> Ints:
        return self._least(self.row)

    @cached_property
    def bottom(self) -> Ints:
        return 1 - self._least(-self.row)

    def _least(self, values: Ints) -> Ints:
        least = np.full(self.count, np.iinfo(np.intp).max)
        np.minimum.at(least, self.owner, values)
        return least

    def mask(self, keep: NDArray[np.bool_]) -> Mask:
        """Returns the mask (h, w) of the components where `keep` (n,) is true."""
        height, width = self.shape
        chosen = keep[self.owner]
        steps = np.zeros(height * (width + 1) + 1, np.int8)
        steps[self.starts[chosen]] = 1
        steps[self.ends[chosen]] -= 1
        return np.cumsum(steps[:-1], dtype=np.int8).view(np.bool_).reshape(height, width + 1)[:, :-1]


def components(mask: Mask) -> Components:
    """Finds the 8-connected components of `mask`, in no particular order."""
    height, width = mask.shape
    pitch = width + 1
    starts, ends = _runs(mask)
    owner, n = _owners(starts, ends, pitch)
    return Components((height, width), starts, ends, owner, n)


def _runs(mask: Mask) -> tuple[Ints, Ints]:
    height, width = mask.shape
    padded = np.zeros(height * (width + 1) + 1, np.int8)
    padded[1:].reshape(height, width + 1)[:, :-1] = mask
    steps = np.flatnonzero(padded[1:] != padded[:-1])  # a run's start and end in turn
    return steps[::2], steps[1::2]


def _owners(starts: Ints, ends: Ints, pitch: int) -> tuple[Ints, int]:
    """Joins the runs that touch a run of the row above, diagonals included: the group of each, and how many groups."""
    low = np.searchsorted(ends + pitch, starts, "left")
    high = np.searchsorted(starts + pitch, ends, "right")
    if len(starts) <= FEW:
        return _joined_few(low.tolist(), high.tolist())
    return _joined(low, np.maximum(high - low, 0))


def _joined_few(low: list[int], high: list[int]) -> tuple[Ints, int]:
    """Joins run i with the runs low[i] to high[i] - 1, one by one."""
    parent = list(range(len(low)))
    for run, (start, end) in enumerate(zip(low, high, strict=True)):
        for other in range(start, end):
            one, two = run, other
            while parent[one] != one:
                one = parent[one]
            while parent[two] != two:
                two = parent[two]
            parent[max(one, two)] = min(one, two)
    numbers: dict[int, int] = {}
    for run, above in enumerate(parent):
        parent[run] = parent[above]
        numbers.setdefault(parent[run], len(numbers))
    return np.array([numbers[root] for root in parent], np.intp), len(numbers)


def _joined(low: Ints, touching: Ints) -> tuple[Ints, int]:
    """Joins run i with the `touching[i]` runs from low[i] on, all at once, until nothing changes."""
    below = np.repeat(np.arange(len(low)), touching)
    above = np.arange(len(below)) + np.repeat(low - np.cumsum(touching) + touching, touching)
    parent = np.arange(len(low))
    while True:
        one, other = parent[above], parent[below]
        apart = one != other
        if not apart.any():
            break
        np.minimum.at(parent, np.maximum(one, other)[apart], np.minimum(one, other)[apart])
        while (parent != (grand := parent[parent])).any():
            parent = grand
    roots, owner = np.unique(parent, return_inverse=True)
    return owner, len(roots)

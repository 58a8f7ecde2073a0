"""Which rows train and which are held back, in the order of time, so that no threshold ever sees a training error."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Holdback = Literal["auto", "folds", "tail"]
Span = tuple[int, int]  # rows start .. stop - 1 without a gap

FOLDS = 5
TAIL_SHARE = 0.3
# Up to this many rows each fold is held back once, and the model is fitted again on all rows.
MAX_FOLD_ROWS = 5000
MIN_ROWS = 20
MIN_WINDOWS = 8  # rows per row of the window


@dataclass(frozen=True)
class Split:
    """Spans that train, and spans that are held back from that training."""

    training: tuple[Span, ...]
    held: tuple[Span, ...]


def rows_needed(window: int) -> int:
    return max(MIN_ROWS, MIN_WINDOWS * window)


def resolve(holdback: Holdback, n_rows: int) -> Literal["folds", "tail"]:
    """Returns `folds` for few rows, whose last part would tell little of the rest, and `tail` for many."""
    if holdback == "auto":
        return "folds" if n_rows <= MAX_FOLD_ROWS else "tail"
    return holdback


def split(usable: Sequence[Span], n_rows: int, window: int, holdback: Literal["folds", "tail"]) -> list[Split]:
    """Returns one Split for the tail, or one per contiguous fold; W rows between both sides belong to neither."""
    if holdback == "tail":
        edges = [n_rows - round(n_rows * TAIL_SHARE), n_rows]
    else:
        n_folds = max(2, min(FOLDS, n_rows // (4 * window)))
        edges = [int(edge) for edge in np.linspace(0, n_rows, n_folds + 1)]
    return [
        Split(
            cut(usable, 0, low - window, window) + cut(usable, high + window, n_rows, window),
            cut(usable, low, high, window),
        )
        for low, high in pairwise(edges)
    ]


def cut(spans: Sequence[Span], low: int, high: int, window: int) -> tuple[Span, ...]:
    """Returns what of the spans lies in low .. high - 1, pieces shorter than a window left out."""
    pieces = ((max(start, low), min(stop, high)) for start, stop in spans)
    return tuple((start, stop) for start, stop in pieces if stop - start >= window)


def spans_of(usable: NDArray[np.bool_]) -> tuple[Span, ...]:
    """Returns the runs of True in a mask (n,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], usable, [False]]).astype(np.int8)))
    return tuple((int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True))

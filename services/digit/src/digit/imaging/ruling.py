"""Ruled lines, squares and printed boxes: thin straight lines that go on where the writing has ended.

A line is looked for in vertical strips: a strip "hits" a row if most of its columns have ink there, or one row beside;
a line is a row, level or leaning by up to LEAN, that nearly all strips hit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digit.imaging.components import Mask

STRIPS = 16
HITS = 14  # strips that a line must cross
COVERED = 0.7  # of a strip's columns
LEAN = 0.12  # rise of a line over its whole length, as a share of it
LEAST_SIDE = 40  # px: in a smaller mask a line cannot be told from a stroke
THICKEST = 0.05  # of the mask's shorter side
MANY = 3  # parallel lines that no digit has
CLEAR, WELL_CLEAR = 0.04, 0.15  # how far lines outrun the writing at either end, as a share of their length
EDGE = 0.06  # of the mask's height: where a box has its walls
SLACK = 2  # px by which a line may stray from its straight track
UNBROKEN = 0.8  # of a line's columns that must have ink
FAINT = 0.7  # of the writing's level, below which a line is told by its level


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines along the rows of a mask."""

    count: int
    band: Mask  # (h, w) all their pixels, those of crossing strokes too
    pixels: Mask  # (h, w) theirs alone
    faint: bool  # clearly lighter than the writing, or thinner

    def framing(self) -> bool:
        """Tells whether one runs along the first and one along the last rows of the mask."""
        margin = max(1, round(EDGE * len(self.band)))
        return self.count >= 2 and bool(self.band[:margin].any() and self.band[-margin:].any())


def without_ruling(mask: Mask, levels: NDArray[np.float32]) -> Mask:
    """Returns the mask (h, w) without ruling; `levels` (h, w) says how dark its pixels are."""
    if min(mask.shape) < LEAST_SIDE or not mask.any():
        return mask
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    area = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    inner = mask[area]
    if min(inner.shape) < LEAST_SIDE // 2 or max(inner.shape) < LEAST_SIDE:
        return mask
    level_lines = _lines(inner, levels[area])
    upright = _lines(inner.T, levels[area].T)
    if not level_lines.count and not upright.count:
        return mask
    crossings = level_lines.band & upright.band.T
    rest = inner & ~level_lines.pixels & ~upright.pixels.T & ~crossings
    if not rest.any():
        only_ruling = max(level_lines.count, upright.count) >= MANY
        return np.zeros_like(mask) if only_ruling else mask
    boxed = level_lines.framing() and upright.framing()
    left, right = _extent(rest)
    top, bottom = _extent(rest.T)
    cleaned = inner.copy()
    if boxed or _outrun(level_lines, left, right, spans=_spans(area[1], mask.shape[1])):
        cleaned &= ~level_lines.pixels
    if boxed or _outrun(upright, top, bottom, spans=_spans(area[0], mask.shape[0])):
        cleaned &= ~upright.pixels.T
    height, width = inner.shape
    crossings[int(top * height) : int(bottom * height) + 1, int(left * width) : int(right * width) + 1] = False
    whole = mask.copy()
    whole[area] = cleaned & ~crossings if (cleaned != inner).any() else inner
    return whole


def _extent(rest: Mask) -> tuple[float, float]:
    """Returns between which shares of the width nearly all of the ink lies."""
    ink = np.cumsum(rest.sum(axis=0))
    low, high = np.searchsorted(ink, (0.01 * ink[-1], 0.99 * ink[-1])) / rest.shape[1]
    return float(low), float(high)


def _spans(part: slice, whole: int) -> bool:
    """Tells whether a range comes within SLACK of both ends of the picture."""
    return bool(part.start <= SLACK and part.stop >= whole - SLACK)


def _outrun(lines: Lines, low: float, high: float, *, spans: bool) -> bool:
    """Tells whether the lines go on, at both ends, where the rest of the ink has ended.

    Where there are few, the ink must span the picture: else it may be a digit's foot or its bar.
    """
    if lines.count == 0 or lines.count >= MANY:
        return lines.count > 0
    if not spans:
        return False
    clear = CLEAR if lines.faint else WELL_CLEAR
    return low >= clear and high <= 1 - clear


def _lines(mask: Mask, levels: NDArray[np.float32]) -> Lines:
    height, width = mask.shape
    band, pixels = np.zeros(mask.shape, np.bool_), np.zeros(mask.shape, np.bool_)
    faint = []
    full = float(np.percentile(levels[mask], 98))
    for row, rise in _found(mask):
        track = row + rise * (np.arange(width) / max(1, width - 1) - 0.5)
        line = _Line.along(mask, levels, track, max(2, round(THICKEST * min(height, width))))
        if line.is_one():
            faint.append(line.mark(full, band, pixels))
    return Lines(len(faint), band, pixels, any(faint))


def _joined(near: Mask) -> Mask:
    """Keeps, in each column, the ink that hangs together with the middle row, give or take SLACK rows."""
    middle = len(near) // 2
    joined = near.copy()
    joined[middle - SLACK : middle + SLACK + 1] = True
    np.logical_and.accumulate(joined[middle:], axis=0, out=joined[middle:])
    np.logical_and.accumulate(joined[middle::-1], axis=0, out=joined[middle::-1])
    return joined & near


@dataclass(frozen=True, eq=False)
class _Line:
    """The ink within reach of a track from side to side."""

    near: Mask  # (2 reach + 1, w)
    at: tuple[NDArray[np.intp], NDArray[np.intp]]  # row and column of each element of `near`
    darkness: NDArray[np.float32]  # (w,) of the darkest pixel
    thickest: int

    @classmethod
    def along(cls, mask: Mask, levels: NDArray[np.float32], track: NDArray[np.float64], thickest: int) -> "_Line":
        height, width = mask.shape
        rows = np.rint(track).astype(np.intp)[None, :] + np.arange(-thickest - 2, thickest + 3)[:, None]
        inside = (rows >= 0) & (rows < height)
        at = np.clip(rows, 0, height - 1), np.broadcast_to(np.arange(width), rows.shape)
        near = _joined(mask[at] & inside)
        return cls(near, at, np.where(near, levels[at], np.float32(0)).max(axis=0), thickest)

    def is_one(self) -> bool:
        thick = self.near.sum(axis=0)
        return bool(np.count_nonzero(thick) >= UNBROKEN * len(thick) and self._usual() <= self.thickest)

    def _usual(self) -> float:
        thick = self.near.sum(axis=0)
        return float(np.median(thick[thick > 0]))

    def mark(self, full: float, band: Mask, pixels: Mask) -> bool:
        """Adds the line to both masks and tells whether it is faint beside the writing's level."""
        thick = self.near.sum(axis=0)
        plain = thick <= self._usual() + 1.5
        own = float(np.median(self.darkness[plain & (thick > 0)]))
        faint = own < FAINT * full
        if faint:
            plain &= self.darkness <= (own + full) / 2
        for target, chosen in ((band, self.near), (pixels, self.near & plain)):
            target[self.at[0][chosen], self.at[1][chosen]] = True
        return faint


def _found(mask: Mask) -> list[tuple[float, float]]:
    """Returns (row in the middle, rise over the width) of each line, the best-hit first."""
    height, width = mask.shape
    if width < STRIPS:
        return []
    loose = mask.copy()
    loose[1:] |= mask[:-1]
    loose[:-1] |= mask[1:]
    edges = np.linspace(0, width, STRIPS + 1).astype(np.intp)
    hits = np.add.reduceat(loose, edges[:-1], axis=1, dtype=np.int32) >= COVERED * np.diff(edges)
    if np.count_nonzero(hits.any(axis=0)) < HITS:
        return []
    most = max(1, round(LEAN * width))
    padded = np.zeros((STRIPS, height + 2 * most), np.uint8)
    padded[:, most : most + height] = hits.T
    rises = np.arange(-2 * most, 2 * most + 1, 2) / 2.0
    counts = np.zeros((len(rises), height), np.uint8)
    middles = (np.arange(STRIPS) + 0.5) / STRIPS - 0.5
    for i, rise in enumerate(rises):
        for strip, shift in enumerate(np.rint(rise * middles).astype(np.intp)):
            counts[i] += padded[strip, most + shift : most + shift + height]
    return _peaks(counts, rises)


def _peaks(counts: NDArray[np.uint8], rises: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Takes the best (rise, row) again and again, each time with the rows around it."""
    best = counts.max(axis=0).astype(np.int16)
    lines: list[tuple[float, float]] = []
    while len(best) and best.max() >= HITS and len(lines) < 80:
        peak = best.max()
        row = int(best.argmax())
        end = row
        while end + 1 < len(best) and best[end + 1] == peak and end - row < 4:
            end += 1
        middle = (row + end) // 2
        leaning = rises[counts[:, middle] == counts[:, middle].max()]
        lines.append((float(middle), float(np.median(leaning))))
        best[max(0, row - 3) : end + 4] = 0
    return lines

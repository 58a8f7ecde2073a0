"""What is ink: everything written, with ruling, desk edges and specks removed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digit.imaging.components import Components, Mask, components
from digit.imaging.grey import Grey
from digit.imaging.paper import Contrast, contrast
from digit.imaging.parts import Keep, at_rim, edges, sharp
from digit.imaging.ruling import without_ruling
from digit.imaging.windows import largest

LEAST_CONTRAST, LEAST_PHOTO_CONTRAST = 12.0, 20.0  # levels between paper and ink
SMALL_SIGMAS, CORE_SIGMAS = (
    5.0,
    9.0,
)  # of the paper's noise, from which the full ink is ink, in small and large pictures
FRINGE_SIGMAS = 3.0
CORE = 0.5  # of the full ink
FRINGE = 0.3  # of the full ink: where the soft edge of a stroke ends
SMALL, SMALL_FRINGE = 64, 0.1  # px; the edge of a stroke is much of a small drawing, and MNIST's box has it all
OUTLIERS = 0.0005, 12  # share of the pixels, at most so many, that a photograph's full ink passes over
DESK_RIM = 0.025  # of the longer side: what is so near a desk's edge is desk
ROUNDS = 4  # of taking desk edges away
LEAST_PHOTOGRAPHED = 0.03  # of the longer side, that the largest part of a photographed writing has
MANY, LARGEST = 80, 0.2  # more parts than a long number has, none of them with so large a share, are noise
SOLID = 0.4  # of a part's pixels, in a photograph, are full ink: it is no grain
SPECK = 0.02  # of the largest part's solid pixels


@dataclass(frozen=True, eq=False)
class Writing:
    """The ink of a picture and its parts."""

    level: NDArray[np.float32]  # (h, w) 0 paper, 1 full ink
    marks: Mask  # (h, w) what is darker than paper
    parts: Components  # of the marks
    keep: Keep  # (n,) the parts that are writing; none on a blank page

    def mask(self, keep: Keep) -> Mask:
        """Returns the mask (h, w) of the parts where `keep` is true."""
        return self.marks if keep.all() else self.parts.mask(keep)


def writing(grey: Grey) -> Writing:
    """Separates the writing from its paper in grey levels (h, w)."""
    seen = contrast(grey)
    full, mask = _written(seen)
    parts = components(mask)
    if len(parts) == 0:
        return Writing(seen.levels, mask, parts, np.zeros(0, np.bool_))
    level = np.minimum(seen.levels * np.float32(1 / full), np.float32(1))
    return Writing(level, mask, parts, _solid(seen, level, parts))


def _solid(seen: Contrast, level: NDArray[np.float32], parts: Components) -> Keep:
    """Tells which parts have solid ink and are no specks; of a photograph, neither shadows."""
    keep = np.ones(len(parts), np.bool_)
    if len(parts) > 1 or not seen.drawn:
        solid = _inside(parts, level >= np.float32(CORE))
        keep = (solid > 0) & (solid >= SPECK * solid.max())
    if not seen.drawn and max(level.shape) > SMALL:
        least = LEAST_PHOTOGRAPHED * max(level.shape)
        large = np.maximum(parts.right - parts.left, parts.bottom - parts.top) >= least
        keep &= sharp(parts, level) & (solid >= SOLID * parts.area)
        if not (keep & large & ~at_rim(parts)).any():
            keep[:] = False
    area = parts.area[keep]
    if len(area) > MANY and area.max() < LARGEST * area.sum():
        keep[:] = False
    return keep


def _written(seen: Contrast) -> tuple[float, Mask]:
    """Returns the level of full ink and the mask of all writing; desk edges are taken away one after the other."""
    levels = seen.levels
    small = seen.drawn and max(levels.shape) <= SMALL
    sigmas = SMALL_SIGMAS if max(levels.shape) <= 2 * SMALL else CORE_SIGMAS
    least = max(LEAST_CONTRAST if seen.drawn else LEAST_PHOTO_CONTRAST, sigmas * seen.noise)
    passed = min(OUTLIERS[1], 1 + int(OUTLIERS[0] * levels.size))
    for _ in range(ROUNDS):
        full = _full(levels, 0 if seen.drawn else passed)
        if full < least:
            return 0.0, np.zeros(levels.shape, np.bool_)
        mask = levels > max((SMALL_FRINGE if small else FRINGE) * full, FRINGE_SIGMAS * seen.noise)
        mask = without_ruling(mask, levels)
        if seen.drawn:
            break
        parts = components(mask)
        desk = edges(parts)
        if not desk.any():
            break
        beside = largest(parts.mask(desk).view(np.uint8), 1 + 2 * round(DESK_RIM * max(levels.shape)))
        levels = np.where(beside.view(np.bool_), np.float32(0), levels)
    return full, mask


def _full(levels: NDArray[np.float32], passed: int) -> float:
    """Returns the level of full ink: the highest but for `passed` pixels."""
    if passed == 0:
        return float(levels.max())
    rank = max(0, levels.size - 1 - passed)
    return float(np.partition(levels.reshape(-1), rank)[rank])


def _inside(parts: Components, core: Mask) -> NDArray[np.intp]:
    """Counts the core's pixels in each part."""
    total = np.zeros(core.size + 1, np.intp)
    np.cumsum(core, out=total[1:])
    inside = total[parts.ends - parts.row] - total[parts.starts - parts.row]
    return np.bincount(parts.owner, inside, len(parts)).astype(np.intp)

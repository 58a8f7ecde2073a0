"""Where the car is: the region that a map of vehicles covers, without any box to learn from.

The map is the class activation map (Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016)
of the twenty kinds of vehicle that the published ImageNet network knows.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cars.recognition import Box

SIDE = 224  # of the picture that the map was made of, squashed to a square
Heat = NDArray[np.float32]  # (n, n) cells of SIDE / n pixels
Mask = NDArray[np.bool_]
Run = tuple[int, int, int]  # row, first column, column after the last
Part = list[Run]


class BoxError(ValueError):
    """A box that was asked for is not in the picture; the message says the box and the picture."""


def checked(box: Box, size: tuple[int, int]) -> Box:
    """Returns a box that a client chose; raises BoxError unless it has an area and lies in a picture of this size."""
    width, height = size
    if box.width < 1 or box.height < 1:
        raise BoxError(f"the box {tuple(box)} has no area")
    if box.x < 0 or box.y < 0 or box.x + box.width > width or box.y + box.height > height:
        raise BoxError(f"the box {tuple(box)} does not lie in the picture of {width} × {height} pixels")
    return box


def whole(size: tuple[int, int]) -> Box:
    return Box(0, 0, *size)


def boxes(fine: Heat, size: tuple[int, int], level: float, margin: float, most: int = 1) -> list[Box]:
    """Returns the regions of a picture of (width, height) where a map (SIDE, SIDE) is above a share of its maximum.

    The first holds the hottest place, the others follow by their area. `margin` is a share of a region's sides, added
    on each side. Where the map is nowhere positive the region is the whole picture.
    """
    if fine.max() <= 0:
        return [whole(size)]
    row, column = np.unravel_index(int(fine.argmax()), fine.shape)
    found = parts(fine > level * fine.max())
    hottest = next(part for part in found if any(r == row and start <= column < end for r, start, end in part))
    others = sorted((part for part in found if part is not hottest), key=_area, reverse=True)
    return [_scaled(_bounds(part), size, margin) for part in [hottest, *others][:most]]


def enlarged(heat: Heat) -> Heat:
    """Returns a map of cells (n, n) as one of pixels (SIDE, SIDE), with nothing below zero.

    TensorFlow pads strided convolutions on the right and at the bottom alone, five times over: what a cell tells is
    centred half a cell to the right of its middle and below it, and without the shift every region is cut there.
    """
    n = len(heat)
    cell = SIDE // n
    padded = Image.fromarray(np.pad(np.maximum(heat, 0), ((1, 0), (1, 0)), "edge"))
    fine = np.asarray(padded.resize((cell * (n + 1),) * 2, Image.Resampling.BICUBIC))
    return fine[cell // 2 : cell // 2 + SIDE, cell // 2 : cell // 2 + SIDE]


def around(box: Box, size: tuple[int, int], factor: float) -> Box:
    """Returns a box with its sides enlarged by a factor about its middle, cut at the picture's edges."""
    width, height = size
    left, top = box.x - box.width * (factor - 1) / 2, box.y - box.height * (factor - 1) / 2
    right, bottom = left + box.width * factor, top + box.height * factor
    return _box(max(0, int(left)), max(0, int(top)), min(width, round(right)), min(height, round(bottom)))


def parts(mask: Mask) -> list[Part]:
    """Returns the parts of a mask whose pixels hang together side by side, each as the runs of its rows."""
    found: list[Part] = []
    above: list[tuple[Run, Part]] = []
    for row in _rows(mask):
        here: list[tuple[Run, Part]] = []
        for run in row:
            touched = list({id(part): part for other, part in above if _touch(other, run)}.values())
            if not touched:
                touched = [[]]
                found += touched
            part = touched[0]
            part.append(run)
            here.append((run, part))
            for other in touched[1:]:
                _join(part, other, found, above, here)
        above = here
    return found


def _touch(upper: Run, lower: Run) -> bool:
    """Tells whether a run lies right below another."""
    return upper[0] == lower[0] - 1 and upper[1] < lower[2] and lower[1] < upper[2]


def _join(part: Part, other: Part, found: list[Part], *rows: list[tuple[Run, Part]]) -> None:
    """Puts the runs of another part with those of the first, which takes its place wherever it is named."""
    part.extend(other)
    found[:] = [each for each in found if each is not other]
    for row in rows:
        row[:] = [(run, part if each is other else each) for run, each in row]


def _rows(mask: Mask) -> Iterator[list[Run]]:
    """Yields the runs of each row that has some."""
    rows, edges = np.nonzero(np.diff(mask, axis=1, prepend=False, append=False))
    runs: dict[int, list[Run]] = {}
    for row, start, end in zip(rows[::2].tolist(), edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        runs.setdefault(row, []).append((row, start, end))
    yield from runs.values()


def _area(part: Part) -> int:
    return sum(end - start for _, start, end in part)


def _bounds(part: Part) -> tuple[int, int, int, int]:
    """Returns left, top, right and bottom."""
    rows, starts, ends = zip(*part, strict=True)
    return min(starts), min(rows), max(ends), max(rows) + 1


def _scaled(bounds: tuple[int, int, int, int], size: tuple[int, int], margin: float) -> Box:
    """Returns pixels of the map, with a margin, as pixels of the picture."""
    left, top, right, bottom = bounds
    width, height = size
    wide, tall = (right - left) * margin, (bottom - top) * margin
    return _box(
        max(0, int((left - wide) * width / SIDE)),
        max(0, int((top - tall) * height / SIDE)),
        min(width, round((right + wide) * width / SIDE)),
        min(height, round((bottom + tall) * height / SIDE)),
    )


def _box(left: int, top: int, right: int, bottom: int) -> Box:
    """Returns a box of at least one pixel, however small the picture is."""
    return Box(left, top, max(1, right - left), max(1, bottom - top))

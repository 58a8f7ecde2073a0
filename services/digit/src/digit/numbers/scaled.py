"""A line of writing at a bounded size, and the marks that it consists of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digit.imaging.components import Components, components
from digit.imaging.frame import Plane
from digit.numbers.lines import Line
from digit.numbers.slant import slant_of

Ints = NDArray[np.intp]
Labels = NDArray[np.int16]  # (h, w) number of the mark or piece that a pixel belongs to, PAPER elsewhere

PAPER = -1
TALL = 64.0  # pixels: writing is reduced to this height
SOLID = 0.5  # of full ink: what is fainter joins nothing
WRITTEN = 0.1  # of full ink: what is fainter is paper
FAINTEST = 0.2  # of full ink: fainter strokes are not raised to it


@dataclass(frozen=True, eq=False)
class Scaled:
    """Marks are connected ink, numbered as `marks` has them."""

    ink: Plane  # (h, w)
    marks: Components
    label: Labels  # (h, w) number of each pixel's mark
    tall: float  # the typical height of a digit in pixels
    stroke: float  # the typical width of a stroke in pixels
    lean: float  # tangent of its slant
    scale: float  # the page's pixels to a pixel
    corner: tuple[int, int]  # column and row of the page where its left upper corner lies


def scaled(page: Plane, line: Line) -> Scaled:
    """Takes a line out of its page (h, w)."""
    left, top, right, bottom = line.box
    scale = max(1.0, line.tall / TALL)
    ink = _reduced(np.where(line.mask()[top:bottom, left:right], page[top:bottom, left:right], np.float32(0)), scale)
    solid = ink > SOLID
    marks = components(solid)
    return Scaled(ink, marks, _labels(marks), line.tall / scale, _stroke(marks), slant_of(solid), scale, (left, top))


def _reduced(ink: Plane, scale: float) -> Plane:
    if scale > 1:
        size = max(1, round(ink.shape[1] / scale)), max(1, round(ink.shape[0] / scale))
        ink = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BOX))
    written = ink[ink > WRITTEN]
    full = float(np.quantile(written, 0.8)) if len(written) else 1.0  # a hairline that was reduced is faint
    return np.asarray(np.minimum(ink / np.float32(max(full, FAINTEST)), np.float32(1)))


def _stroke(marks: Components) -> float:
    return float(np.median(marks.ends - marks.starts)) if len(marks) else 1.0


def _labels(marks: Components) -> Labels:
    height, width = marks.shape
    flat = np.full(height * (width + 1), PAPER, np.int16)
    lengths = marks.ends - marks.starts
    steps = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    flat[np.repeat(marks.starts, lengths) + steps] = np.repeat(marks.owner, lengths)
    return flat.reshape(height, width + 1)[:, :-1]

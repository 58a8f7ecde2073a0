"""Which way up the text of a picture is, decided for all its lines together.

PP-OCR's classifier takes about one long line of a page for upside down; a page has one direction, so its lines vote.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ocr import geometry
from ocr.geometry import Picture, Quad
from ocr.model.classifier import Classifier
from ocr.model.recogniser import Recogniser
from ocr.postprocess import Characters
from ocr.words import mean_confidence

VOTERS = 8  # longest lines that are asked
MAX_WEIGHT = 6.0  # width to height of a line from which on it counts no more
CLEAR = 0.35  # mean distance from 0.5 at which the votes decide alone
TRIED, TRIED_ASPECT = 3, 20  # lines, and how much of each, that are read both ways where they do not


@dataclass(frozen=True, eq=False)
class Directed:
    """Quadrilaterals that start at their text's own top left, in the order given, and the turn of the page."""

    quads: list[Quad]
    turn: int  # 0, 90, 180 or 270 degrees clockwise that make the text upright


def as_found(quads: Sequence[Quad]) -> Directed:
    """Lays lines that stand on end; nothing is turned on its head."""
    return Directed([geometry.lying(quad) for quad in quads], 0)


class Compass:
    """Finds the direction of the lines that lie and of those that stand; boxes that are neither go with the more."""

    def __init__(self, classifier: Classifier, recogniser: Recogniser) -> None:
        self._classifier = classifier
        self._recogniser = recogniser

    def direct(self, picture: Picture, quads: Sequence[Quad]) -> Directed:
        """Returns the quadrilaterals as their text runs."""
        standing = _standing(quads)
        laid = [np.roll(quad, -1, axis=0) if stands else quad for quad, stands in zip(quads, standing, strict=True)]
        for group in (True, False):
            members = [i for i, stands in enumerate(standing) if stands is group]
            if members and self._is_upside_down(picture, [laid[i] for i in members]):
                for i in members:
                    laid[i] = geometry.turned(laid[i])
        return Directed(laid, _turn(laid))

    def _is_upside_down(self, picture: Picture, quads: Sequence[Quad]) -> bool:
        voters = sorted(quads, key=_aspect, reverse=True)[:VOTERS]
        lines = [geometry.cut(picture, quad) for quad in voters]
        votes = self._classifier.upside_down(lines) - 0.5
        weights = np.minimum([_aspect(quad) for quad in voters], MAX_WEIGHT)
        balance = float(votes @ weights / weights.sum())
        if abs(balance) >= CLEAR:
            return balance > 0
        return self._reads_better_turned(lines[:TRIED])

    def _reads_better_turned(self, lines: list[Picture]) -> bool:
        lines = [line[:, : TRIED_ASPECT * line.shape[0]] for line in lines]
        turned = [np.ascontiguousarray(line[::-1, ::-1]) for line in lines]
        return _surety(self._recogniser.read(turned)) > _surety(self._recogniser.read(lines))


def _standing(quads: Sequence[Quad]) -> list[bool]:
    """Tells for each quadrilateral whether its text runs downwards or upwards rather than across."""
    shapes = [geometry.sides(quad) for quad in quads]
    across = sum(width for width, height in shapes if width >= geometry.VERTICAL * height)
    upright = sum(height for width, height in shapes if height >= geometry.VERTICAL * width)
    if upright > across:
        return [width < geometry.VERTICAL * height for width, height in shapes]
    return [height >= geometry.VERTICAL * width for width, height in shapes]


def _surety(read: Sequence[Characters]) -> float:
    """Returns the mean confidence of all characters."""
    return mean_confidence([character for characters in read for character in characters])


def _aspect(quad: Quad) -> float:
    width, height = geometry.sides(quad)
    return width / max(height, 1.0)


def _turn(quads: Sequence[Quad]) -> int:
    """Returns the quarter turns that make most of the text upright."""
    if not quads:
        return 0
    x, y = np.sum([quad[1] - quad[0] for quad in quads], axis=0)
    if abs(x) >= abs(y):
        return 0 if x >= 0 else 180
    return 270 if y > 0 else 90

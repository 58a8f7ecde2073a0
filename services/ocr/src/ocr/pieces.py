"""Lines that are too long for one look are cut where there is least ink, and put together again as read."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ocr.geometry import Picture
from ocr.postprocess import Characters
from ocr.preprocess import MAX_LINE_WIDTH, scaled_width

FULL = 0.85  # of the greatest width that the pieces have at most on the average
SEARCHED = 0.15  # of a piece's width around its end, in which the place of least ink is looked for


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a line, and where it begins and how much it is of the line, between 0 and 1."""

    picture: Picture
    start: float
    share: float


def pieces_of(line: Picture) -> list[Piece]:
    """Returns the line whole where it is at most MAX_LINE_WIDTH wide at the recogniser's height, else in pieces."""
    width, scaled = line.shape[1], scaled_width(line)
    if scaled <= MAX_LINE_WIDTH:
        return [Piece(line, 0.0, 1.0)]
    n = math.ceil(scaled / (FULL * MAX_LINE_WIDTH))
    ends = [0, *(_emptiest(line, width * i / n, SEARCHED * width / n) for i in range(1, n)), width]
    return [
        Piece(line[:, start:end], start / width, (end - start) / width)
        for start, end in itertools.pairwise(ends)
        if start < end
    ]


def joined(pieces: Iterable[Piece], read: Iterable[Characters]) -> Characters:
    """Returns the characters of the whole line."""
    return tuple(
        replace(character, centre=piece.start + piece.share * character.centre)
        for piece, characters in zip(pieces, read, strict=True)
        for character in characters
    )


def _emptiest(line: Picture, place: float, reach: float) -> int:
    """Returns the column near a place whose levels differ least from top to bottom."""
    first, last = int(place - reach / 2), max(int(place - reach / 2) + 1, int(place + reach / 2))
    levels = cv2.cvtColor(np.ascontiguousarray(line[:, first:last]), cv2.COLOR_BGR2GRAY)
    return first + int(np.argmin(levels.std(axis=0)))

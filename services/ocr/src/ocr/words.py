"""The words of a line, and where each one stands in it."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ocr import geometry
from ocr.geometry import Quad
from ocr.pages import Line, Word
from ocr.pages import Quad as Corners
from ocr.postprocess import Character
from ocr.scripts import stands_alone

BESIDE_SPACE = 0.65  # of the way from a letter's centre to that of a space beside it, where the letter ends


def line_of(characters: Sequence[Character], quad: Quad) -> Line:
    """Returns a line with its words; without characters a confidence of 0."""
    text = "".join(character.text for character in characters)
    return Line(text.strip(), mean_confidence(characters), corners(quad), tuple(_words(characters, quad)))


def mean_confidence(characters: Sequence[Character]) -> float:
    return sum(character.confidence for character in characters) / len(characters) if characters else 0.0


def corners(quad: Quad) -> Corners:
    """Returns the corners as numbers of Python, to a hundredth of a pixel."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = np.round(quad.astype(np.float64), 2).tolist()
    return (ax, ay), (bx, by), (cx, cy), (dx, dy)


def _words(characters: Sequence[Character], quad: Quad) -> Iterator[Word]:
    edges = _edges(characters)
    for start, end in _runs(characters):
        run = characters[start:end]
        text = "".join(character.text for character in run)
        place = geometry.within(quad, *_ends(characters, edges, start, end))
        yield Word(text, mean_confidence(run), corners(place))


def _edges(characters: Sequence[Character]) -> list[float]:
    """Returns for n characters n + 1 edges from 0 to 1: halfway between two, and as far again at both ends."""
    centres = [character.centre for character in characters]
    if len(centres) < 2:
        return [0.0, 1.0]
    between = [(left + right) / 2 for left, right in itertools.pairwise(centres)]
    first, last = 2 * centres[0] - between[0], 2 * centres[-1] - between[-1]
    return [max(0.0, first), *between, min(1.0, last)]


def _ends(characters: Sequence[Character], edges: list[float], start: int, end: int) -> tuple[float, float]:
    """Returns where a word begins and ends; a space beside it is narrower than its letters."""
    left, right = edges[start], edges[end]
    if start > 0 and characters[start - 1].text.isspace():
        left = characters[start].centre - BESIDE_SPACE * (characters[start].centre - characters[start - 1].centre)
    if end < len(characters) and characters[end].text.isspace():
        right = characters[end - 1].centre + BESIDE_SPACE * (characters[end].centre - characters[end - 1].centre)
    return left, right


def _runs(characters: Sequence[Character]) -> Iterator[tuple[int, int]]:
    """Yields start and end of each word."""
    start = 0
    for i, character in enumerate(characters):
        is_space = character.text.isspace()
        if is_space or stands_alone(character.text):
            if start < i:
                yield start, i
            if not is_space:
                yield i, i + 1
            start = i + 1
    if start < len(characters):
        yield start, len(characters)

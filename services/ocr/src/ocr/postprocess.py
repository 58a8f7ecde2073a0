"""From what the networks answer to quadrilaterals and characters.

The search for boxes in the detector's map is that of the package `rapidocr` (Apache-2.0), which follows DB (Liao et
al., "Real-time Scene Text Detection with Differentiable Binarization", 2020). CTC's rule is written here, because the
places of the characters are needed as well.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidocr.ch_ppocr_det.utils import DBPostProcess

from ocr.geometry import Quad
from ocr.options import Options

MAX_BOXES = 1000  # in one picture; noise would give any number
BLANK = 0  # PP-OCR: blank at 0, space last


@dataclass(frozen=True, slots=True)
class Character:
    """One character, and where it stands between 0, the left end of its line, and 1."""

    text: str
    confidence: float
    centre: float


Characters = tuple[Character, ...]


def quads_of(answer: NDArray[np.float32], size: tuple[int, int], options: Options) -> list[tuple[Quad, float]]:
    """Returns the boxes in a map (1, 1, h, w) of probabilities with their means, in pixels of a picture of `size`.

    `size` is width and height. The boxes come in no order that means anything.
    """
    width, height = size
    found, scores = DBPostProcess(
        thresh=options.det_thresh,
        box_thresh=options.box_thresh,
        max_candidates=MAX_BOXES,
        unclip_ratio=options.unclip_ratio,
    )(answer, (height, width))
    return [(np.asarray(quad, np.float32), float(score)) for quad, score in zip(found, scores, strict=True)]


def characters_of(probabilities: NDArray[np.float32], dictionary: tuple[str, ...], share: float = 1.0) -> Characters:
    """Returns the characters of one line from (steps, classes): the likeliest class of each step, repeats dropped.

    The line fills that share of the steps, from the left; a character is as sure as in its first step.
    """
    classes = probabilities.argmax(axis=1)
    sure = probabilities[np.arange(len(classes)), classes]
    starts = np.flatnonzero(np.diff(classes, prepend=-1))
    ends = np.append(starts[1:], len(classes))
    characters = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if classes[start] == BLANK:
            continue
        centre = (start + end) / 2 / (len(classes) * share)
        characters.append(Character(dictionary[classes[start]], float(sure[start]), min(centre, 1.0)))
    return tuple(characters)

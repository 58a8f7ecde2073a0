"""Finds the lines of text in a picture."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from ocr.geometry import Picture, Quad
from ocr.model import buckets
from ocr.model.networks import Network
from ocr.model.room import Room
from ocr.options import Options
from ocr.postprocess import quads_of
from ocr.preprocess import MAX_PIXELS, DetectorInput, Tensor, detector_input

TRIAL_SIZE = (640, 480)
COARSE = 0.4  # scale of the second look


class Detector:
    """A network that gives each pixel the probability of text."""

    def __init__(self, network: Network, *, on_gpu: bool) -> None:
        self._network = network
        self._on_gpu = on_gpu
        self._room = Room(MAX_PIXELS)

    def find(self, picture: Picture, options: Options) -> list[tuple[Quad, float]]:
        """Returns quadrilaterals in the picture's pixels with their confidence, in no order that means anything.

        Where nothing is found it looks at a smaller picture too: letters that fill one are larger than any that the
        detector has learnt.
        """
        return self._look(picture, options) or self._look(picture, options, COARSE)

    def _look(self, picture: Picture, options: Options, shrink: float = 1.0) -> list[tuple[Quad, float]]:
        given = detector_input(picture, shrink, buckets.fitted if self._on_gpu else None)
        height, width = given.tensor.shape[2:]
        with self._room.for_pixels(height * width):
            answer = self._network.run(self._shaped(given.tensor))[:, :, :height, :width]
        found = quads_of(answer, (given.width, given.height), options)
        return [(_in_picture(quad, given, picture), score) for quad, score in found]

    def trials(self) -> Iterator[Callable[[], object]]:
        """Yields runs in each shape that there will be; on a CPU, where all shapes are alike, one."""
        for width, height in buckets.DETECTOR_SIZES if self._on_gpu else [TRIAL_SIZE]:
            yield partial(self._network.run, np.zeros((1, 3, height, width), np.float32))

    def _shaped(self, tensor: Tensor) -> Tensor:
        if not self._on_gpu:
            return tensor
        height, width = tensor.shape[2:]
        return buckets.padded(tensor, *buckets.detector_size((width, height)))


def _in_picture(quad: Quad, given: DetectorInput, picture: Picture) -> Quad:
    """Takes the margin away and keeps the corners within the picture."""
    height, width = picture.shape[:2]
    moved: Quad = np.clip(quad - given.margin, 0, np.array([width, height], np.float32))
    return moved

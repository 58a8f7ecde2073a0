"""Tells lines that stand on their heads from those that do not."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ocr.geometry import Picture
from ocr.model.networks import Models
from ocr.preprocess import CLASSIFIER_WIDTH, LINE_HEIGHT, classifier_input

UPSIDE_DOWN = 1  # PP-OCR: 0 degrees at 0, 180 at 1


class Classifier:
    """A network that looks at a line squeezed to 192 × 48 pixels."""

    def __init__(self, models: Models, batch_size: int) -> None:
        self._network = models.cls
        self._on_gpu = models.on_gpu
        self._batch_size = batch_size

    def upside_down(self, lines: Sequence[Picture]) -> NDArray[np.float64]:
        """Returns for each line the probability that it stands on its head."""
        answers = [self._run(lines[i : i + self._batch_size]) for i in range(0, len(lines), self._batch_size)]
        return np.concatenate(answers).astype(np.float64)

    def trials(self) -> Iterator[Callable[[], object]]:
        """Yields a run in the shape that there will be."""
        shape = (self._batch_size if self._on_gpu else 1, 3, LINE_HEIGHT, CLASSIFIER_WIDTH)
        yield lambda: self._network.run(np.zeros(shape, np.float32))

    def _run(self, lines: Sequence[Picture]) -> NDArray[np.float32]:
        tensor = classifier_input(lines)
        if self._on_gpu:
            tensor = np.pad(tensor, [(0, self._batch_size - len(lines)), (0, 0), (0, 0), (0, 0)])
        return self._network.run(tensor)[: len(lines), UPSIDE_DOWN]

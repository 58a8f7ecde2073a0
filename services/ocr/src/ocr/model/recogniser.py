"""Reads straightened lines: one by one in their exact width on a CPU, in batches of few widths on a GPU."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np

from ocr.geometry import Picture
from ocr.model import buckets
from ocr.model.networks import Models
from ocr.pieces import Piece, joined, pieces_of
from ocr.postprocess import Characters, characters_of
from ocr.preprocess import LINE_HEIGHT, line_input, line_width

TRIAL_WIDTH = 320


class Recogniser:
    """What a line is read as does not depend on the lines beside it, for its shape is its own."""

    def __init__(self, models: Models, batch_size: int) -> None:
        """`batch_size` is that of a GPU; on a CPU two lines at once take longer than one after the other."""
        self._network = models.rec
        self._dictionary = models.dictionary
        self._on_gpu = models.on_gpu
        self._batch_size = batch_size

    def read(self, lines: Iterable[Picture]) -> list[Characters]:
        """Returns the characters of each line; on a CPU a line is taken only when it is read."""
        cuts: list[list[Piece]] = []

        def pictures() -> Iterator[Picture]:
            for line in lines:
                cuts.append(pieces_of(line))
                yield from (piece.picture for piece in cuts[-1])

        read = self._read_in_batches if self._on_gpu else self._read_one_by_one
        answers = iter(read(pictures()))
        return [joined(pieces, itertools.islice(answers, len(pieces))) for pieces in cuts]

    def trials(self) -> Iterator[Callable[[], object]]:
        """Yields runs in each shape that there will be; on a CPU, where all shapes are alike, one."""
        n = self._batch_size if self._on_gpu else 1
        for width in buckets.LINE_WIDTHS if self._on_gpu else [TRIAL_WIDTH]:
            yield partial(self._network.run, np.zeros((n, 3, LINE_HEIGHT, width), np.float32))

    def _read_one_by_one(self, lines: Iterable[Picture]) -> list[Characters]:
        answers = (self._network.run(line_input(line, line_width(line))[None])[0] for line in lines)
        return [characters_of(answer, self._dictionary) for answer in answers]

    def _read_in_batches(self, lines: Iterable[Picture]) -> list[Characters]:
        read: dict[int, Characters] = {}
        by_width: dict[int, list[tuple[int, Picture]]] = defaultdict(list)
        for i, line in enumerate(lines):
            by_width[buckets.line_width(line_width(line))].append((i, line))
        for width, members in by_width.items():
            for start in range(0, len(members), self._batch_size):
                self._read_batch(members[start : start + self._batch_size], width, read)
        return [read[i] for i in range(len(read))]

    def _read_batch(self, members: list[tuple[int, Picture]], width: int, read: dict[int, Characters]) -> None:
        """Adds what the members are read as; the batch is filled up, so that it always has the same shape."""
        tensor = np.zeros((self._batch_size, 3, LINE_HEIGHT, width), np.float32)
        for row, (_, line) in enumerate(members):
            tensor[row] = line_input(line, width)
        answers = self._network.run(tensor)
        for answer, (i, line) in zip(answers, members, strict=False):
            read[i] = characters_of(answer, self._dictionary, line_width(line) / width)

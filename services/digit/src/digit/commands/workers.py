"""Reads many pictures in several processes: most of the work on a small picture is Python's, and threads share that."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from pathlib import Path

import numpy as np
from servicekit.images import ImageError, Limits, decode

from digit.commands.rows import Row
from digit.commands.sources import Item, chunks
from digit.model import Model, Models, Pixels
from digit.picture import Picture
from digit.postprocess import Box, Reading, readings
from digit.preprocess import BOUND, prepare

FORMATS = ("PNG", "JPEG")
BLANK = "no ink was found"
# Below so many chunks this process has read them before another has begun.
FEW_CHUNKS = 8


@dataclass(frozen=True)
class Task:
    """How pictures are read."""

    weights: Path
    model: str
    max_file_bytes: int
    max_pixels: int


def read(items: Iterator[Item], task: Task, workers: int) -> Generator[tuple[float, Row]]:
    """Yields the share done and a row for each item, in their order."""
    waiting = chunks(items)
    first = list(islice(waiting, FEW_CHUNKS))
    if workers == 1 or len(first) < FEW_CHUNKS:
        for chunk in chain(first, waiting):
            yield from read_chunk(chunk, task)
    else:
        yield from _read_apart(chain(first, waiting), task, workers)


def read_chunk(chunk: list[Item], task: Task) -> list[tuple[float, Row]]:
    """Reads a few items with one inference."""
    prepared = [_prepared(item, task) for item in chunk]
    model = _models(task.weights, task.model).find(task.model)
    read = iter(_readings(model, [each for each in prepared if not isinstance(each, str)]))
    return [
        (item.share, Row(item.name, error=each) if isinstance(each, str) else Row(item.name, next(read)))
        for item, each in zip(chunk, prepared, strict=True)
    ]


def _readings(model: Model, prepared: list[tuple[Pixels, Box]]) -> list[Reading]:
    if not prepared:
        return []
    outputs = model.predict(np.stack([pixels for pixels, _ in prepared]))
    return readings(outputs, [box for _, box in prepared], model.name, model.record.digit_threshold)


def _read_apart(waiting: Iterator[list[Item]], task: Task, workers: int) -> Iterator[tuple[float, Row]]:
    spawn = multiprocessing.get_context("spawn")  # a fork would copy ONNX Runtime's locks as they are
    pool = ProcessPoolExecutor(workers, spawn, _begin, (task,))
    running: deque[Future[list[tuple[float, Row]]]] = deque()
    try:
        for chunk in waiting:
            running.append(pool.submit(read_chunk, chunk, task))
            if len(running) > 2 * workers:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(task: Task) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches all; the first process ends the others
    _models(task.weights, task.model)


@cache
def _models(weights: Path, default: str) -> Models:
    return Models(weights, default)


def _prepared(item: Item, task: Task) -> tuple[Pixels, Box] | str:
    """Returns the pixels (28, 28) for the networks and the place of the digit, or why there are none."""
    if item.error:
        return item.error
    try:
        data = _bytes(item.path, task.max_file_bytes) if item.path else item.data
        image = decode(data, Limits(FORMATS, task.max_pixels), bound=BOUND)
    except ImageError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
    prepared = prepare(image)
    return (prepared.pixels, Picture(data).enlarged(prepared.box, image.size)) if prepared.has_ink else BLANK


def _bytes(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ImageError(f"it has {path.stat().st_size:,} bytes, the limit is {limit:,}")
    return data

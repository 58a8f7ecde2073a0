"""The rows that PyTorch trains on: read, standardised and split by the service's own code."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anomaly.detector.modelfile import Sensor
from anomaly.formats import readers
from anomaly.learning import folds
from anomaly.preprocess import Preparation
from numpy.typing import NDArray

Array = NDArray[np.float64]

CHECK_SHARE = 0.15  # of the training rows, the last: for early stopping


@dataclass(frozen=True, eq=False)
class Data:
    """Inputs (n, p) to train on and to check with, and raw rows (m, d) that are held back for the threshold."""

    preparation: Preparation
    training: Array
    checks: Array
    held: Array
    sensors: tuple[Sensor, ...]


def load(path: Path, window: int, features: str) -> Data:
    """Reads a CSV of normal rows; its last 30 % are held back. Raises TableError, ValueError."""
    table = readers.read_csv(path)
    n_rows = len(table.rows)
    (split,) = folds.split([(0, n_rows)], n_rows, window, "tail")
    training = [table.rows[start:stop] for start, stop in split.training]
    ((held_from, held_to),) = split.held
    preparation = Preparation.fit(training, window, features)
    inputs = np.concatenate([preparation.apply(segment) for segment in training])
    n_check = max(1, int(CHECK_SHARE * len(inputs)))
    sensors = table.sensors or tuple(Sensor(f"sensor_{i + 1}") for i in range(table.rows.shape[1]))
    return Data(preparation, inputs[: -n_check - window], inputs[-n_check:], table.rows[held_from:held_to], sensors)

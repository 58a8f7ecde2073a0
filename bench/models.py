"""Models made for a measurement: the shipped one has three sensors, the figures also ask for 32."""

from pathlib import Path

import numpy as np
from anomaly.learning.training import TrainingOptions, train
from numpy.typing import NDArray


def made_rows(rows: int, sensors: int) -> NDArray[np.float64]:
    """Returns (rows, sensors) of correlated noise around 1."""
    random = np.random.default_rng(1)
    mixing = random.normal(size=(max(2, sensors // 4), sensors))
    signal: NDArray[np.float64] = 1.0 + 0.05 * random.normal(size=(rows, len(mixing))) @ mixing
    return signal + 0.01 * random.normal(size=signal.shape)


def made_model(folder: Path, sensors: int) -> Path:
    """Trains an autoencoder for `sensors` and returns its file."""
    model = train(made_rows(1500, sensors), TrainingOptions(kind="autoencoder", window=1, epochs=30))
    path = folder / f"bench-{sensors}.safetensors"
    path.write_bytes(model.dump())
    return path

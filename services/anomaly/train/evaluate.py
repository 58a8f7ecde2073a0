"""Holds the service's NumPy scores to PyTorch's, and says how many rows of a CSV alarm.

    python services/anomaly/train/evaluate.py --model model.safetensors --data data.csv

Prints JSON: rows, alarms, and the largest relative difference of both scores, which is under 1e-9 in float64.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from anomaly.detector.autoencoder import Autoencoder
from anomaly.formats import readers
from anomaly.model import Model
from network import to_torch
from numpy.typing import NDArray


def difference(model: Model, rows: NDArray[np.float64]) -> float:
    """Returns the largest relative difference of the scores of rows (n, d); raises ValueError for a PCA model."""
    if not isinstance(model.core, Autoencoder):
        message = "the model is a PCA: there is no network to compare"
        raise ValueError(message)
    inputs = torch.from_numpy(model.preparation.apply(rows))
    with torch.no_grad():
        theirs = to_torch(model.core).scores(inputs).numpy()
    ours = model.scores(rows)[model.window - 1 :]
    return float(np.max(np.abs(ours - theirs) / np.maximum(theirs, 1e-12)))


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares NumPy's scores with PyTorch's.")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    model = Model.load(arguments.model.read_bytes())
    rows = readers.read_csv(arguments.data).rows
    scores = model.scores(rows)
    found = {"rows": len(rows), "alarms": int(np.sum(scores > model.threshold)), "difference": difference(model, rows)}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

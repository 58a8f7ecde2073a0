"""Makes the service's model of a PyTorch network: the same file that the NumPy trainer writes."""

from collections.abc import Mapping

import numpy as np
from anomaly.detector.calibration import calibrate
from anomaly.model import Model
from data import Data
from network import Network, to_numpy


def model(network: Network, table: Data, figures: Mapping[str, float]) -> Model:
    """Returns the model with a threshold from the held-back rows, scored by the very weights that the file holds."""
    core = to_numpy(network.cpu())
    scores = np.linalg.norm(core.residuals(table.preparation.apply(table.held)), axis=1)
    made = calibrate(scores, window=table.preparation.window)
    report = {
        "trained_by": "PyTorch",
        "rows": len(table.training) + len(table.checks) + len(table.held),
        "held_back": {"how": "tail", "rows": made.rows},
        "fit": {"layers": core.layers, **figures},
        "notes": list(made.notes),
    }
    return Model(table.sensors, table.preparation, core, made, report)

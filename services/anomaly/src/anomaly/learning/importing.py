"""Makes a model of a network that came without its scaler: `import model.pth`."""

import numpy as np
from numpy.typing import NDArray

from anomaly.detector import autoencoder, calibration
from anomaly.detector.autoencoder import Autoencoder
from anomaly.detector.calibration import Calibration, Method
from anomaly.model import Model, Sensor
from anomaly.preprocess import Preparation

Array = NDArray[np.float64]

IDENTITY = "The file holds no standardisation: values go into the network as they come."
ACTIVATIONS = "A state_dict does not name its activations: ReLU is taken after every layer but the last."
UNCUT = "Without rows of normal operation nothing bounds what the network sees: it may reconstruct far values too."
PERHAPS_TRAINED = (
    "The threshold is from the rows given, which the network may have been trained on: then it is too low."
)


def with_threshold(network: Autoencoder, value: float) -> Model:
    """Returns a model with a threshold that the user knows; raises CalibrationError for an impossible one."""
    bare = Calibration(np.empty(0), 0, 1, 1.0, "manual", {}, None, (IDENTITY, ACTIVATIONS, UNCUT))
    return _model(network, calibration.with_manual(bare, value), _sensors(network))


def with_rows(
    network: Autoencoder, rows: Array, sensors: tuple[Sensor, ...], method: Method, parameters: dict[str, float]
) -> Model:
    """Returns a model whose input range and threshold come from normal rows (n, d); raises ValueError for another d."""
    n_sensors = network.layers[0]
    if rows.shape[1] != n_sensors:
        raise ValueError(f"the rows have {rows.shape[1]} sensors, the network takes {n_sensors}")
    ranged = autoencoder.cut_to(network, rows)
    scores = np.linalg.norm(ranged.residuals(rows), axis=1)
    notes = (IDENTITY, ACTIVATIONS, PERHAPS_TRAINED)
    return _model(ranged, calibration.calibrate(scores, method, parameters, notes=notes), sensors or _sensors(network))


def _model(network: Autoencoder, made: Calibration, sensors: tuple[Sensor, ...]) -> Model:
    report = {"imported": True, "fit": {"layers": network.layers}, "rows": made.rows, "notes": list(made.notes)}
    return Model(sensors, Preparation.identity(len(sensors), 1, "last"), network, made, report)


def _sensors(network: Autoencoder) -> tuple[Sensor, ...]:
    return tuple(Sensor(f"sensor_{i + 1}") for i in range(network.layers[0]))

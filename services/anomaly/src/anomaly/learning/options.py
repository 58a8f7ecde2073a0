"""What may be chosen of a training, and what is refused before it begins."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from anomaly.detector import calibration
from anomaly.detector.calibration import Method
from anomaly.detector.modelfile import MAX_FEATURES, MAX_SENSORS, Sensor
from anomaly.learning import folds
from anomaly.learning.folds import Holdback
from anomaly.preprocess import FEATURES, MAX_WINDOW, feature_count

Array = NDArray[np.float64]

LARGEST = 1e300
MAX_EPOCHS, MAX_SEED = 10_000, 2**32 - 1
MAX_HIDDEN, MAX_WIDTH = 5, 1024


class TrainingError(ValueError):
    """No model can be trained like this; the text says why and what is needed."""


@dataclass(frozen=True)
class TrainingOptions:
    """What a user may choose; the defaults suit most tables.

    `features` auto: `last` for a window of 1, else `mean`. `hidden`: the encoder's widths, the bottleneck last.
    `percentile` and `margin`, or `rate`, belong to the `method`. `trim` leaves out rows that are clearly not normal.
    """

    kind: Literal["auto", "autoencoder", "pca"] = "auto"
    window: int = 1
    features: str = "auto"
    hidden: tuple[int, ...] = ()
    epochs: int = 200
    seed: int = 0
    holdback: Holdback = "auto"
    method: Method = "automatic"
    percentile: float | None = None
    margin: float | None = None
    rate: float | None = None
    trim: bool = True
    tolerance: bool = True
    sensors: tuple[Sensor, ...] = ()

    def feature_strategy(self) -> str:
        """Returns the strategy: for a window of 1 they are all `last`."""
        if self.window == 1:
            return "last"
        return "mean" if self.features == "auto" else self.features

    def sensors_for(self, n_sensors: int) -> tuple[Sensor, ...]:
        return self.sensors or numbered_sensors(n_sensors)

    def parameters(self) -> dict[str, float]:
        """Returns the parameters of the method that were given."""
        given = {"percentile": self.percentile, "margin": self.margin, "rate": self.rate}
        return {name: value for name, value in given.items() if value is not None}


def numbered_sensors(n_sensors: int) -> tuple[Sensor, ...]:
    """Returns the sensors of a table without names."""
    return tuple(Sensor(f"sensor_{i + 1}") for i in range(n_sensors))


def check(rows: Array, options: TrainingOptions) -> None:
    """Raises TrainingError, or CalibrationError, where `train` would refuse rows (n, d) or options."""
    if rows.ndim != 2 or not 1 <= rows.shape[1] <= MAX_SENSORS:
        raise TrainingError(f"the rows have the shape {rows.shape}, expected (rows, 1 to {MAX_SENSORS} sensors)")
    if not 1 <= options.window <= MAX_WINDOW:
        raise TrainingError(f"the window is {options.window} rows, it must be between 1 and {MAX_WINDOW}")
    needed = folds.rows_needed(options.window)
    if len(rows) < needed:
        raise TrainingError(
            f"{len(rows)} rows are too few: a window of {options.window} needs at least {needed}, and some hundred to "
            "know how high a score normal rows reach"
        )
    if not np.isfinite(rows).all() or float(np.abs(rows).max()) > LARGEST:
        raise TrainingError(f"every value must be a finite number of at most {LARGEST:g}")
    if options.features not in ("auto", *FEATURES):
        raise TrainingError(f"there are no features {options.features!r:.64}, there are auto, {', '.join(FEATURES)}")
    _check_numbers(rows.shape[1], options)
    calibration.check(options.method, options.parameters())


def _check_numbers(n_sensors: int, options: TrainingOptions) -> None:
    n_features = feature_count(options.feature_strategy(), options.window, n_sensors)
    if n_features > MAX_FEATURES:
        raise TrainingError(
            f"{n_sensors} sensors in a window of {options.window} make {n_features} features, "
            f"the limit is {MAX_FEATURES}"
        )
    if not 1 <= options.epochs <= MAX_EPOCHS:
        raise TrainingError(f"{options.epochs} epochs were asked for, it must be between 1 and {MAX_EPOCHS}")
    if not 0 <= options.seed <= MAX_SEED:
        raise TrainingError(f"the seed is {options.seed}, it must be between 0 and {MAX_SEED}")
    if len(options.hidden) > MAX_HIDDEN or any(not 1 <= width <= MAX_WIDTH for width in options.hidden):
        raise TrainingError(
            f"the hidden widths are {list(options.hidden)}, at most {MAX_HIDDEN} of 1 to {MAX_WIDTH} are taken"
        )
    names = {sensor.name for sensor in options.sensors}
    if options.sensors and (len(options.sensors) != n_sensors or len(names) != n_sensors):
        raise TrainingError(f"{len(names)} different sensors are named, the rows have {n_sensors} columns")

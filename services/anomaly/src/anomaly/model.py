"""A trained model: rows in, scores out. It knows arrays and no HTTP.

The score of a row is the norm of what the model cannot explain of it: the autoencoder's reconstruction error on the
standardised input, or the square root of the combined index of Q and T² for PCA.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from anomaly.detector import calibration as calibrations
from anomaly.detector import modelfile
from anomaly.detector.autoencoder import Autoencoder
from anomaly.detector.calibration import Calibration, Method
from anomaly.detector.modelfile import MAX_FEATURES, CalibrationEntry, Header, ModelFileError, Sensor
from anomaly.detector.pca import Pca
from anomaly.detector.rowscore import scorer
from anomaly.preprocess import Array, Preparation, Scaler, feature_count

__all__ = ["Kind", "Model", "ModelFileError", "Sensor"]

Kind = Literal["autoencoder", "pca"]

# Larger weights could overflow on their way through the layers, and a score must be a number.
MAX_WEIGHT = 1e6
Ranges = tuple[Array, Array]
MIN_VARIANCE = 1e-13


@dataclass(frozen=True, eq=False)
class Model:
    """An immutable model with all that decides an answer: sensors, preparation, core and threshold.

    `score` takes one row (d,) to its score, for a window of 1; it raises ValueError for a wrong length, NaN, infinity.
    """

    sensors: tuple[Sensor, ...]
    preparation: Preparation
    core: Autoencoder | Pca
    calibration: Calibration
    report: Mapping[str, Any]
    # What the hot path reads: attributes cost it less than properties.
    score: Callable[[Sequence[float]], float] = field(init=False, repr=False)
    threshold: float = field(init=False)
    window: int = field(init=False)
    n_sensors: int = field(init=False)
    ranges: Ranges | None = field(init=False, repr=False)  # physical, (d,) each; None where no sensor has one

    def __post_init__(self) -> None:
        single = self.preparation.window == 1
        object.__setattr__(self, "score", scorer(self.preparation, self.core, self._slow) if single else self._slow)
        object.__setattr__(self, "threshold", self.calibration.threshold)
        object.__setattr__(self, "window", self.preparation.window)
        object.__setattr__(self, "n_sensors", len(self.sensors))
        object.__setattr__(self, "ranges", ranges(self.sensors))

    @property
    def kind(self) -> Kind:
        return "autoencoder" if isinstance(self.core, Autoencoder) else "pca"

    def outside(self, rows: Array) -> NDArray[np.bool_]:
        """Returns which rows of (n, d) hold a value outside its sensor's physical range, (n,)."""
        if self.ranges is None:
            return np.zeros(len(rows), dtype=np.bool_)
        low, high = self.ranges
        return np.asarray(((rows < low) | (rows > high)).any(axis=1))

    def score_window(self, window: Array) -> float:
        """Returns the score of the last of exactly W rows (W, d); raises ValueError for another shape or NaN."""
        rows = self._checked(window)
        if len(rows) != self.window:
            raise ValueError(f"{len(rows)} rows came, the model looks at {self.window}")
        return float(self._norms(rows)[0])

    def scores(self, rows: Array) -> Array:
        """Returns the scores (n,) of rows (n, d), each from W rows up to itself; NaN for the first W - 1."""
        checked = self._checked(rows)
        found = np.full(len(checked), np.nan)
        if len(checked) >= self.window:
            found[self.window - 1 :] = self._norms(checked)
        return found

    def contributions(self, window: Array) -> Array:
        """Returns each sensor's share (d,) of the squared score of a window (W, d); they sum to 1."""
        inputs = self.preparation.apply(self._checked(window))
        parts = np.square(self._deviations(inputs)[-1]).reshape(-1, self.n_sensors).sum(axis=0)
        total = float(parts.sum())
        return parts / total if total > 0 else np.full(self.n_sensors, 1 / self.n_sensors)

    def standardise(self, rows: Array) -> Array:
        """Returns rows (n, d) in training standard deviations from the training mean, for drift; NaN stays NaN."""
        return self.preparation.scaler.apply(rows)

    def with_threshold(
        self, threshold: float, method: Method = "manual", parameters: Mapping[str, float] | None = None
    ) -> "Model":
        """Returns the model with another threshold; for a method other than `manual` it is what that method finds.

        Raises CalibrationError, a ValueError.
        """
        if method == "manual":
            return replace(self, calibration=calibrations.with_manual(self.calibration, threshold))
        return replace(self, calibration=calibrations.decide(self.calibration, method, parameters))

    def with_calibration(self, calibration: Calibration) -> "Model":
        """Returns the model with the threshold and the scores of another calibration."""
        return replace(self, calibration=calibration)

    def with_scaler(self, center: Array, scale: Array) -> "Model":
        """Returns the model with another mean and standard deviation (d,) per sensor, as adaptation moves them."""
        return replace(self, preparation=replace(self.preparation, scaler=Scaler(center.copy(), scale.copy())))

    def summary(self) -> dict[str, Any]:
        """Returns what lists show, ready for JSON."""
        sensors = [{"name": s.name, "unit": s.unit, "low": s.low, "high": s.high} for s in self.sensors]
        return {"kind": self.kind, "sensors": sensors, "window": self.window, "threshold": self.threshold}

    def details(self) -> dict[str, Any]:
        """Returns the summary, the training report, and the calibration with its curve and histogram."""
        layers = (
            self.core.layers
            if isinstance(self.core, Autoencoder)
            else [len(self.core.components), self.core.components.shape[1]]
        )
        return {
            **self.summary(),
            "features": self.preparation.features,
            "layers": layers,
            "report": dict(self.report),
            "calibration": self.calibration.document(),
        }

    def dump(self) -> bytes:
        """Returns the file, the same bytes for the same model; raises ModelFileError where it is too large."""
        made = self.calibration
        entry = CalibrationEntry(
            made.method, dict(made.parameters), made.nominal_false_alarm_rate, made.rows, made.block, made.notes
        )
        core = self.core
        header = Header(
            1,
            self.kind,
            self.sensors,
            self.window,
            self.preparation.features,
            self.threshold,
            entry,
            dict(self.report),
            relu=core.relu if isinstance(core, Autoencoder) else (),
            q_limit=core.q_limit if isinstance(core, Pca) else 1.0,
            t2_limit=core.t2_limit if isinstance(core, Pca) else 1.0,
        )
        return modelfile.write(header, {**_preparation_tensors(self), **_core_tensors(core)})

    @classmethod
    def load(cls, data: bytes) -> "Model":
        """Reads a model's file; raises ModelFileError for whatever is not a sound one."""
        header, tensors = modelfile.read(data)
        try:
            preparation = _read_preparation(header, tensors)
            core = _read_core(header, tensors, len(preparation.center))
            scores = _tensor(tensors, "calibration.scores", (-1,))
        except KeyError as error:
            raise ModelFileError(f"the file lacks the tensor {error.args[0]}") from None
        entry = header.calibration
        if len({sensor.name for sensor in header.sensors}) != len(header.sensors):
            raise ModelFileError("two sensors have the same name")
        if len(scores) > calibrations.MAX_SCORES or (scores < 0).any() or (len(scores) and entry.block > len(scores)):
            raise ModelFileError("the calibration does not fit its scores")
        made = Calibration(
            scores,
            entry.rows,
            entry.block,
            header.threshold,
            entry.method,
            entry.parameters,
            entry.nominal_false_alarm_rate,
            entry.notes,
        )
        return cls(header.sensors, preparation, core, made, header.report)

    def _checked(self, rows: Any) -> Array:
        """Returns rows as a finite array (n, d), n >= 1; raises ValueError."""
        array = np.asarray(rows, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != self.n_sensors or not len(array):
            raise ValueError(f"the rows have the shape {array.shape}, the model takes (rows, {self.n_sensors})")
        if not np.isfinite(array).all():
            raise ValueError("the rows hold values that are not finite numbers")
        return array

    def _slow(self, values: Sequence[float]) -> float:
        if len(values) != self.n_sensors:
            raise ValueError(f"{len(values)} values came, the model takes {self.n_sensors}")
        if self.window != 1:
            raise ValueError(f"the model looks at {self.window} rows, one row has no score")
        return float(self._norms(self._checked([values]))[0])

    def _norms(self, rows: Array) -> Array:
        parts = [self._deviations(part) for part in self.preparation.chunks(rows)]
        return np.concatenate([np.sqrt(np.einsum("ij,ij->i", part, part)) for part in parts])

    def _deviations(self, inputs: Array) -> Array:
        """Returns (n, p) whose row norms are the scores, each column belonging to one sensor."""
        return self.core.residuals(inputs) if isinstance(self.core, Autoencoder) else self.core.deviations(inputs)


def ranges(sensors: Sequence[Sensor]) -> Ranges | None:
    """Returns the physical ranges, infinite where a sensor has none; None where no sensor has one."""
    if all(sensor.low is None and sensor.high is None for sensor in sensors):
        return None
    low = np.array([-np.inf if sensor.low is None else sensor.low for sensor in sensors])
    high = np.array([np.inf if sensor.high is None else sensor.high for sensor in sensors])
    return low, high


def _preparation_tensors(model: Model) -> dict[str, Array]:
    made = model.preparation
    return {
        "scaler.center": made.scaler.center,
        "scaler.scale": made.scaler.scale,
        "features.center": made.center,
        "features.scale": made.scale,
        "tolerance": made.tolerance,
        "calibration.scores": model.calibration.scores.astype(np.float32),
    }


def _core_tensors(core: Autoencoder | Pca) -> dict[str, Any]:
    if isinstance(core, Pca):
        return {"pca.components": core.components, "pca.variances": core.variances}
    tensors: dict[str, Any] = {"clip.low": core.low, "clip.high": core.high}
    for i, (weight, bias) in enumerate(zip(core.weights, core.biases, strict=True)):
        tensors[f"network.{i}.weight"] = weight.astype(np.float32)
        tensors[f"network.{i}.bias"] = bias.astype(np.float32)
    return tensors


def _read_preparation(header: Header, tensors: Mapping[str, Array]) -> Preparation:
    d = len(header.sensors)
    p = feature_count(header.features, header.window, d)
    if p > MAX_FEATURES:
        raise ModelFileError(f"the model has {p} features, the limit is {MAX_FEATURES}")
    scaler = Scaler(_tensor(tensors, "scaler.center", (d,)), _positive(tensors, "scaler.scale", (d,)))
    center, scale = _tensor(tensors, "features.center", (p,)), _positive(tensors, "features.scale", (p,))
    return Preparation(scaler, header.window, header.features, center, scale, _positive(tensors, "tolerance", (d,)))


def _read_core(header: Header, tensors: Mapping[str, Array], p: int) -> Autoencoder | Pca:
    if header.kind == "pca":
        components = _tensor(tensors, "pca.components", (p, -1), most=1.001)
        variances = _positive(tensors, "pca.variances", (components.shape[1],), least=MIN_VARIANCE)
        return Pca(components, variances, header.q_limit, header.t2_limit)
    weights, biases, width = [], [], p
    for i in range(len(header.relu)):
        weights.append(_tensor(tensors, f"network.{i}.weight", (-1, width), most=MAX_WEIGHT))
        width = weights[-1].shape[0]
        biases.append(_tensor(tensors, f"network.{i}.bias", (width,), most=MAX_WEIGHT))
    if width != p or not weights:
        raise ModelFileError(f"the network takes {p} values and gives back {width if weights else 'nothing'}")
    low, high = _tensor(tensors, "clip.low", (p,)), _tensor(tensors, "clip.high", (p,))
    if (low > high).any():
        raise ModelFileError("the tensor clip.low is over clip.high")
    return Autoencoder(tuple(weights), tuple(biases), header.relu, low, high)


def _positive(tensors: Mapping[str, Array], name: str, shape: tuple[int, ...], least: float = 0.0) -> Array:
    tensor = _tensor(tensors, name, shape)
    if (tensor <= 0).any() or (tensor < least).any():
        raise ModelFileError(f"the tensor {name} must be positive")
    return tensor


def _tensor(tensors: Mapping[str, Array], name: str, shape: tuple[int, ...], most: float | None = None) -> Array:
    """Returns a tensor of a shape, -1 standing for any length; raises ModelFileError, or KeyError for none."""
    tensor = tensors[name]
    fits = tensor.ndim == len(shape) and all(w in (-1, h) for w, h in zip(shape, tensor.shape, strict=True))
    if not fits:
        raise ModelFileError(f"the tensor {name} has the shape {tensor.shape}, expected {shape}")
    if most is not None and tensor.size and float(np.abs(tensor).max()) > most:
        raise ModelFileError(f"the tensor {name} holds numbers over {most:g}")
    return tensor

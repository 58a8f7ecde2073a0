"""One row as fast as NumPy can: the hot path of `POST /anomaly`, for models that look at a single row.

Biases ride in the matrices (a constant 1 stands behind each layer's units), results go into buffers of the calling
thread, and one `math.hypot` sees NaN, infinity, huge values and whatever is not a number before NumPy does.
"""

import math
import threading
from collections.abc import Callable, Sequence

import numpy as np

from anomaly.detector.autoencoder import Autoencoder
from anomaly.detector.pca import Pca
from anomaly.preprocess import FAR, Array, Preparation

LARGEST = 1e300  # a row whose norm is over this takes the slow way

Scorer = Callable[[Sequence[float]], float]


class _Buffers(threading.local):
    """A row, and the activations of each layer with a 1 behind them; one set per thread."""

    def __init__(self, widths: Sequence[int]) -> None:
        self.row = np.empty(widths[0])
        self.cut = np.ones(widths[0] + 1)
        self.layers = [np.ones(width + 1) for width in widths[1:]]
        self.steps = [layer[:-1] for layer in self.layers]
        self.cut_row = self.cut[:-1]


def scorer(preparation: Preparation, core: Autoencoder | Pca, slow: Scorer) -> Scorer:
    """Returns a function from a row (d,) to its score; what it cannot do fast or is no number goes to `slow`."""
    if isinstance(core, Pca):
        return _pca_scorer(preparation, core, slow)
    return _network_scorer(preparation, core, slow)


def _safe(preparation: Preparation) -> float:
    """Returns the largest norm of a row whose deviations are surely under FAR, so that nothing has to be cut."""
    divisor = preparation.scaler.scale * preparation.divisor()
    least, furthest = float(divisor.min()), float(np.abs(preparation.scaler.center).max())
    return min(LARGEST, FAR * min(least, LARGEST / FAR)) - furthest


def _pca_scorer(preparation: Preparation, core: Pca, slow: Scorer) -> Scorer:
    center, divisor = preparation.scaler.center, preparation.scaler.scale * preparation.divisor()
    root = np.ascontiguousarray(core.root())
    buffers = _Buffers((len(center), len(center)))
    safe, n_sensors = _safe(preparation), len(center)
    subtract, divide, hypot, sqrt = np.subtract, np.divide, math.hypot, math.sqrt

    def score(values: Sequence[float]) -> float:
        if len(values) != n_sensors or not hypot(*values) < safe:
            return slow(values)
        row, result = buffers.row, buffers.steps[0]
        row[:] = values
        subtract(row, center, out=row)
        divide(row, divisor, out=row)
        root.dot(row, result)
        return sqrt(result.dot(result))

    return score


def _network_scorer(preparation: Preparation, core: Autoencoder, slow: Scorer) -> Scorer:
    center, divisor = preparation.scaler.center, preparation.scaler.scale * preparation.divisor()
    matrices = [_with_bias(w, b) for w, b in zip(core.weights, core.biases, strict=True)]
    buffers = _Buffers(core.layers)
    safe, n_sensors, low, high = _safe(preparation), len(center), core.low, core.high
    plan = [(m.dot, relu, i, np.zeros(len(m) + 1)) for i, (m, relu) in enumerate(zip(matrices, core.relu, strict=True))]
    subtract, divide, minimum, maximum, hypot, sqrt = (
        np.subtract,
        np.divide,
        np.minimum,
        np.maximum,
        math.hypot,
        math.sqrt,
    )

    def score(values: Sequence[float]) -> float:
        if len(values) != n_sensors or not hypot(*values) < safe:
            return slow(values)
        row, cut, layers, steps = buffers.row, buffers.cut, buffers.layers, buffers.steps
        row[:] = values
        subtract(row, center, out=row)
        divide(row, divisor, out=row)
        maximum(row, low, out=buffers.cut_row)
        minimum(buffers.cut_row, high, out=buffers.cut_row)
        hidden = cut
        for dot, relu, i, zeros in plan:
            dot(hidden, steps[i])
            hidden = layers[i]
            if relu:
                maximum(hidden, zeros, out=hidden)
        subtract(row, steps[-1], out=row)
        return sqrt(row.dot(row))

    return score


def _with_bias(weight: Array, bias: Array) -> Array:
    return np.ascontiguousarray(np.column_stack([weight, bias]))

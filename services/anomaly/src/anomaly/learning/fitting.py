"""Fits one model of either kind to segments of rows; what the kinds share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomaly.detector import autoencoder, pca
from anomaly.detector.autoencoder import Autoencoder, Schedule
from anomaly.detector.pca import Pca
from anomaly.preprocess import Preparation

Array = NDArray[np.float64]

# More windows than these teach nothing new; every k-th is taken.
MAX_WINDOWS = 20_000
CHECK_SHARE = 0.15  # of the training windows, the last, for early stopping
# Multiplications of one fit of a network: about 10 s on one core. Wide networks get fewer epochs.
WORK = 1e11
MIN_EPOCHS = 20


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted core with its preparation, and the figures of its fit."""

    preparation: Preparation
    core: Autoencoder | Pca
    figures: dict[str, Any]

    def scores(self, segments: Sequence[Array]) -> list[Array]:
        """Returns the scores (n - W + 1,) of each segment (n, d)."""
        return [self._norms(self.preparation.apply(segment)) for segment in segments]

    def score_windows(self, raw: Array) -> Array:
        """Returns the scores (n,) of windows that stand alone (n, W, d)."""
        return self._norms(self.preparation.apply_windows(raw))

    def with_tolerance(self, tolerance: Array) -> "Fit":
        return replace(self, preparation=replace(self.preparation, tolerance=tolerance))

    def _norms(self, inputs: Array) -> Array:
        core = self.core
        deviations = core.residuals(inputs) if isinstance(core, Autoencoder) else core.deviations(inputs)
        return np.asarray(np.linalg.norm(deviations, axis=1))


def fit_pca(segments: Sequence[Array], window: int, features: str) -> Fit:
    preparation, inputs = _prepare(segments, window, features)
    core = pca.fit(inputs, window=window)
    return Fit(preparation, core, {"components": core.components.shape[1]})


def fit_autoencoder(
    segments: Sequence[Array],
    window: int,
    features: str,
    hidden: Sequence[int],
    schedule: Schedule,
    progress: Callable[[float], None],
) -> Fit:
    """Fits a network; `hidden` empty: as wide as the rows need, the bottleneck of as many units as PCA keeps."""
    preparation, inputs = _prepare(segments, window, features)
    n_check = max(1, int(CHECK_SHARE * len(inputs)))
    training = inputs[: max(1, len(inputs) - n_check - window)]
    if not hidden:
        hidden = autoencoder.hidden_sizes(inputs.shape[1], pca.fit(inputs, window=window).components.shape[1])
    affordable = _affordable(schedule, len(training), autoencoder.mirrored(inputs.shape[1], hidden))
    core, figures = autoencoder.fit(training, inputs[-n_check:], hidden, affordable, progress)
    return Fit(preparation, core, {"layers": core.layers, **figures})


def _affordable(schedule: Schedule, n_rows: int, widths: Sequence[int]) -> Schedule:
    products = sum(a * b for a, b in pairwise(widths))
    epochs = min(schedule.epochs, max(MIN_EPOCHS, int(WORK / (6 * products * n_rows))))
    return replace(schedule, epochs=epochs, patience=max(5, epochs // 10), batch=min(512, max(32, n_rows // 32)))


def _prepare(segments: Sequence[Array], window: int, features: str) -> tuple[Preparation, Array]:
    preparation = Preparation.fit(segments, window, features)
    inputs = np.concatenate([preparation.apply(segment) for segment in segments])  # (n, p)
    return preparation, inputs[:: -(-len(inputs) // MAX_WINDOWS)]

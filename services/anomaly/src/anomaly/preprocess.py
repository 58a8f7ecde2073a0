"""From raw rows to what a model sees: standardised sensors, causal windows, features.

A feature strategy turns windows (n, W, d) into (n, m, d): m values per sensor, so that every part of a residual
belongs to one sensor. A new one is a function and a line in FEATURES; the model file stores its name.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAX_WINDOW = 64
# Deviations are cut here, in training standard deviations, so that every score is a finite number.
FAR = 1e12
# A sensor whose spread is below this share of its largest value was constant but for rounding.
CONSTANT = 1e-12
# What counts as one standard deviation of a sensor that never moved: this share of its value, or 1 where that is 0.
CONSTANT_SHARE = 0.01
BATCH_COUNTS = (4, 5, 6, 7, 8)
TOLERANCE_AT = 5.0  # standard deviations
MAX_TOLERANCE = 20.0
CHUNK_VALUES = 1 << 20  # of windows in memory at a time: 8 MiB


@dataclass(frozen=True, eq=False)
class Scaler:
    """Standardises each sensor: (value - center) / scale, each of shape (d,)."""

    center: Array
    scale: Array

    @classmethod
    def fit(cls, rows: Array) -> "Scaler":
        """Takes mean and standard deviation of rows (n, d), computed so that 1e300 and denormals survive."""
        largest = np.abs(rows).max(axis=0)
        unit = np.where(largest > 0, largest, 1.0)
        shares = rows / unit  # in [-1, 1]
        mean, spread = shares.mean(axis=0), shares.std(axis=0)
        center = mean * unit
        constant = (spread <= CONSTANT) | (spread * unit <= 0)
        fallback = CONSTANT_SHARE * np.abs(center)
        scale = np.where(constant, np.where(fallback > 0, fallback, 1.0), spread * unit)
        return cls(center, scale)

    @classmethod
    def identity(cls, n_sensors: int) -> "Scaler":
        return cls(np.zeros(n_sensors), np.ones(n_sensors))

    def apply(self, rows: Array) -> Array:
        """Returns standardised rows (..., d), cut at FAR; `rows` must be finite."""
        with np.errstate(over="ignore"):
            deviations = (rows - self.center) / self.scale
        return np.asarray(np.clip(deviations, -FAR, FAR))


def constant_sensors(rows: Array) -> NDArray[np.bool_]:
    """Returns which sensors (d,) never changed but for rounding."""
    largest = np.abs(rows).max(axis=0)
    spread: Array = np.ptp(rows / np.where(largest > 0, largest, 1.0), axis=0)
    return np.asarray(spread <= CONSTANT)


def windows(rows: Array, window: int) -> Array:
    """Returns a view (n - W + 1, W, d) of rows (n, d): entry i holds rows i .. i + W - 1."""
    view = np.lib.stride_tricks.sliding_window_view(rows, window, axis=0)  # (n - W + 1, d, W)
    return view.transpose(0, 2, 1)


def _last(windows: Array) -> Array:
    return windows[:, -1:, :]


def _flat(windows: Array) -> Array:
    return windows


def _mean(windows: Array) -> Array:
    return np.asarray(windows.mean(axis=1, keepdims=True))


def _mean_std(windows: Array) -> Array:
    return np.stack([windows.mean(axis=1), windows.std(axis=1)], axis=1)


def _mean_std_slope(windows: Array) -> Array:
    """Adds the least-squares slope per window length."""
    steps = np.arange(windows.shape[1]) - (windows.shape[1] - 1) / 2
    slope = np.einsum("w,nwd->nd", steps / max(float(steps @ steps), 1.0) * windows.shape[1], windows)
    return np.stack([windows.mean(axis=1), windows.std(axis=1), slope], axis=1)


def _last_mean_std(windows: Array) -> Array:
    return np.stack([windows[:, -1], windows.mean(axis=1), windows.std(axis=1)], axis=1)


# Name to (n, W, d) -> (n, m, d). All look at the window alone: no statistic over the future.
FEATURES: dict[str, Callable[[Array], Array]] = {
    "last": _last,
    "flat": _flat,
    "mean": _mean,
    "mean_std": _mean_std,
    "mean_std_slope": _mean_std_slope,
    "last_mean_std": _last_mean_std,
}
STANDARDISED = ("last", "flat")  # need no moments of their own


@dataclass(frozen=True, eq=False)
class Preparation:
    """The way from raw rows to a model's input: sensors standardised, windows, features, features standardised.

    `center` and `scale` have shape (m * d,), 0 and 1 where the features are standardised sensors already.
    `tolerance` (d,) divides what is left: over 1, it forgives a sensor whose spread the training rows cannot tell.
    """

    scaler: Scaler
    window: int
    features: str
    center: Array
    scale: Array
    tolerance: Array

    @classmethod
    def fit(cls, segments: Sequence[Array], window: int, features: str) -> "Preparation":
        """Takes all moments from raw training rows: segments (n, d) without gaps, n >= W."""
        rows = np.concatenate(segments)
        plain = cls.identity(rows.shape[1], window, features, Scaler.fit(rows))
        if features in STANDARDISED:
            return plain
        moments = Scaler.fit(np.concatenate([plain.apply(part) for part in segments]))
        # A mean of W independent rows spreads by 1 / sqrt(W): less was luck of the training rows.
        return replace(plain, center=moments.center, scale=np.maximum(moments.scale, 1 / math.sqrt(window)))

    @classmethod
    def identity(cls, n_sensors: int, window: int, features: str, scaler: Scaler | None = None) -> "Preparation":
        """Changes nothing but the scaler's part."""
        n_features = feature_count(features, window, n_sensors)
        center, scale, tolerance = np.zeros(n_features), np.ones(n_features), np.ones(n_sensors)
        return cls(scaler or Scaler.identity(n_sensors), window, features, center, scale, tolerance)

    def apply(self, rows: Array) -> Array:
        """Returns (n - W + 1, m * d) for finite raw rows (n, d), n >= W."""
        return np.concatenate(list(self.chunks(rows)))

    def chunks(self, rows: Array) -> Iterator[Array]:
        """Yields `apply` in pieces, which bound the memory of long tables."""
        view = windows(self.scaler.apply(rows), self.window)
        divisor = self.divisor()
        step = max(1, CHUNK_VALUES // (view.shape[1] * view.shape[2]))
        for start in range(0, len(view), step):
            yield self._inputs(view[start : start + step], divisor)

    def apply_windows(self, raw: Array) -> Array:
        """Returns (n, m * d) for windows that stand alone (n, W, d)."""
        return self._inputs(self.scaler.apply(raw), self.divisor())

    def _inputs(self, standardised: Array, divisor: Array) -> Array:
        part = FEATURES[self.features](standardised)
        with np.errstate(over="ignore"):
            return np.clip((part.reshape(len(part), -1) - self.center) / divisor, -FAR, FAR)

    def divisor(self) -> Array:
        """Returns what features are divided by, (m * d,)."""
        return self.scale * np.tile(self.tolerance, len(self.scale) // len(self.tolerance))


def feature_count(features: str, window: int, n_sensors: int) -> int:
    """Returns m * d of a strategy."""
    return FEATURES[features](np.zeros((1, window, n_sensors))).size


def effective_rows(rows: Array) -> Array:
    """Returns how many independent rows each sensor's rows (n, d) are worth, (d,) in [2, n].

    From how far the means of contiguous blocks wander (batch means: Schmeiser, Operations Research 30, 1982), the worst
    of several block counts.
    """
    n, n_sensors = rows.shape
    standardised = Scaler.fit(rows).apply(rows)
    variance = standardised.var(axis=0) + 1e-12
    share = np.full(n_sensors, 1.0 / n)
    for count in BATCH_COUNTS:
        size = n // count
        if size < 2:
            continue
        means = standardised[n - size * count :].reshape(count, size, n_sensors).mean(axis=1)
        share = np.maximum(share, size * means.var(axis=0, ddof=1) / variance / n)
    return np.clip(1.0 / share, 2.0, n)


def tolerances(effective: Array) -> Array:
    """Returns by what each sensor's deviations are divided, (d,), from 1 for the best known sensor to MAX_TOLERANCE.

    Where the spread is known from few independent rows, a deviation of 5 standard deviations is as likely as a smaller
    one of the normal distribution: Student's t against normal, by Wallace, Ann. Math. Statist. 30 (1959).
    """
    freedom = np.maximum(effective - 1.0, 1.0)
    exponent = (TOLERANCE_AT * (8 * freedom + 3) / (8 * freedom + 1)) ** 2 / freedom
    ratio = np.maximum(1.0, np.sqrt(freedom * np.expm1(np.minimum(exponent, 60.0))) / TOLERANCE_AT)
    return np.asarray(np.minimum(ratio / ratio.min(), MAX_TOLERANCE))

"""Principal component analysis as a monitor: Q (squared prediction error), Hotelling's T², and both in one index.

Q's limit: Jackson and Mudholkar, Technometrics 21 (1979). The combined index Q/limit(Q) + T²/limit(T²): Yue and Qin,
Ind. Eng. Chem. Res. 40 (2001); here its square root, which grows in proportion to a deviation as the autoencoder's
residual does. Contributions: complete decomposition, Alcala and Qin, Automatica 45 (2009). The limits only balance the
two parts; when to alarm is the calibration's matter.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CONFIDENCE = 0.99  # of both limits
EXPLAINED = 0.9  # of the variance, by the components kept
MAX_COMPONENTS = 64
STILL = 1e-9  # variance of a standardised feature
# Least share of the total variance that a component, or the residual, is taken to have.
MIN_VARIANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Pca:
    """Components (p, k), the variances of their scores (k,), and the limits of Q and T²."""

    components: Array
    variances: Array
    q_limit: float
    t2_limit: float

    def deviations(self, inputs: Array) -> Array:
        """Returns (n, p) whose row norm is the square root of the combined index: inputs times its symmetric root."""
        scores = inputs @ self.components
        residual = inputs - scores @ self.components.T
        scaled = scores / np.sqrt(self.variances * self.t2_limit)
        return scaled @ self.components.T + residual / math.sqrt(self.q_limit)

    def root(self) -> Array:
        """Returns the symmetric matrix (p, p) that `deviations` multiplies by."""
        return self.deviations(np.eye(len(self.components)))


def fit(inputs: Array, *, window: int = 1) -> Pca:
    """Fits inputs (n, p) that are standardised; keeps the components that explain 90 %, and never all of them.

    Successive inputs share all but one row of their `window`, so that only n / window of them are independent.
    """
    variances, axes = _axes(inputs - inputs.mean(axis=0), len(inputs) / window)
    kept = rank(variances, inputs.shape[1])
    floor = max(float(variances.sum()) * MIN_VARIANCE, 1e-12)
    components = _signed(axes[:, :kept])
    return Pca(
        np.ascontiguousarray(components),
        np.maximum(variances[:kept], floor),
        q_limit(np.maximum(variances[kept:], 0.0), floor),
        chi_squared_quantile(kept, CONFIDENCE) if kept else 1.0,
    )


def _axes(centered: Array, independent: float) -> tuple[Array, Array]:
    """Returns variances in falling order, and their axes as columns, of the covariance shrunk towards its diagonal.

    The diagonal weighs as much as p independent rows, the posterior mean of Chen, J. R. Statist. Soc. B 41 (1979): few
    rows show correlations that are luck.
    """
    n_rows, n_inputs = centered.shape
    covariance = centered.T @ centered / max(1, n_rows - 1)
    # A feature that never moved gets the unit variance that its scale stands for: a tiny one would alarm at rounding.
    still = np.diag(covariance) < STILL
    covariance[still, still] = 1.0
    share = n_inputs / (n_inputs + independent)
    variances, columns = np.linalg.eigh((1 - share) * covariance + share * np.diag(np.diag(covariance)))
    return np.maximum(variances[::-1], 0.0), columns[:, ::-1]


def rank(variances: Array, n_inputs: int) -> int:
    """Returns how many components explain EXPLAINED of the variance; 0 where there is one input or no variance."""
    total = float(variances.sum())
    if total <= 0.0:
        return 0
    needed = int(np.searchsorted(np.cumsum(variances) / total, EXPLAINED)) + 1
    return max(0, min(needed, n_inputs - 1, MAX_COMPONENTS))


def _signed(components: Array) -> Array:
    """Makes the largest entry of each component positive: an SVD leaves the sign open."""
    if not components.size:
        return components
    largest = components[np.abs(components).argmax(axis=0), np.arange(components.shape[1])]
    return components * np.where(largest < 0, -1.0, 1.0)


def q_limit(residual_variances: Array, floor: float) -> float:
    """Returns Jackson and Mudholkar's limit of Q for the variances of the components left out."""
    theta_1, theta_2, theta_3 = (float(np.sum(residual_variances**power)) for power in (1, 2, 3))
    if theta_1 <= floor:
        return floor
    h = 1 - 2 * theta_1 * theta_3 / (3 * theta_2**2)
    if h <= 0.001:  # the formula needs a positive power: one residual variance dominates, so Q is a chi-squared
        return theta_1 * chi_squared_quantile(1, CONFIDENCE)
    z = NormalDist().inv_cdf(CONFIDENCE)
    base = z * math.sqrt(2 * theta_2 * h**2) / theta_1 + 1 + theta_2 * h * (h - 1) / theta_1**2
    return max(floor, theta_1 * math.pow(max(base, 0.0), 1 / h))


def chi_squared_quantile(degrees: int, probability: float) -> float:
    """Returns a quantile by Wilson and Hilferty's approximation (PNAS 17, 1931), within 1 % for 0.99."""
    z = NormalDist().inv_cdf(probability)
    share = 2 / (9 * degrees)
    return degrees * math.pow(1 - share + z * math.sqrt(share), 3)

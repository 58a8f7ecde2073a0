"""What is measured of answers: accuracy, calibration, and how well unknown cars are told from known ones."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15  # of confidence, for the calibration error
KEPT = 0.95  # of the right answers, at the threshold that refusals are counted at
TEMPERATURES = np.exp(np.linspace(np.log(0.3), np.log(3.0), 231))
Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Figures:
    """Shares of the crops; `ece` is the calibration error of the first answer."""

    top1: float
    top5: float
    make: float
    body: float
    year: float
    nll: float
    ece: float

    def __str__(self) -> str:
        return " ".join(f"{name} {value:.4f}" for name, value in asdict(self).items())


def figures(logits: Array, labels: Labels, groups: Mapping[str, Labels], temperature: float = 1.0) -> Figures:
    """Judges logits (n, 196); make, body and year are those that the service would answer, one within the other."""
    p = probabilities(logits, temperature)
    order = np.argsort(-p, axis=1)
    right = order[:, 0] == labels
    top5 = (order[:, :5] == labels[:, None]).any(1)
    answered = descended(p, groups)
    shares = {key: float((groups[key][answered] == groups[key][labels]).mean()) for key in ("make", "body", "year")}
    nll = float(-np.log(p[np.arange(len(p)), labels] + 1e-12).mean())
    ece = calibration_error(p.max(1), right)
    return Figures(float(right.mean()), float(top5.mean()), **shares, nll=nll, ece=ece)


def descended(p: Array, groups: Mapping[str, Labels]) -> Labels:
    """Returns a class (n,) of the answered make, model, body and year: each the largest sum within the one before."""
    left = p.copy()
    for key in ("make", "model", "body", "year"):
        sums = left @ np.eye(groups[key].max() + 1)[groups[key]]
        left = np.where(groups[key][None] == sums.argmax(1)[:, None], left, 0.0)
    result: Labels = left.argmax(1)
    return result


def probabilities(logits: Array, temperature: float = 1.0) -> Array:
    powers = np.exp((logits - logits.max(1, keepdims=True)) / temperature)
    result: Array = powers / powers.sum(1, keepdims=True)
    return result


def calibration_error(confidence: Array, right: Mask) -> float:
    """Returns the mean distance of confidence and accuracy over bins of equal width, weighted by their size."""
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = [which == number for number in np.unique(which)]
    return float(sum(abs(confidence[rows].mean() - right[rows].mean()) * rows.mean() for rows in bins))


def temperature(logits: Array, labels: Labels) -> float:
    """Returns the divisor of the logits that makes the held-back labels likeliest."""
    losses = [-np.log(probabilities(logits, t)[np.arange(len(labels)), labels] + 1e-12).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def refused(right: Array, unknown: Array, kept: float = KEPT) -> float:
    """Returns the share of unknown scores below the threshold that keeps a share of the right answers' scores."""
    return float((unknown < np.quantile(right, 1 - kept)).mean())


def curve(right: Array, unknown: Array, points: int = 101) -> list[tuple[float, float]]:
    """Returns (share of right answers kept, share of unknown cars refused) from all kept to none."""
    return [(float(kept), refused(right, unknown, float(kept))) for kept in np.linspace(1, 0, points)]


def area(points: list[tuple[float, float]]) -> float:
    """Returns the area under a curve of right answers kept against unknown cars refused."""
    kept, share = np.array(points[::-1]).T
    return float(np.trapezoid(share, kept))

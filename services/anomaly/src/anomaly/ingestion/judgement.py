"""What is said of a reading: its score and status, or the reason why it cannot be judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from anomaly.ingestion.consequences import Shares
from anomaly.ingestion.fates import Fate
from anomaly.ingestion.readings import Quality
from anomaly.model import Kind, Model
from anomaly.preprocess import Array

Status = Literal["normal", "anomaly", "unknown"]
Reason = Literal["bad_quality", "out_of_range", "null_values", "warming_up"]
Ranges = tuple[Array, Array]  # the least and the largest value of each sensor, (d,) each


class Explanation(NamedTuple):
    """Which kind of model judged, and each sensor's share of the score; no shares where there is no score."""

    kind: Kind
    shares: Shares


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """The verdict on one reading; `explain` is only called where somebody wants to know."""

    at_ms: int
    quality: Quality
    score: float | None
    threshold: float
    status: Status
    reason: Reason | None
    fate: Fate
    version: int
    explain: Callable[[], Explanation]


def obstacles(
    values: Array, qualities: Sequence[Quality] | None, limits: Ranges | None, max_null_share: float
) -> list[Reason | None]:
    """Returns for each row (n, d) why it cannot be judged, None where it can, before any window is looked at."""
    found: list[Reason | None] = [None] * len(values)
    nulls = np.isnan(values)
    if nulls.any():
        for place in np.flatnonzero(nulls.mean(axis=1) > max_null_share):
            found[place] = "null_values"
    if limits is not None:
        for place in np.flatnonzero(((values < limits[0]) | (values > limits[1])).any(axis=1)):
            found[place] = "out_of_range"
    for i, quality in enumerate(qualities or ()):
        if quality == "bad":
            found[i] = "bad_quality"
    return found


def verdict(model: Model, score: float, obstacle: Reason | None) -> tuple[float | None, Status, Reason | None]:
    """Returns score, status and reason; a score that is NaN or missing is never `normal`."""
    if obstacle is not None:
        return None, "unknown", obstacle
    if score != score:
        return None, "unknown", "warming_up"
    return score, "anomaly" if score > model.threshold else "normal", None

"""Bodies and answers of the stateless calls."""

from typing import Literal

import msgspec

Status = Literal["normal", "anomaly", "unknown"]
Severity = Literal["none", "minor", "major", "critical"]


class Values(msgspec.Struct, forbid_unknown_fields=True):
    """One row of sensor values, in the order of the model's sensors."""

    values: list[float]


class Rows(msgspec.Struct, forbid_unknown_fields=True):
    """Rows of sensor values, in the order of time."""

    rows: list[list[float]]


class Verdict(msgspec.Struct):
    """The score and what it means; `unknown`, without a score, where a value is outside its sensor's physical range."""

    score: float | None
    status: Status


class Contribution(msgspec.Struct):
    """A sensor's share of the score; the shares sum to 1."""

    sensor: str
    contribution: float


class DetailedVerdict(msgspec.Struct):
    """The score, what it was held against, and which sensors made it."""

    score: float | None
    status: Status
    threshold: float
    severity: Severity | None
    contributions: list[Contribution]
    model: str
    model_version: int


class BatchVerdict(msgspec.Struct):
    """Scores and statuses in the order of the rows; a row that cannot be judged has no score and is `unknown`."""

    scores: list[float | None]
    statuses: list[Status]

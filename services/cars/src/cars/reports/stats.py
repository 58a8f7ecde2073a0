"""The statistics as they are answered."""

from dataclasses import asdict
from typing import Annotated

import msgspec
from msgspec import Meta

from cars.archive import Stats


class ModelStatistics(msgspec.Struct):
    """How many files show a model; its make is null where the label tells none."""

    make: str | None
    model: str
    count: int


class Statistics(msgspec.Struct):
    """Counts of files and predictions; make and model are the correction's, else those of a recognized prediction."""

    files: int
    size_bytes: int
    predictions: Annotated[int, Meta(description="Of all files, up to five each.")]
    corrections: int
    by_status: dict[str, int]
    by_make: Annotated[dict[str, int], Meta(description="Most files first.")]
    by_model: Annotated[list[ModelStatistics], Meta(description="Most files first.")]
    by_confidence: Annotated[
        list[int], Meta(description="Files by the confidence of their first prediction, in steps of a tenth from 0.")
    ]
    by_reason: Annotated[dict[str, int], Meta(description="Why files were not recognized.")]
    by_backend: dict[str, int]
    by_day: Annotated[dict[str, int], Meta(description="Uploads by the day in UTC, oldest first.")]


def statistics(stats: Stats) -> Statistics:
    """Returns the archive's counts as they are answered."""
    return msgspec.convert(asdict(stats), Statistics)

"""What is counted while pictures come and are recognised: plain numbers, which measures.py shows to Prometheus."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from prometheus_client import Histogram
from servicekit.problems import Problem

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
NO_REASON = "recognized"

Arrival = Literal["stored", "duplicate"]
Place = Literal["database", "pictures"]


class Counts:
    """Changed by the event loop alone; the histogram has its own lock and is told by the threads too."""

    def __init__(self) -> None:
        self.uploads: Counter[Arrival] = Counter()
        self.recognitions: Counter[tuple[str, str]] = Counter()  # by backend and reason
        self.refused: Counter[str] = Counter()  # by the problem's slug
        self.storage_errors: Counter[Place] = Counter()
        self.seconds = Histogram(
            "cars_stage_seconds",
            "Duration of one stage for one picture: store, fetch, decode, recognise.",
            labelnames=("stage",),
            buckets=BUCKETS_S,
            registry=None,
        )

    def recognised(self, backend: str, reason: str | None) -> None:
        self.recognitions[backend, reason or NO_REASON] += 1

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Counts the Problem that ends the block, where one does."""
        try:
            yield
        except Problem as problem:
            self.refused[problem.slug] += 1
            raise

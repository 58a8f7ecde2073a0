"""What is counted while pages are read: plain numbers, which measures.py shows to Prometheus."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Histogram
from servicekit.problems import Problem

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Counts:
    """Changed by the event loop alone; the histogram has its own lock and is told by the threads that read."""

    def __init__(self) -> None:
        self.pages: Counter[tuple[str, str]] = Counter()  # by source and route
        self.lines: Counter[str] = Counter()  # by source
        self.characters: Counter[str] = Counter()  # by source
        self.refused: Counter[str] = Counter()  # by the problem's slug
        self.faults = 0  # of the networks
        self.seconds = Histogram(
            "ocr_stage_seconds",
            "Duration of one stage for one page: decode, render (with the text layer), read.",
            labelnames=("stage",),
            buckets=BUCKETS_S,
            registry=None,
        )

    def read(self, source: str, route: str, lines: int, characters: int) -> None:
        self.pages[source, route] += 1
        self.lines[source] += lines
        self.characters[source] += characters

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Counts the Problem that ends the block, where one does."""
        try:
            yield
        except Problem as problem:
            self.refused[problem.slug] += 1
            raise

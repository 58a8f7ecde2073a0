"""What is counted while pictures are read: plain numbers, which measures.py shows to Prometheus."""

from collections import Counter

from prometheus_client import Histogram

BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)


class Counts:
    """Changed by the event loop alone; the histogram has its own lock and is told by the threads that infer."""

    def __init__(self) -> None:
        self.images: Counter[tuple[str, str]] = Counter()  # by model and route
        self.not_digits: Counter[str] = Counter()  # by model
        self.refused: Counter[str] = Counter()  # by the problem's slug
        self.inference = Histogram(
            "digit_inference_seconds",
            "Duration of one run of a model, on one picture or a chunk of a batch.",
            buckets=BUCKETS_S,
            registry=None,
        )

    def read(self, model: str, route: str, *, is_digit: bool) -> None:
        self.images[model, route] += 1
        if not is_digit:
            self.not_digits[model] += 1

    def refuse(self, slug: str) -> None:
        self.refused[slug] += 1

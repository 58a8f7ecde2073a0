"""What is counted of the remote model: plain numbers, which measures.py shows to Prometheus."""

from collections import Counter

from prometheus_client import Histogram

BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class HubCounts:
    """Changed by the event loop alone."""

    def __init__(self) -> None:
        self.pictures: Counter[str] = Counter()  # by outcome: `ok` or the problem's slug
        self.attempts = 0  # requests that were sent; those after the first one are retries
        self.in_flight = 0  # requests under way
        self.sent_bytes = 0
        self.seconds = Histogram(
            "cars_remote_seconds",
            "Duration of one request to the remote model, failed ones included.",
            buckets=BUCKETS_S,
            registry=None,
        )

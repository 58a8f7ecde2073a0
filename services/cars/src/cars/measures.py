"""What Prometheus sees of this service beside HTTP, read from the counts when it scrapes."""

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from cars.backends import Backend
from cars.services import Services

BREAKER = {"closed": 0, "half-open": 1, "open": 2}


class Measures(Collector):
    """Collects the counts of uploads, recognitions, storage and the remote."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def collect(self) -> Iterable[Metric]:
        services, counts = self.services, self.services.counts
        yield _counts("uploads", "Pictures taken in: stored, or a duplicate.", "result", counts.uploads)
        yield self._recognitions()
        yield _counts("refused", "Pictures refused, by the problem.", "reason", counts.refused)
        yield _counts("storage_errors", "Looks at what keeps the pictures that failed.", "part", counts.storage_errors)
        files = GaugeMetricFamily("cars_files", "Files stored, some seconds ago.", labels=["status"])
        for status, count in services.files.items():
            files.add_metric([status], count)
        yield files
        yield GaugeMetricFamily("cars_queue_length", "Pictures that are recognised or wait.", services.recogniser.depth)
        yield GaugeMetricFamily("cars_writes_waiting", "Changes that wait for the database.", services.ledger.depth)
        yield GaugeMetricFamily("cars_writes_limit", "How many may wait; more are refused.", services.ledger.max_queue)
        yield InfoMetricFamily("cars_model", "What recognises.", value=services.model())
        yield from counts.seconds.collect()
        yield from _remote(services.recogniser.backend)

    def _recognitions(self) -> Metric:
        family = CounterMetricFamily(
            "cars_recognitions",
            "Pictures recognised, by the reason for which they were not.",
            labels=["backend", "reason"],
        )
        for labels, count in self.services.counts.recognitions.items():
            family.add_metric(labels, count)
        return family


def _remote(backend: Backend) -> Iterable[Metric]:
    """Yields what is counted of the remote model, where there is one."""
    if backend.name != "huggingface":
        return
    from cars.backends.huggingface import HuggingFace  # its HTTP client is loaded by now

    assert isinstance(backend, HuggingFace)
    counts = backend.counts
    yield _counts("remote_pictures", "Pictures that the remote model was asked for.", "outcome", counts.pictures)
    yield CounterMetricFamily("cars_remote_requests", "Requests to it, retries included.", value=counts.attempts)
    yield CounterMetricFamily("cars_remote_sent_bytes", "Bytes of pictures sent to it.", value=counts.sent_bytes)
    yield GaugeMetricFamily("cars_remote_requests_active", "Requests to it under way.", counts.in_flight)
    yield CounterMetricFamily(
        "cars_remote_breaker_opened", "Times that it was left alone.", value=backend.breaker.opened
    )
    yield GaugeMetricFamily(
        "cars_remote_breaker_state", "0 closed, 1 half-open, 2 open.", BREAKER[backend.breaker.state]
    )
    yield from counts.seconds.collect()


def _counts(name: str, documentation: str, label: str, counts: Mapping[Any, int]) -> Metric:
    family = CounterMetricFamily(f"cars_{name}", documentation, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family

"""Prometheus metrics on a registry per application, named after OpenTelemetry's semantic conventions."""

import itertools
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"


class _Durations:
    """A histogram of its own: no locks, because only the event loop writes, at half the cost of the library's."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_S) + 1)
        self.sum_s = 0.0

    def buckets(self) -> list[tuple[str, float]]:
        """Returns each upper bound with the number of requests up to it, as Prometheus has them."""
        bounds = [*(str(bound) for bound in BUCKETS_S), "+Inf"]
        return list(zip(bounds, itertools.accumulate(map(float, self.counts)), strict=True))


class Metrics(Collector):
    """What every service measures of its HTTP; a service adds its own metrics to `registry`."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.active = 0  # requests being served
        self.errors = 0  # that no handler foresaw
        self.problems: Counter[str] = Counter()  # answered, by slug
        self._durations: dict[tuple[str, str, int], _Durations] = {}
        self.registry = CollectorRegistry(auto_describe=True)
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts a request; `route` is a template, never a path that a client made up."""
        durations = self._durations.get((method, route, status))
        if durations is None:
            shown = method if method in METHODS else "_OTHER"
            durations = self._durations.setdefault((shown, route, status), _Durations())
        durations.counts[bisect_left(BUCKETS_S, seconds)] += 1
        durations.sum_s += seconds

    def collect(self) -> Iterable[Metric]:
        duration = HistogramMetricFamily(
            "http_server_request_duration_seconds",
            "Duration of HTTP requests, the body's arrival included.",
            labels=("service", "http_request_method", "http_route", "http_response_status_code"),
        )
        for (method, route, status), durations in self._durations.items():
            labels = (self.service, method, route, str(status))
            duration.add_metric(labels, buckets=durations.buckets(), sum_value=durations.sum_s)
        yield duration
        active = GaugeMetricFamily("http_server_active_requests", "HTTP requests being served.", labels=("service",))
        active.add_metric((self.service,), self.active)
        yield active
        errors = CounterMetricFamily(
            "http_server_unhandled_errors", "Errors that no handler foresaw, answered with 500.", labels=("service",)
        )
        errors.add_metric((self.service,), self.errors)
        yield errors
        problems = CounterMetricFamily(
            "http_server_problems", "Errors answered, by the last word of their type.", labels=("service", "problem")
        )
        for slug, count in self.problems.items():
            problems.add_metric((self.service, slug), count)
        yield problems

    async def endpoint(self, _request: Request) -> Response:
        """Everything that is measured, in Prometheus' text format."""
        return Response(generate_latest(self.registry), media_type=MEDIA_TYPE)


def route_template(scope: Scope) -> str:
    """Returns the template of the route that the router chose, as it is within the service."""
    return getattr(scope.get("route"), "path", None) or UNMATCHED


class MergedCollector(Collector):
    """Several registries as one: families of one name are joined, a sample that all of them have is kept once."""

    def __init__(self, registries: Iterable[CollectorRegistry]) -> None:
        self.registries = list(registries)

    def collect(self) -> Iterable[Metric]:
        merged: dict[str, Metric] = {}
        seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        for registry in self.registries:
            for family in registry.collect():
                into = merged.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    key = (sample.name, tuple(sorted(sample.labels.items())))
                    if key not in seen:
                        seen.add(key)
                        into.samples.append(sample)
        return merged.values()

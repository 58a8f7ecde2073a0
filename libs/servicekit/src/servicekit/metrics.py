"""Prometheus metrics on a registry per application, named after OpenTelemetry's semantic conventions."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from servicekit.context import RequestContext

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"


class Metrics:
    """What every service measures of its HTTP; a service adds its own metrics to `registry`."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry(auto_describe=True)
        self.active = 0  # requests being served
        self.duration = Histogram(
            "http_server_request_duration_seconds",
            "Duration of HTTP requests, the body's arrival included.",
            ("service", "http_request_method", "http_route", "http_response_status_code"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        Gauge(
            "http_server_active_requests", "HTTP requests being served.", ("service",), registry=self.registry
        ).labels(service).set_function(lambda: self.active)
        self.errors = Counter(
            "http_server_unhandled_errors",
            "Errors that no handler foresaw, answered with 500.",
            ("service",),
            registry=self.registry,
        ).labels(service)
        ProcessCollector(registry=self.registry)
        self._durations: dict[tuple[str, str, int], Histogram] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts a request; `route` is a template, never a path that a client made up."""
        child = self._durations.get((method, route, status))
        if child is None:
            shown = method if method in METHODS else "_OTHER"
            child = self.duration.labels(self.service, shown, route, str(status))
            self._durations[shown, route, status] = child
        child.observe(seconds)

    async def endpoint(self, _request: Request) -> Response:
        """Everything that is measured, in Prometheus' text format."""
        return Response(generate_latest(self.registry), media_type=MEDIA_TYPE)


def route_template(scope: Scope, request: RequestContext) -> str:
    """Returns the template of the route that served the request, as it is within the service."""
    return request.route or getattr(scope.get("route"), "path", None) or UNMATCHED


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

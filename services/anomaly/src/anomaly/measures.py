"""What Prometheus sees of this service beside HTTP, read from the parts when it scrapes: counting costs nothing."""

from collections.abc import Iterable, Mapping
from typing import get_args

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from anomaly.alerting.alarms import Kind
from anomaly.alerting.delivery import OUTCOMES
from anomaly.services import Services


class Measures(Collector):
    """`scored` counts the verdicts of `POST /` by status."""

    def __init__(self, services: Services, scored: Mapping[str, int]) -> None:
        self.services = services
        self.scored = scored

    def collect(self) -> Iterable[Metric]:
        services = self.services
        active = services.registry.default
        yield _counts("anomaly_scores", "Rows scored by POST /, by status.", "status", self.scored)
        yield _counts("anomaly_readings", "Readings stored, by status.", "status", services.ingest.verdicts)
        yield _gauge(
            "anomaly_model_version", "Version that answers POST /; 0 for none.", active.version if active else 0
        )
        yield _gauge("anomaly_write_queue_length", "Writes that wait for their commit.", services.ledger.depth)
        yield _gauge("anomaly_write_queue_limit", "How many may wait; more are refused.", services.ledger.max_queue)
        yield _gauge("anomaly_streams_open", "Open event streams.", services.hub.streams)
        yield _gauge("anomaly_deliveries_pending", "Notices that wait to be sent.", services.watch.queue_length)
        open_ = GaugeMetricFamily("anomaly_alerts_open", "Open alerts, by kind.", labels=["kind"])
        for kind in get_args(Kind):
            open_.add_metric([kind], services.watch.open_alerts[kind])
        yield open_
        sent = CounterMetricFamily(
            "anomaly_deliveries", "Attempts to send a notice.", labels=["receiver_kind", "outcome"]
        )
        delivery = services.delivery
        for kind in sorted({receiver.kind for receiver in delivery.receivers}):
            for outcome in OUTCOMES:  # from 0, so that an increase sees the first one that failed
                sent.add_metric([kind, outcome], delivery.outcomes[kind, outcome])
        yield sent


def _counts(name: str, documentation: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, documentation, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)

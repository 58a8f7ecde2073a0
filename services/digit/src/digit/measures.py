"""What Prometheus sees of this service beside HTTP and WebSockets, read from the counts when it scrapes."""

from collections.abc import Iterable, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from digit.reader import Reader


class Measures(Collector):
    """Collects the reader's counts."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def collect(self) -> Iterable[Metric]:
        counts = self.reader.counts
        images = CounterMetricFamily("digit_images", "Pictures read.", labels=["model", "route"])
        for (model, route), count in counts.images.items():
            images.add_metric([model, route], count)
        yield images
        yield _counts("not_digits", "Pictures read that show no digit.", "model", counts.not_digits)
        yield _counts("refused", "Pictures and ZIPs refused, by the problem.", "reason", counts.refused)
        yield GaugeMetricFamily("digit_queue_length", "Pictures that wait or are being read.", value=self.reader.depth)
        yield InfoMetricFamily("digit_model", "The model that answers where a call names none.", value=self._model())
        yield from counts.inference.collect()

    def _model(self) -> dict[str, str]:
        models = self.reader.loaded
        model = models.find(models.default) if models else None
        return {
            "model": model.name if model else "",
            "sha256": model.sha256 if model else "",
            "provider": model.networks[0].provider if model else "",
        }


def _counts(name: str, documentation: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"digit_{name}", documentation, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family

"""What Prometheus sees of this service beside HTTP, read from the counts when it scrapes."""

from collections.abc import Iterable, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from ocr.services import Services


class Measures(Collector):
    """Collects the reader's counts."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.reader = services.reader

    def collect(self) -> Iterable[Metric]:
        counts = self.reader.counts
        pages = CounterMetricFamily("ocr_pages", "Pages read.", labels=["source", "route"])
        for (source, route), count in counts.pages.items():
            pages.add_metric([source, route], count)
        yield pages
        yield _counts("lines", "Lines of text read.", "source", counts.lines)
        yield _counts("characters", "Characters read.", "source", counts.characters)
        yield _counts("refused", "Images and documents refused, by the problem.", "reason", counts.refused)
        yield GaugeMetricFamily("ocr_queue_length", "Pages that wait or are being read.", value=self.reader.depth)
        yield CounterMetricFamily(
            "ocr_child_restarts", "Processes that open PDFs and had to be replaced.", value=self._restarts()
        )
        yield InfoMetricFamily("ocr_model", "The networks and where they compute.", value=self._model())
        yield from counts.seconds.collect()

    def _restarts(self) -> int:
        return self.reader.documents.restarts if self.reader.is_open else 0

    def _model(self) -> dict[str, str]:
        pipeline = self.reader.loaded
        return {
            "version": pipeline.version if pipeline else "",
            "provider": "+".join(pipeline.providers) if pipeline else "",
            "asked": "gpu" if self.services.settings.use_gpu else "cpu",
        }


def _counts(name: str, documentation: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"ocr_{name}", documentation, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family

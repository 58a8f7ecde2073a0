"""What Prometheus sees of a service's state: ready or not, degraded or not, the room on its disks, its memory."""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from servicekit import cgroups
from servicekit.health import Health

TEMPORARY = "temporary"  # where uploads lie while they are read


class Vitals(Collector):
    """`folders` are those that the service writes to, by a name that is no path."""

    def __init__(self, service: str, health: Health, folders: Mapping[str, Path]) -> None:
        self.service = service
        self.health = health
        self.folders = {**folders, TEMPORARY: Path(tempfile.gettempdir())}

    def describe(self) -> Iterable[Metric]:
        """Names nothing: the registry would collect instead, and so infer before anything is loaded."""
        return ()

    def collect(self) -> Iterable[Metric]:
        ready = self.health.check() is None
        yield self._flag("service_ready", "1 while /health/ready answers 200.", ready)
        yield self._flag(
            "service_degraded", "1 while /health says degraded.", ready and bool(self.health.details().get("degraded"))
        )
        yield from self._rooms()
        yield from _memory(cgroups.memory())

    def _flag(self, name: str, documentation: str, value: bool) -> Metric:
        family = GaugeMetricFamily(name, documentation, labels=("service",))
        family.add_metric((self.service,), float(value))
        return family

    def _rooms(self) -> Iterable[Metric]:
        labels = ("service", "folder")
        free = GaugeMetricFamily("storage_free_bytes", "Room for this user where a folder lies.", labels=labels)
        size = GaugeMetricFamily("storage_size_bytes", "Size of the file system where a folder lies.", labels=labels)
        for name, folder in self.folders.items():
            disk = os.statvfs(_nearest(folder))
            free.add_metric((self.service, name), disk.f_bavail * disk.f_frsize)
            size.add_metric((self.service, name), disk.f_blocks * disk.f_frsize)
        return free, size


def _nearest(folder: Path) -> Path:
    """Returns the folder, or the one that it will be made in."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _memory(memory: cgroups.Memory | None) -> Iterable[Metric]:
    texts: tuple[tuple[str, str, Callable[[cgroups.Memory], float]], ...] = (
        ("memory_used_bytes", "Memory of the control group, children included.", lambda memory: memory.used_bytes),
        ("memory_limit_bytes", "Memory that the control group may have.", lambda memory: memory.limit_bytes),
    )
    for name, documentation, value in texts:
        family = GaugeMetricFamily(name, documentation)
        if memory:
            family.add_metric((), value(memory))
        yield family

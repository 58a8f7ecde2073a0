"""Seconds from the start of the process to ready: a first start, which makes the database, and a second one."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import servers
from bench.report import Row


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        for which in ("first", "second"):
            started = time.perf_counter()
            environment = {
                "GATEWAY_PORT": "{port}",
                "GATEWAY_DRAIN_S": "0",
                "ANOMALY_DATABASE_URL": f"sqlite:///{Path(folder)}/anomaly.db",
            }
            with servers.start("-m", "gateway", ready="/anomaly/health/ready", environment=environment):
                seconds = time.perf_counter() - started
            yield Row(f"seconds to ready, all in one process, {which} start", seconds, "within 5", seconds <= 5)

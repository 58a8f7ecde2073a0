"""The longest that `GET /health/live` waits while 100,000 files are exported: exports hold nobody else up."""

import http.client
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bench import rows_cars, servers
from bench.report import Row

FILES = 100_000
MOST_MS = 50.0
BETWEEN_S = 0.01
QUIET_S = 3.0
EXPORTS = {
    "CSV": "/visualization/export/csv",
    "XLSX": "/visualization/export/xlsx",
    "the report": "/visualization/report",
}
PIECE_BYTES = 1 << 18


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        rows_cars.fill(f"sqlite:///{folder}/cars.db", FILES)
        with servers.cars(Path(folder)) as server:
            quiet = _waits_ms(server, partial(time.sleep, QUIET_S))
            yield Row("ms, longest wait of /health/live without an export", max(quiet), "for comparison", None)
            for name, path in EXPORTS.items():
                started = time.perf_counter()
                waits = _waits_ms(server, partial(_fetch, server, path))
                took_s = time.perf_counter() - started
                what = f"ms, longest wait of /health/live, {name} of {FILES:,} files"
                yield Row(what, max(waits), f"at most {MOST_MS:.0f}", max(waits) <= MOST_MS)
                yield Row(f"ms, half of them, while {name} is made", statistics.median(waits), "for the record", None)
                yield Row(f"seconds of {name}", took_s, "for the record", None)


def _waits_ms(server: servers.Server, work: Callable[[], None]) -> list[float]:
    """Returns how long each of the requests waited that were sent while the work was done."""
    waits: list[float] = []
    with ThreadPoolExecutor(1) as beside:
        working = beside.submit(work)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        while not working.done():
            started = time.perf_counter()
            connection.request("GET", "/health/live")
            connection.getresponse().read()
            waits.append(1000 * (time.perf_counter() - started))
            time.sleep(BETWEEN_S)
        connection.close()
        working.result()
    return waits


def _fetch(server: servers.Server, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("GET", path)
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}")
    while answer.read(PIECE_BYTES):
        pass
    connection.close()

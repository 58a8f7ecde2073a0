"""Resident memory of the digit service alone after 10,000 requests, docs and page included; and how long it starts."""

import time
import urllib.request
from collections.abc import Iterator

from bench import load, pictures_digit, servers
from bench.report import Row

PAGES = ("/", "/docs", "/openapi.json", "/health", "/metrics", "/models")
REQUESTS = 10_000
STARTS = 3
MOST_MB = 150
READY_S = 1.0


def measure() -> Iterator[Row]:
    fastest_s = min(_start_s() for _ in range(STARTS))
    yield Row("seconds to ready, alone, fastest of three starts", fastest_s, f"within {READY_S}", fastest_s <= READY_S)
    idle, resident = _memory_mb()
    yield Row("resident MB when ready", idle, "for comparison", None)
    yield Row(f"resident MB after {REQUESTS:,} requests", resident, f"at most {MOST_MB}", resident <= MOST_MB)


def _start_s() -> float:
    started = time.perf_counter()
    with servers.digit():
        return time.perf_counter() - started


def _memory_mb() -> tuple[float, float]:
    body, media_type = pictures_digit.form("file", "7.png", pictures_digit.made_pngs(8)[7])
    request = load.request_bytes("/predict", body, media_type, {})
    with servers.digit(rate_limit_per_s="1000000", rate_limit_burst="1000000") as server:
        idle = server.resident_mb()
        for path in PAGES:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}").read()
        done = load.run(server.port, request, connections=16, requests=REQUESTS)
        if done.failed:
            raise RuntimeError(f"{done.failed} of {done.requests} requests failed")
        return idle, server.resident_mb()

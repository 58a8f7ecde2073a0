"""Resident memory of the anomaly service alone: docs, page and database layer included, after 10,000 requests."""

import json
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench import load, servers
from bench.report import Row

PAGES = ("/", "/docs", "/openapi.json", "/static/page.js", "/health", "/metrics", "/anomaly/assets", "/anomaly/alerts")


def measure() -> Iterator[Row]:
    body = json.dumps({"values": [1.2, 0.9, 1.1]}).encode()
    with tempfile.TemporaryDirectory() as folder, servers.anomaly(Path(folder)) as server:
        for path in PAGES:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}").read()
        for path, requests in (("/anomaly", 8000), ("/anomaly/assets/default", 2000)):
            request = load.request_bytes(path, body, "application/json", {})
            done = load.run(server.port, request, connections=16, requests=requests)
            if done.failed:
                raise RuntimeError(f"{done.failed} of {done.requests} requests to {path} failed")
        resident = server.resident_mb()
    yield Row("resident MB after 10,000 requests", resident, "at most 95, aim at 85", resident <= 95)

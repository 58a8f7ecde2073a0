"""Rows per second of `POST /anomaly/batch`, 256 × 32, against parsing the same JSON alone."""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import msgspec

from bench import load, servers
from bench.models import made_model, made_rows
from bench.report import Row

ROUNDS = 7
REQUESTS = 400
ROWS, SENSORS = 256, 32


def measure() -> Iterator[Row]:
    body = json.dumps({"rows": made_rows(ROWS, SENSORS).round(4).tolist()}).encode()
    request = load.request_bytes("/anomaly/batch", body, "application/json", {})
    with tempfile.TemporaryDirectory() as folder:
        weights = made_model(Path(folder), SENSORS)
        with servers.anomaly(Path(folder), model_file=str(weights), access_log="false") as server:
            pairs = [_round(server, request, body) for _ in range(ROUNDS + 1)][1:]
    for index, parser in enumerate(("json.loads", "msgspec")):
        ratio = median(parse[index] / ours for ours, *parse in pairs)
        yield Row(f"rows per second, {ROWS} × {SENSORS}, / {parser} alone", ratio, "at least 0.7", ratio >= 0.7)


def _round(server: servers.Server, request: bytes, body: bytes) -> tuple[float, float, float]:
    """Returns seconds per batch: the server's CPU, `json.loads`, msgspec."""
    before = server.cpu_s()
    done = load.run(server.port, request, connections=1, requests=REQUESTS)
    if done.failed:
        raise RuntimeError(f"{done.failed} of {done.requests} batches failed")
    ours = (server.cpu_s() - before) / done.requests
    return ours, _time(lambda: json.loads(body)), _time(lambda: msgspec.json.decode(body))


def _time(parse: object) -> float:
    assert callable(parse)
    started = time.process_time()
    for _ in range(REQUESTS):
        parse()
    return (time.process_time() - started) / REQUESTS

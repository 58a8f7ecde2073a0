"""Server CPU per `POST /anomaly`, the whole request, against bare Starlette's constant answer and the seed's stack."""

import importlib.util
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from servicekit import auth

from bench import load, servers
from bench.models import made_model
from bench.report import Row

ROUNDS = 5
CONNECTIONS = 16
REQUESTS = 20_000
SENSORS = (3, 32)
SERVER = ("-m", "uvicorn", "--factory", "--http", "httptools", "--loop", "uvloop", "--port", "{port}")
CONSTANT = (*SERVER, "--no-access-log", "bench.peers:constant")
SEED = (*SERVER, "bench.peers:seed_stack")  # its own command logs each request, as ours does


def measure() -> Iterator[Row]:
    for sensors in SENSORS:
        yield from _measure(sensors)


def _measure(sensors: int) -> Iterator[Row]:
    body = json.dumps({"values": [round(1.0 + 0.01 * i, 2) for i in range(sensors)]}).encode()
    secret, line = auth.generate("bench", "read")
    request = load.request_bytes("/anomaly", body, "application/json", {"Authorization": f"Bearer {secret}"})
    with ExitStack() as stack:
        peers = {
            "quiet": stack.enter_context(_ours(sensors, line, access_log="false")),
            "logged": stack.enter_context(_ours(sensors, line, access_log="true")),
            "constant": stack.enter_context(servers.start(*CONSTANT, ready="/anomaly", environment={})),
        }
        if importlib.util.find_spec("torch"):
            environment = {"BENCH_SENSORS": str(sensors)}
            seed = servers.start(*SEED, ready="/anomaly", environment=environment)
            peers["seed"] = stack.enter_context(seed)
        costs = _costs(peers, request)
    yield from _rows(sensors, costs)


@contextmanager
def _ours(sensors: int, key: str, access_log: str) -> Iterator[servers.Server]:
    with tempfile.TemporaryDirectory() as folder:
        weights = made_model(Path(folder), sensors)
        settings = {
            "api_keys": key,
            "access_log": access_log,
            "rate_limit_per_s": "1000000",
            "rate_limit_burst": "1000000",
        }
        with servers.anomaly(Path(folder), model_file=str(weights), **settings) as server:
            yield server


def _costs(peers: dict[str, servers.Server], request: bytes) -> dict[str, list[float]]:
    """Returns each server's CPU seconds per request, a figure for each round; the servers take turns within a round."""
    costs: dict[str, list[float]] = {name: [] for name in peers}
    for round_ in range(ROUNDS + 1):
        for name, server in peers.items():
            before = server.cpu_s()
            done = load.run(server.port, request, connections=CONNECTIONS, requests=REQUESTS)
            if done.failed:
                raise RuntimeError(f"{done.failed} of {done.requests} requests to {name} failed")
            if round_:  # the first warms up
                costs[name].append((server.cpu_s() - before) / done.requests)
    return costs


def _rows(sensors: int, costs: dict[str, list[float]]) -> Iterator[Row]:
    goals = [("quiet", "constant", 1.3), ("logged", "constant", 1.6), ("logged", "seed", 0.25)]
    for ours, peer, goal in goals:
        if peer in costs:
            ratio = median(a / b for a, b in zip(costs[ours], costs[peer], strict=True))
            yield Row(f"CPU per request, {sensors} values, {ours} / {peer}", ratio, f"at most {goal}", ratio <= goal)
        else:
            yield Row(
                f"CPU per request, {sensors} values, {ours} / {peer}", None, "skipped: torch is not installed", None
            )

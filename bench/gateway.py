"""What the one process and Traefik add to a request: p50 and server CPU against the service alone, in the same run."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import yaml  # type: ignore[import-untyped]  # ships no types

from bench import load, servers
from bench.report import Row

ROUNDS = 9
REQUESTS = 4_000
CONNECTIONS = (1, 16)
TRAEFIK = os.environ.get("TRAEFIK_BIN") or shutil.which("traefik")
CONFIGURATION = Path(__file__).parents[1] / "gateway" / "traefik.yml"
BODY = json.dumps({"values": [1.2, 0.9, 1.1]}).encode()
ONE_PROCESS, THROUGH_TRAEFIK = 1.1, 1.5


@dataclass(frozen=True)
class Cost:
    """Of one request: how long half of the clients wait at most, and the server's own CPU."""

    p50_s: float
    cpu_s: float


Costs = Mapping[str, list[Cost]]


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        alone = stack.enter_context(servers.anomaly(Path(folder)))
        whole = stack.enter_context(_one_process(Path(folder) / "whole"))
        yield from _one_process_rows(alone, whole)
    if not TRAEFIK:
        yield Row("through Traefik / direct", None, "skipped: no traefik, name it in TRAEFIK_BIN", None)
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        alone = stack.enter_context(servers.anomaly(Path(folder)))
        proxy = stack.enter_context(_traefik(Path(folder), alone))
        yield from _traefik_rows(alone, proxy)


def _one_process_rows(alone: servers.Server, whole: servers.Server) -> Iterator[Row]:
    for connections in CONNECTIONS:
        costs = _costs({"alone": alone, "one process": whole}, connections)
        for what, ratio in (("p50", _p50(costs, "one process")), ("CPU", _cpu(costs, "one process"))):
            yield Row(
                f"{what} of one process / the service alone, {connections} connections",
                ratio, f"at most {ONE_PROCESS}", ratio <= ONE_PROCESS,
            )  # fmt: skip


def _traefik_rows(alone: servers.Server, proxy: servers.Server) -> Iterator[Row]:
    for connections in CONNECTIONS:
        costs = _costs({"alone": alone, "traefik": proxy}, connections)
        ratio = _p50(costs, "traefik")
        yield Row(
            f"p50 through Traefik / direct, {connections} connections",
            ratio, f"at most {THROUGH_TRAEFIK}", ratio <= THROUGH_TRAEFIK,
        )  # fmt: skip
        yield Row(
            f"Traefik's own CPU / the service's, {connections} connections",
            _cpu(costs, "traefik"),
            "for the record",
            None,
        )


def _p50(costs: Costs, name: str) -> float:
    return median(a.p50_s / b.p50_s for a, b in zip(costs[name], costs["alone"], strict=True))


def _cpu(costs: Costs, name: str) -> float:
    return median(a.cpu_s / b.cpu_s for a, b in zip(costs[name], costs["alone"], strict=True))


def _costs(peers: Mapping[str, servers.Server], connections: int) -> dict[str, list[Cost]]:
    """Returns what a request costs each server, for each round; the servers take turns within a round."""
    request = load.request_bytes("/anomaly", BODY, "application/json", {})
    costs: dict[str, list[Cost]] = {name: [] for name in peers}
    for round_ in range(ROUNDS + 1):
        for name, server in peers.items():
            before = server.cpu_s()
            done = load.run(server.port, request, connections=connections, requests=REQUESTS)
            if done.failed:
                raise RuntimeError(f"{done.failed} of {done.requests} requests to {name} failed")
            if round_:  # the first warms up
                costs[name].append(Cost(done.percentile(50), (server.cpu_s() - before) / done.requests))
    return costs


@contextmanager
def _one_process(folder: Path) -> Iterator[servers.Server]:
    folder.mkdir()
    environment = {
        "GATEWAY_PORT": "{port}",
        "GATEWAY_DRAIN_S": "0",
        "ANOMALY_DATABASE_URL": f"sqlite:///{folder}/anomaly.db",
        "CARS_DATABASE_URL": f"sqlite:///{folder}/cars.db",
        "CARS_STORAGE_URL": f"{folder}/cars",
        "OCR_JOBS_DIR": f"{folder}/jobs",
    }
    with servers.start("-m", "gateway", ready="/health/ready", environment=environment) as server:
        yield server


@contextmanager
def _traefik(folder: Path, service: servers.Server) -> Iterator[servers.Server]:
    """Runs Traefik with the repository's own configuration before one service; the others' addresses answer nothing."""
    port = _configure(folder, f"http://127.0.0.1:{service.port}")
    with (folder / "log").open("wb") as log:
        command = [str(TRAEFIK), f"--configFile={folder}/traefik.yml"]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/anomaly/health/ready")
        yield servers.Server(process.pid, port)
    finally:
        process.terminate()
        process.wait(40)


def _configure(folder: Path, address: str) -> int:
    configuration = yaml.safe_load(CONFIGURATION.read_text())
    ports = {name: servers.free_port() for name in configuration["entryPoints"]}
    for name, entry_point in configuration["entryPoints"].items():
        entry_point["address"] = f"127.0.0.1:{ports[name]}"
    (folder / "routes").mkdir()
    configuration["providers"]["file"] = {"directory": f"{folder}/routes"}
    (folder / "traefik.yml").write_text(yaml.safe_dump(configuration))
    command = [sys.executable, "-m", "gateway", "routes", "--upstreams", f"anomaly={address}", "--front", address]
    routes = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (folder / "routes" / "routes.yml").write_text(routes)
    return ports["web"]


def _wait(url: str) -> None:
    deadline = time.monotonic() + servers.START_TIMEOUT_S
    while time.monotonic() < deadline:
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=1).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"{url} did not answer within {servers.START_TIMEOUT_S} s")

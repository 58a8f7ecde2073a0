"""Lineside as operators deploy it: each function is a context manager that yields a running `Deployment`.

`one_process` is `python -m gateway`. `processes` is each service and the gateway's own small one, a process each.
`traefik` and `nginx` are those gateways before addresses, with the configuration of this repository on free ports.
`compose` is the containers. Settings are given by their names in docs/configuration.md and reach whom they concern.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import yaml

ROOT = Path(__file__).parents[1]
TRAEFIK = os.environ.get("TRAEFIK_BIN") or shutil.which("traefik")
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
NGINX_SITE = ROOT / "deploy" / "nginx" / "lineside.conf"
COMPOSE_FILES = (ROOT / "deploy" / "compose.yml", ROOT / "deploy" / "compose.cpu.yml")
SERVICES = ("digit", "ocr", "cars", "anomaly")
OURS = ("LINESIDE_", "GATEWAY_", "ANOMALY_", "CARS_", "DIGIT_", "HF_", "OCR_")
START_S = 60
COMPOSE_START_S = 300
STOP_S = 40


def free_port() -> int:
    """Returns a port below those that the system gives to clients, one of which could take it before it is used."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


# --- processes --------------------------------------------------------------------------------------------------------


@dataclass
class Process:
    """One of our processes, with a folder of its own; it can be ended and started again on the same address."""

    name: str
    arguments: tuple[str, ...]
    folder: Path
    settings: Mapping[str, str]
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        environment |= {"LINESIDE_DRAIN_S": "0", f"{self.prefix}PORT": str(self.port), **self.settings}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments], env=environment, cwd=self.folder, stdout=log, stderr=log
            )

    @property
    def prefix(self) -> str:
        return f"{self.arguments[0].upper()}_"

    def wait(self) -> None:
        """Waits until it is ready, and all that it speaks for, or fails with the end of its log."""
        path = "/health" if self.arguments[0] == "gateway" else "/health/ready"
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process and self.process.poll() is None:
            with contextlib.suppress(httpx2.TransportError):
                if httpx2.get(f"{self.url}{path}", timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} is not ready within {START_S} s; its log ends:\n{end_of(self.log)}")

    def signal(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.join()

    def join(self) -> int:
        assert self.process
        return self.process.wait(STOP_S)

    def stop(self) -> None:
        """Ends it as systemd does, whatever state it is in."""
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            finally:
                self.process.kill()
                self.process.wait()


def end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join([line for line in lines if "servicekit.access" not in line][-20:])


@contextlib.contextmanager
def started(*wanted: Process) -> Iterator[None]:
    """Starts processes side by side, and ends them after the block."""
    try:
        for process in wanted:
            process.start()
        for process in wanted:
            process.wait()
        yield
    finally:
        with contextlib.ExitStack() as stack:
            for process in wanted:
                stack.callback(process.stop)


@dataclass(frozen=True)
class Deployment:
    """Where it answers, and what can be broken: `parts` are our processes by service, `front` among them."""

    base_url: str
    parts: Mapping[str, Sequence[Process]]
    log: Path  # the gateway's own; Traefik's has a line for each request
    kill: Callable[[], None]  # all of ours at once, as a power cut does

    @property
    def upstreams(self) -> dict[str, list[str]]:
        return {name: [process.url for process in self.parts[name]] for name in SERVICES}

    def part(self, name: str) -> Process:
        return self.parts[name][0]


def _killer(parts: Mapping[str, Sequence[Process]]) -> Callable[[], None]:
    def kill() -> None:
        for process in (process for replicas in parts.values() for process in replicas):
            process.kill()

    return kill


@contextlib.contextmanager
def one_process(folder: Path, **settings: str) -> Iterator[Deployment]:
    """Runs `python -m gateway`: all services in one process."""
    whole = Process("gateway", ("gateway",), folder, settings)
    parts = dict.fromkeys((*SERVICES, "front"), (whole,))
    with started(whole):
        yield Deployment(whole.url, parts, whole.log, whole.kill)


@contextlib.contextmanager
def processes(folder: Path, *, replicas: Mapping[str, int] | None = None, **settings: str) -> Iterator[Deployment]:
    """Runs each service, as often as `replicas` says, and the front; the address is the front's."""
    parts: dict[str, list[Process]] = {
        name: [
            Process(f"{name}-{number}", (name, "serve"), folder / f"{name}-{number}", settings)
            for number in range((replicas or {}).get(name, 1))
        ]
        for name in SERVICES
    }
    upstreams = ",".join(f"{name}={' '.join(each.url for each in parts[name])}" for name in SERVICES)
    front = Process("front", ("gateway", "front"), folder / "front", {"GATEWAY_UPSTREAMS": upstreams, **settings})
    everything = {**parts, "front": [front]}
    with started(*(process for replicas in everything.values() for process in replicas)):
        yield Deployment(front.url, everything, front.log, _killer(everything))


# --- gateways ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def traefik(
    folder: Path,
    upstreams: Mapping[str, Sequence[str]],
    front: str,
    *,
    read_timeout: str | None = None,
    answer_timeout: str | None = None,
) -> Iterator[str]:
    """Runs Traefik with the repository's own configuration before those addresses; yields its own.

    The timeouts replace those of the configuration, which are too long to wait for.
    """
    if not TRAEFIK:
        pytest.skip("no traefik: put the binary into PATH, or name it in TRAEFIK_BIN")
    folder.mkdir(parents=True, exist_ok=True)
    base = f"http://127.0.0.1:{_configure_traefik(folder, read_timeout)}"
    routes = yaml.safe_load(generated_routes(upstreams, front))
    for transport in routes["http"]["serversTransports"].values() if answer_timeout else ():
        transport["forwardingTimeouts"]["responseHeaderTimeout"] = answer_timeout
    (folder / "routes").mkdir(exist_ok=True)
    (folder / "routes" / "routes.yml").write_text(yaml.safe_dump(routes))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [TRAEFIK, f"--configFile={folder / 'traefik.yml'}"], cwd=folder, stdout=log, stderr=log
        )
    try:
        _wait_until_answered(base, process, folder / "log")
        yield base
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        finally:
            process.kill()
            process.wait()


def _configure_traefik(folder: Path, read_timeout: str | None) -> int:
    """Writes the repository's configuration with free loopback ports; returns that of the entry point `web`."""
    configuration: dict[str, Any] = yaml.safe_load((ROOT / "gateway" / "traefik.yml").read_text())
    ports = {name: free_port() for name in configuration["entryPoints"]}
    for name, entry_point in configuration["entryPoints"].items():
        entry_point["address"] = f"127.0.0.1:{ports[name]}"
    if read_timeout:
        web = configuration["entryPoints"]["web"]
        web.setdefault("transport", {}).setdefault("respondingTimeouts", {})["readTimeout"] = read_timeout
    configuration["providers"]["file"] = {"directory": str(folder / "routes")}
    (folder / "traefik.yml").write_text(yaml.safe_dump(configuration))
    return ports["web"]


def generated_routes(upstreams: Mapping[str, Sequence[str]], front: str) -> str:
    addresses = ",".join(f"{name}={' '.join(urls)}" for name, urls in upstreams.items())
    command = [sys.executable, "-m", "gateway", "routes", "--upstreams", addresses, "--front", front]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def _wait_until_answered(base: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Waits until every service answers through the gateway."""
    deadline = time.monotonic() + START_S
    waiting = [f"{base}{prefix}/health/ready" for prefix in ("", *(f"/{name}" for name in SERVICES))]
    while waiting and time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(waiting[0], timeout=5).status_code == 200:
                waiting.pop(0)
                continue
        time.sleep(0.05)
    if waiting:
        raise RuntimeError(f"{waiting[0]} does not answer; the gateway's log ends:\n{end_of(log)}")


@contextlib.contextmanager
def traefik_before_processes(
    folder: Path,
    *,
    replicas: Mapping[str, int] | None = None,
    **settings: str,
) -> Iterator[Deployment]:
    with (
        processes(folder, replicas=replicas, **settings) as behind,
        traefik(folder / "traefik", behind.upstreams, behind.base_url) as base,
    ):
        yield Deployment(base, behind.parts, folder / "traefik" / "log", behind.kill)


def configure_nginx(folder: Path, site: str) -> Path:
    """Writes a whole configuration around the site's file, with everything that nginx writes below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.conf").write_text(site.replace("/var/log/nginx/lineside.log", str(folder / "access.log")))
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""  # its workers are nobody's otherwise, who may not enter `folder`
    main.write_text(
        f"{user}pid {folder}/nginx.pid;\nerror_log stderr warn;\ndaemon off;\nworker_processes 1;\n"
        f"events {{ worker_connections 256; }}\nhttp {{\n{temporary}include {folder}/site.conf;\n}}\n"
    )
    return main


@contextlib.contextmanager
def nginx(folder: Path, upstream: str) -> Iterator[str]:
    """Runs nginx with the repository's own site before an address (`host:port`); yields its own."""
    if not NGINX:
        pytest.skip("nginx is not installed")
    port = free_port()
    site = NGINX_SITE.read_text().replace("listen 80;", f"listen 127.0.0.1:{port};").replace("127.0.0.1:8080", upstream)
    main = configure_nginx(folder, site)
    with (folder / "error.log").open("w") as log:
        process = subprocess.Popen([NGINX, "-p", folder, "-c", main], stderr=log)
    try:
        base = f"http://127.0.0.1:{port}"
        for _ in range(100):
            with contextlib.suppress(httpx2.TransportError):
                httpx2.get(f"{base}/metrics")
                break
            time.sleep(0.05)
        yield base
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def nginx_before_one_process(folder: Path, **settings: str) -> Iterator[Deployment]:
    with (
        one_process(folder / "gateway", **settings) as behind,
        nginx(folder / "nginx", urlsplit(behind.base_url).netloc) as base,
    ):
        yield Deployment(base, behind.parts, folder / "nginx" / "access.log", behind.kill)


# --- containers -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def compose(folder: Path, **settings: str) -> Iterator[Deployment]:
    """Runs the containers as a project of their own, built where there is no image yet; all is removed at the end."""
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("no docker compose")
    if subprocess.run(["docker", "info"], capture_output=True, timeout=60).returncode:
        pytest.skip("no container engine answers")
    folder.mkdir(parents=True, exist_ok=True)
    override = folder / "settings.json"  # compose reads JSON, which is YAML
    override.write_text(
        json.dumps({"services": {name: {"environment": _concerning(name, settings)} for name in NAMES}})
    )
    files = [part for file in (*COMPOSE_FILES, override) for part in ("-f", str(file))]
    command = ["docker", "compose", "-p", f"lineside-test-{free_port()}", *files]
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environment |= {"LINESIDE_PUBLISH_PORT": str(port), "LINESIDE_PUBLISH_TLS_PORT": str(free_port())}

    def docker(*arguments: str, timeout_s: float = COMPOSE_START_S) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*command, *arguments], env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    try:
        done = docker("up", "--detach", "--wait", "--wait-timeout", str(COMPOSE_START_S), timeout_s=COMPOSE_START_S * 4)
        (folder / "log").write_text(docker("logs", "--no-color").stdout)
        assert done.returncode == 0, f"{done.stderr[-2000:]}\n{end_of(folder / 'log')}"
        yield Deployment(f"http://127.0.0.1:{port}", {}, folder / "log", lambda: docker("kill") and None)
    finally:
        docker("down", "--volumes", "--timeout", "10")


NAMES = (*SERVICES, "front")


def _concerning(name: str, settings: Mapping[str, str]) -> dict[str, str]:
    prefixes = ("LINESIDE_", "GATEWAY_" if name == "front" else f"{name.upper()}_")
    return {variable: value for variable, value in settings.items() if variable.startswith(prefixes)}


DEPLOYMENTS: Mapping[str, Callable[..., contextlib.AbstractContextManager[Deployment]]] = {
    "process": one_process,
    "traefik": traefik_before_processes,
    "compose": compose,
    "nginx": nginx_before_one_process,
}

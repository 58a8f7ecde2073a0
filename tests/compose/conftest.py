"""The containers of compose.yml and compose.cpu.yml, as a project of their own on a free port."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from deployments import COMPOSE_FILES, OURS, SERVICES, free_port

START_S = 600  # of a machine that does other things too; images that are there start in seconds


@dataclass
class Stack:
    """A project; `docker` runs compose for it."""

    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.name = f"lineside-test-{self.port}"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def docker(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        files = [part for file in COMPOSE_FILES for part in ("-f", str(file))]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return subprocess.run(
            ["docker", "compose", "-p", self.name, *files, *arguments],
            env={**clean, "LINESIDE_PUBLISH_PORT": str(self.port), **self.settings},
            capture_output=True,
            text=True,
            timeout=START_S * 3,
            check=False,
        )

    def up(self, *arguments: str) -> None:
        done = self.docker("up", "--detach", "--wait", "--wait-timeout", str(START_S), *arguments)
        assert done.returncode == 0, (
            done.stderr[-1500:] + self.docker("logs", "--no-color", "--tail", "5").stdout[-1500:]
        )
        self.wait_for_routes()

    def wait_for_routes(self) -> None:
        """Traefik takes a service in when its own probe of every two seconds has found it ready."""
        deadline = time.monotonic() + 60
        for name in SERVICES:
            while httpx2.get(f"{self.base_url}/{name}/health/ready", timeout=10).status_code != 200:
                assert time.monotonic() < deadline, f"{name} does not become ready behind the gateway"
                time.sleep(0.2)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Returns what the engine knows of each container, by service."""
        ids = self.docker("ps", "--all", "--quiet").stdout.split()
        done = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True)
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in json.loads(done.stdout)}

    def inside(self, service: str, *command: str) -> "subprocess.CompletedProcess[str]":
        return self.docker("exec", "-T", service, *command)


@pytest.fixture(scope="session", autouse=True)
def _engine() -> None:
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("no docker compose")
    if subprocess.run(["docker", "info"], capture_output=True, timeout=60).returncode:
        pytest.skip("no container engine answers")


@pytest.fixture(scope="module")
def stack(_engine: None) -> Iterator[Stack]:
    stack = Stack()
    try:
        stack.up()
        yield stack
    finally:
        stack.docker("down", "--volumes", "--timeout", "10")


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=stack.base_url, timeout=60) as client:
        yield client


@pytest.fixture
def lone() -> Iterator[Stack]:
    """Yields a project that is not started, for settings of its own."""
    stack = Stack()
    try:
        yield stack
    finally:
        stack.docker("down", "--volumes", "--timeout", "1")

"""Real Traefik with the repository's own configuration, before real processes or before a stand-in for services."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from deployments import SERVICES, TRAEFIK, Deployment, Process, started, traefik, traefik_before_processes

from traefik.standin import StandIn, standing_in

BODY_TIMEOUT_S = 3

Before = Callable[..., contextlib.AbstractContextManager[str]]


@pytest.fixture(scope="session", autouse=True)
def _traefik() -> None:
    if not TRAEFIK:
        pytest.skip("no traefik: put the binary into PATH, or name it in TRAEFIK_BIN")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, _traefik: None) -> Iterator[Deployment]:
    """Yields Traefik before all real services, which wait three seconds for a body that does not come."""
    folder = tmp_path_factory.mktemp("traefik")
    with traefik_before_processes(folder, LINESIDE_BODY_TIMEOUT_S=str(BODY_TIMEOUT_S)) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def standin(_traefik: None) -> Iterator[StandIn]:
    with standing_in() as standin:
        yield standin


@pytest.fixture(scope="session")
def front(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Yields the gateway's own service before stand-ins."""
    upstreams = ",".join(f"{name}={standin.url}" for name in SERVICES)
    folder = tmp_path_factory.mktemp("front")
    process = Process("front", ("gateway", "front"), folder, {"GATEWAY_UPSTREAMS": upstreams})
    with started(process):
        yield process


@pytest.fixture(scope="session")
def before(standin: StandIn, front: Process, tmp_path_factory: pytest.TempPathFactory) -> Before:
    """Returns a context manager that runs Traefik before the addresses named, and stand-ins for the other services."""

    def before(
        read_timeout: str | None = None, answer_timeout: str | None = None, **upstreams: list[str]
    ) -> contextlib.AbstractContextManager[str]:
        everything = {name: upstreams.get(name, [standin.url]) for name in SERVICES}
        folder = tmp_path_factory.mktemp("traefik")
        return traefik(folder, everything, front.url, read_timeout=read_timeout, answer_timeout=answer_timeout)

    return before


@pytest.fixture(scope="session")
def base(before: Before) -> Iterator[str]:
    """Yields the address of Traefik before stand-ins; a service may take a second to begin its answer."""
    with before(answer_timeout="1s") as base:
        yield base


@pytest.fixture
def seen(standin: StandIn) -> StandIn:
    """Returns the stand-in, which has seen nothing yet."""
    standin.seen.clear()
    standin.ready = True
    standin.release.clear()
    return standin


@pytest.fixture(scope="module")
def alone(before: Before, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., tuple[str, Process]]]:
    """Starts one real service with settings behind a Traefik of its own; returns that one's address and the process."""
    with contextlib.ExitStack() as stack:

        def alone(name: str, folder: Path | None = None, **settings: str) -> tuple[str, Process]:
            process = Process(name, (name, "serve"), folder or tmp_path_factory.mktemp(name), settings)
            stack.enter_context(started(process))
            return stack.enter_context(before(**{name: [process.url]})), process

        yield alone

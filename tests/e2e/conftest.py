"""The address that the tests of this folder speak HTTP to."""

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest
from answers import expect
from deployments import DEPLOYMENTS, Deployment

_numbers = itertools.count()


Deploy = Callable[..., contextlib.AbstractContextManager[Deployment]]


@pytest.fixture(scope="session")
def deployment(pytestconfig: pytest.Config) -> str:
    """Returns what `--deployment` names; with `LINESIDE_BASE_URL` it says what answers there."""
    chosen: str = pytestconfig.getoption("deployment")
    return chosen


@pytest.fixture(scope="session")
def deploy(deployment: str, tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    """Returns a context manager that runs the chosen deployment with settings of its own, until the block ends."""

    def deploy(**settings: str) -> contextlib.AbstractContextManager[Deployment]:
        return DEPLOYMENTS[deployment](tmp_path_factory.mktemp(deployment), **settings)

    return deploy


@pytest.fixture(scope="session")
def base_url(deploy: Deploy) -> Iterator[str]:
    """Yields `LINESIDE_BASE_URL` where it is set, else the address of a deployment started for this session."""
    given = os.environ.get("LINESIDE_BASE_URL")
    if given:
        yield given.rstrip("/")
        return
    with deploy() as running:
        yield running.base_url


@pytest.fixture(scope="session")
def api(base_url: str) -> Iterator[httpx2.Client]:
    """Yields a client of the gateway; `LINESIDE_API_KEY` is sent where it is set."""
    key = os.environ.get("LINESIDE_API_KEY")
    with httpx2.Client(base_url=base_url, timeout=30, headers={"X-API-Key": key} if key else {}) as client:
        yield client


@pytest.fixture(scope="session")
def impatient_url(deploy: Deploy) -> Iterator[str]:
    """Yields the address of a deployment whose services wait two seconds for a body."""
    with deploy(LINESIDE_BODY_TIMEOUT_S="2") as running:
        yield running.base_url


@pytest.fixture(scope="session")
def model_file(api: httpx2.Client) -> bytes:
    """Returns the file of the model that answers the stateless calls."""
    active = next(v for v in expect(api.get("/anomaly/models/default"), 200)["items"] if v["active"])
    answer = api.get(f"/anomaly/models/default/versions/{active['version']}/file")
    assert answer.status_code == 200
    return answer.content


@pytest.fixture
def asset(api: httpx2.Client, model_file: bytes) -> Iterator[str]:
    """Yields a new asset with that model; deletes it afterwards."""
    name = f"e2e-{time.time_ns()}-{next(_numbers)}"
    expect(api.put(f"/anomaly/models/{name}?activate=true", content=model_file), 201)
    yield name
    api.delete(f"/anomaly/assets/{name}")

"""Starts the real process, `python -m gateway`, for tests that speak HTTP to it."""

import contextlib
from collections.abc import Callable

import pytest
from deployments import Deployment, one_process

StartGateway = Callable[..., contextlib.AbstractContextManager[Deployment]]


@pytest.fixture(scope="session")
def start_gateway(tmp_path_factory: pytest.TempPathFactory) -> StartGateway:
    """Returns a context manager that runs a gateway on a free port with its own data, until the block ends."""

    def start(**settings: str) -> contextlib.AbstractContextManager[Deployment]:
        return one_process(tmp_path_factory.mktemp("gateway"), **settings)

    return start

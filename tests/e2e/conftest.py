"""The address that the tests of this folder speak HTTP to."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest


@pytest.fixture(scope="session")
def base_url(start_gateway: Callable[..., contextlib.AbstractContextManager[Any]]) -> Iterator[str]:
    """Yields `LINESIDE_BASE_URL` where it is set, else the address of a process started for this session."""
    given = os.environ.get("LINESIDE_BASE_URL")
    if given:
        yield given.rstrip("/")
        return
    with start_gateway() as gateway:
        yield gateway.base_url


@pytest.fixture(scope="session")
def api(base_url: str) -> Iterator[httpx2.Client]:
    """Yields a client of the gateway; `LINESIDE_API_KEY` is sent where it is set."""
    key = os.environ.get("LINESIDE_API_KEY")
    with httpx2.Client(base_url=base_url, timeout=30, headers={"X-API-Key": key} if key else {}) as client:
        yield client


@pytest.fixture(scope="session")
def impatient_url(start_gateway: Callable[..., contextlib.AbstractContextManager[Any]]) -> Iterator[str]:
    """Yields the address of a process of its own that waits two seconds for a body."""
    with start_gateway(LINESIDE_BODY_TIMEOUT_S="2") as gateway:
        yield gateway.base_url

"""Asks the backend for a picture: a helper of the tests that run it against the remote of `hub`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import hub
import pytest
from cars.backends.hub_retry import Retries
from cars.backends.huggingface import HuggingFace
from cars.recognition import Box, Recognition
from cars.settings import Settings
from hub import CARS
from PIL import Image
from servicekit.problems import Problem

T = TypeVar("T")
SECRET = "hf_ThisIsNoRealToken"
PICTURE = Image.new("RGB", (1200, 800), "teal")
GOOD = hub.says(CARS)


def made(
    endpoint: str, *, retries: int = 0, within_s: float = 10.0, clock: Callable[[], float] | None = None, **more: Any
) -> HuggingFace:
    settings = Settings(hf_endpoint=endpoint, **more)
    again = Retries(retries, within_s, base_s=0.001)
    return HuggingFace(settings, again, clock) if clock else HuggingFace(settings, again)


async def asked(backend: HuggingFace, box: Box | None = None) -> Recognition:
    return await backend.recognise(PICTURE, b"the file's own bytes", "image/png", box)


def using(backend: HuggingFace, use: Callable[[HuggingFace], Awaitable[T]]) -> T:
    async def run() -> T:
        await backend.open()
        try:
            return await use(backend)
        finally:
            await backend.close()

    return asyncio.run(run())


def failed(backend: HuggingFace) -> Problem:
    with pytest.raises(Problem) as raised:
        using(backend, asked)
    return raised.value

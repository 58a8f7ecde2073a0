"""A value that is made at most once at a time and kept for some seconds."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Concurrent callers share one round of `make`, which does not raise; its value is kept for `keep_s`."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, Value]], keep_s: float) -> None:
        self.make = make
        self.keep_s = keep_s
        self._round: asyncio.Task[Value] | None = None
        self._expires = 0.0

    async def get(self) -> Value:
        if self._round is None or (self._round.done() and time.monotonic() >= self._expires):
            self._round = asyncio.create_task(self._made())
        return await asyncio.shield(self._round)  # one caller that goes away does not end it for the others

    async def _made(self) -> Value:
        value = await self.make()
        self._expires = time.monotonic() + self.keep_s
        return value

"""At most so many requests at once; the rest waits in order, as long as its time lasts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cars.backends.hub_fate import RemoteError
from cars.problems import BackendUnavailable


class Turns:
    """`waiting` is how many wait for their turn."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.waiting = 0
        self._free = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def taken(self, ends: float) -> AsyncIterator[None]:
        """Holds a turn; raises RemoteError where none is free until `ends`, by the event loop's clock."""
        self.waiting += 1
        try:
            async with asyncio.timeout_at(ends):
                await self._free.acquire()
        except TimeoutError as error:
            reason = f"{self.at_once} other pictures were being answered all the time, which is the limit"
            raise RemoteError(BackendUnavailable, reason) from error
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self._free.release()

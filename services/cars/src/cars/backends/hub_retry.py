"""Attempts again what may pass: exponential back-off with full jitter, within a time that all attempts share.

After M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog (2015).
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from cars.backends.hub_fate import RemoteError

T = TypeVar("T")


@dataclass(frozen=True)
class Retries:
    """`times` further attempts; `within_s` bounds all of them and the pauses between."""

    times: int
    within_s: float
    base_s: float = 0.5
    most_s: float = 8.0
    jitter: Callable[[float, float], float] = random.uniform

    def pause_s(self, attempt: int, asked_s: float) -> float:
        """Returns the seconds to wait after the attempt (from 0 on), never fewer than the remote asked for."""
        return asked_s + self.jitter(0.0, min(self.most_s, self.base_s * 2.0**attempt))

    async def run(self, attempt: Callable[[float], Awaitable[T]]) -> T:
        """Returns what the first attempt that succeeds does, else raises the last one's RemoteError.

        An attempt is told when it must have ended, by the event loop's clock.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + self.within_s
        for number in itertools.count():
            try:
                return await attempt(ends)
            except RemoteError as failure:
                pause_s = self.pause_s(number, failure.retry_after_s)
                if not failure.passes or number == self.times or loop.time() + pause_s >= ends:
                    raise
            await asyncio.sleep(pause_s)
        raise AssertionError("it counts without end")

"""Wakes the streams of an asset when something of it was committed; what it was, they read from the database."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from servicekit.problems import Overloaded

MAX_STREAMS = 200


class Listener:
    """One stream's wake-up; several before it looks are one."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def wait(self, timeout_s: float) -> None:
        """Returns when woken, or after the time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    def wake(self) -> None:
        """Wakes from any thread."""
        if not self._woken.is_set():
            self._loop.call_soon_threadsafe(self._woken.set)


class Hub:
    """Who listens to which asset."""

    def __init__(self, max_streams: int = MAX_STREAMS) -> None:
        self.max_streams = max_streams
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._lock = threading.Lock()

    @property
    def streams(self) -> int:
        return sum(map(len, self._listeners.values()))

    @contextmanager
    def listening(self, asset: str) -> Iterator[Listener]:
        """Gives a listener for as long as the stream lasts; raises Overloaded where there are too many."""
        listener = Listener()
        with self._lock:
            if self.streams >= self.max_streams:
                raise Overloaded(
                    f"{self.max_streams} streams are open, which is the limit", headers={"Retry-After": "10"}
                )
            self._listeners[asset].add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners[asset].discard(listener)
                if not self._listeners[asset]:
                    del self._listeners[asset]

    def publish(self, asset: str) -> None:
        """Wakes the asset's streams; called from the ledger's thread after a commit."""
        if asset not in self._listeners:
            return
        with self._lock:
            listeners = list(self._listeners.get(asset, ()))
        for listener in listeners:
            listener.wake()

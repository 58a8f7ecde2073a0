"""Leaving without losing a request: not ready first, serving on, then finishing, then exit 0."""

import asyncio
import logging
import signal
import time
from types import FrameType

import uvicorn

logger = logging.getLogger(__name__)


class Drain:
    """Whether the process is leaving; `started` also wakes streams, which end by themselves."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.followers: list[Drain] = []  # the services that share the process

    def start(self) -> None:
        self.started.set()
        for follower in self.followers:
            follower.start()


class DrainingServer(uvicorn.Server):
    """uvicorn refuses connections at once on SIGTERM, while load balancers still send them.

    On SIGTERM this one says that it is not ready, serves for `drain_s` seconds more, then stops accepting, finishes
    what it has and returns, so that the process exits with 0. SIGINT, or a second signal, leaves out the waiting.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain, drain_s: float) -> None:
        super().__init__(config)
        self.drain = drain
        self.drain_s = drain_s
        self.stop_at: float | None = None  # on the monotonic clock

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        """Only notes the time: a signal interrupts anything, a half-written log line included."""
        self.force_exit = self.should_exit and sig == signal.SIGINT  # pressed once more: waits for nobody
        at_once = sig == signal.SIGINT or self.stop_at is not None or not self.started
        self.stop_at = time.monotonic() + (0 if at_once else self.drain_s)

    async def on_tick(self, counter: int) -> bool:
        if self.stop_at is not None:
            if not self.drain.started.is_set():
                seconds = max(0.0, self.stop_at - time.monotonic())
                logger.info("draining", extra={"fields": {"seconds": round(seconds, 1)}})
                self.drain.start()
            self.should_exit = time.monotonic() >= self.stop_at
        return await super().on_tick(counter)

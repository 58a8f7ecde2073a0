"""Admission: a bounded number of requests is served at once, a bounded number waits, the rest is refused at once."""

import asyncio
import contextlib
import math
import time
from collections import deque

from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit.context import KEY, PROBES, RequestContext
from servicekit.problems import Overloaded


class AdmissionMiddleware:
    """At most `max_concurrent` requests are served, at most `max_waiting` wait, the rest is refused at once (503).

    Probes are not counted: a service that is busy is alive.
    """

    def __init__(self, app: ASGIApp, max_concurrent: int, max_waiting: int) -> None:
        self.app = app
        self.max_concurrent = max_concurrent
        self.max_waiting = max_waiting
        self.active = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.held_s = 0.01  # moving average of the time that a request holds its place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: RequestContext = scope[KEY]
        place = request.place = Place(self)
        if request.path not in PROBES and not place.take():
            await place.wait()
        try:
            await self.app(scope, receive, send)
        finally:
            place.leave()

    async def wait(self) -> None:
        """Returns when a place has been handed on; raises Overloaded where too many wait already."""
        if len(self.waiting) >= self.max_waiting:
            seconds = math.ceil(self.held_s * (len(self.waiting) + self.active) / self.max_concurrent)
            raise Overloaded(
                f"{self.active} requests are served and {len(self.waiting)} wait, which is the limit",
                headers={"Retry-After": str(max(1, seconds))},
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.release()  # the place was given just before
            with contextlib.suppress(ValueError):
                self.waiting.remove(turn)
            raise

    def release(self) -> None:
        """Hands a place on to who waits longest."""
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.active -= 1


class Place:
    """One request's place in admission: held or not, given back once."""

    held = False
    since = 0.0

    def __init__(self, admission: AdmissionMiddleware) -> None:
        self.admission = admission

    def take(self) -> bool:
        """Takes a place that is free; returns whether there was one."""
        if self.admission.active >= self.admission.max_concurrent:
            return False
        self.admission.active += 1
        self.held = True
        self.since = time.perf_counter()
        return True

    async def wait(self) -> None:
        """Waits in the queue; raises Overloaded where it is full."""
        await self.admission.wait()
        self.held = True
        self.since = time.perf_counter()

    def leave(self) -> None:
        if self.held:
            self.held = False
            self.admission.held_s += 0.05 * (time.perf_counter() - self.since - self.admission.held_s)
            self.admission.release()

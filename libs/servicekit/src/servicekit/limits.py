"""Limits enforced while a request is read: the size of its body, the time it may take, requests per second."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Generator
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit import context
from servicekit.context import PROBES
from servicekit.problems import BodyTimeout, BodyTooLarge, RateLimited

CLOSE = {"Connection": "close"}  # the rest of the body is not read
MIN_RATE_BYTES_PER_S = 16_384
SMALL_BYTES = 65_536  # less than that costs no more than the connection itself
MAX_CLIENTS = 10_000


class BodyLimitMiddleware:
    """Refuses a body that is too large (413) or too slow (408) while it is being read.

    A body has `timeout_s` and a second more for every 16 KiB that did arrive, so that neither a long upload on a slow
    line is cut nor a trickle holds a connection.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, timeout_s: float) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.timeout_s = timeout_s

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self.app(scope, _LimitedBody(context.of(scope), receive, self.max_bytes, self.timeout_s), send)


class _LimitedBody:
    __slots__ = ("complete", "max_bytes", "receive", "received", "request", "timeout_s", "waited_s")

    def __init__(self, request: context.RequestContext, receive: Receive, max_bytes: int, timeout_s: float) -> None:
        self.request = request
        self.receive = receive
        self.max_bytes = max_bytes
        self.timeout_s = timeout_s
        self.received = 0
        self.waited_s = 0.0
        self.complete = False

    async def __call__(self) -> Message:
        if self.complete:
            return await self.receive()
        limit = self.request.max_body_bytes or self.max_bytes
        if not self.received:
            self._refuse_declared(limit)
        # Nearly every body comes with its head: then no timer is set, which would cost more than the rest of this.
        steps = self.receive().__await__()
        try:
            future = next(steps)
        except StopIteration as done:
            message: Message = done.value
        else:
            message = await self._wait(_Started(steps, future))
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
            if self.received > limit:
                self.request.body_unread = not self.complete
                raise BodyTooLarge(f"the body has more than {limit} bytes, which is the limit", headers=CLOSE)
        return message

    def _refuse_declared(self, limit: int) -> None:
        declared = self.request.headers.get(b"content-length", b"")
        if len(declared) > 18 or (declared.isdigit() and int(declared) > limit):
            self.request.body_unread = True
            size = declared[:18].decode("latin-1")
            raise BodyTooLarge(f"the body has {size} bytes, the limit is {limit}", headers=CLOSE)

    async def _wait(self, message: Awaitable[Message]) -> Message:
        """Waits for the client; a request that has sent little yet gives its place in admission to others meanwhile."""
        place = self.request.place if self.received <= SMALL_BYTES else None
        if place:
            place.leave()
        allowed_s = self.timeout_s + self.received / MIN_RATE_BYTES_PER_S
        started = time.perf_counter()
        try:
            async with asyncio.timeout(allowed_s - self.waited_s):
                received = await message
        except TimeoutError:
            detail = f"{self.received} bytes of the body arrived in {allowed_s:g} s, which is the limit"
            raise BodyTimeout(detail, headers=CLOSE) from None
        self.waited_s += time.perf_counter() - started
        if place:
            await place.enter()
        return received


class _Started:
    """Awaits the rest of what has been started by hand and yielded `future`."""

    def __init__(self, steps: Generator[Any, Any, Message], future: Any) -> None:
        self.steps = steps
        self.future = future

    def __await__(self) -> Generator[Any, Any, Message]:
        try:
            yield self.future
        except BaseException as error:
            self.steps.throw(error)
            raise
        return (yield from self.steps)


def allow_body(request: Request, max_bytes: int) -> None:
    """Gives this request another body limit; a route calls it before it reads."""
    context.of(request.scope).max_body_bytes = max_bytes


def leave_place(request: Request) -> None:
    """Gives the request's place back before it ends: a stream waits most of its time."""
    place = context.of(request.scope).place
    if place:
        place.leave()


class RateLimitMiddleware:
    """A token bucket for each API key, or each address where there is no key."""

    def __init__(self, app: ASGIApp, per_s: float, burst: int) -> None:
        self.app = app
        self.per_s = per_s
        self.burst = burst
        self.buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client → tokens, at

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        request = context.of(scope)
        if request.path not in PROBES:
            name = request.client if request.client != "anonymous" else (scope.get("client") or ("",))[0]
            self._take(name, time.monotonic())
        return self.app(scope, receive, send)

    def _take(self, client: str, now: float) -> None:
        tokens, at = self.buckets.pop(client, (float(self.burst), now))
        tokens = min(self.burst, tokens + (now - at) * self.per_s)
        allowed = tokens >= 1
        self.buckets[client] = (tokens - allowed, now)
        if len(self.buckets) > MAX_CLIENTS:
            self.buckets.popitem(last=False)
        if not allowed:
            wait_s = math.ceil((1 - tokens) / self.per_s)
            raise RateLimited(
                f"the limit is {self.per_s:g} requests per second with bursts of {self.burst}",
                headers={"Retry-After": str(wait_s)},
            )

"""Limits enforced while a request is read: the size of its body, the time it may take, requests per second."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit import context
from servicekit.context import KEY, PROBES, RequestContext
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
        return self.app(scope, _LimitedBody(self, scope[KEY], receive), send)


class _LimitedBody:
    received = 0  # bytes
    waited_s = 0.0
    complete = False

    def __init__(self, limits: BodyLimitMiddleware, request: RequestContext, receive: Any) -> None:
        self.limits = limits
        self.request = request
        self.receive = receive  # a coroutine function, as every server's is

    async def __call__(self) -> Message:
        message: Message
        if self.complete:
            message = await self.receive()
            return message
        limit = self.request.max_body_bytes or self.limits.max_bytes
        if not self.received:
            self._refuse_declared(limit)
        # Nearly every body comes with its head: then no timer is set, which would cost more than the rest of this.
        receiving = self.receive()
        try:
            future = receiving.send(None)
        except StopIteration as done:
            message = done.value
        else:
            message = await self._wait(_Started(receiving, future))
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
        allowed_s = self.limits.timeout_s + self.received / MIN_RATE_BYTES_PER_S
        started = time.perf_counter()
        try:
            async with asyncio.timeout(allowed_s - self.waited_s):
                received = await message
        except TimeoutError:
            detail = f"{self.received} bytes of the body arrived in {allowed_s:g} s, which is the limit"
            raise BodyTimeout(detail, headers=CLOSE) from None
        self.waited_s += time.perf_counter() - started
        if place and not place.take():
            await place.wait()
        return received


class _Started:
    """Awaits the rest of what has been started by hand and yielded `future`."""

    def __init__(self, receiving: Coroutine[Any, Any, Message], future: Any) -> None:
        self.receiving = receiving
        self.future = future

    def __await__(self) -> Generator[Any, Any, Message]:
        try:
            yield self.future
        except BaseException as error:
            self.receiving.throw(error)
            raise
        return (yield from self.receiving.__await__())


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
        request: RequestContext = scope[KEY]
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

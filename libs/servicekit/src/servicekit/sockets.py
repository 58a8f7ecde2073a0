"""WebSockets (RFC 6455): handshakes get what the edge gives to requests, and sessions an orderly end."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from fastapi.exceptions import ValidationException
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from servicekit import prefix
from servicekit.auth import AuthMiddleware
from servicekit.context import KEY, RequestContext
from servicekit.drain import Drain
from servicekit.errors import explain
from servicekit.headers import NOSNIFF
from servicekit.logs import AccessLog
from servicekit.metrics import Metrics, route_template
from servicekit.problems import ForeignSite, InternalError, InvalidInput, NotFound, NotReady, Overloaded, Problem, quote
from servicekit.proxies import FORWARDED_FOR, FORWARDED_PROTO, TrustedProxies
from servicekit.request_id import RequestIds
from servicekit.responses import problem_response

logger = logging.getLogger(__name__)

SUBPROTOCOL = "lineside"
KEY_SUBPROTOCOL = "lineside.key."  # a browser cannot send headers with a handshake, but it can send subprotocols
SWITCHING, GOING_AWAY, INTERNAL_ERROR, SERVICE_RESTART = 101, 1001, 1011, 1012


class Sockets(Collector):
    """Admits handshakes: id, prefix, origin, key and number; counts sockets and messages.

    A refusal comes before the socket is accepted, as an HTTP response with a problem.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        path_prefix: str,
        auth: AuthMiddleware,
        origins: Sequence[str],
        max_sockets: int,
        proxies: TrustedProxies,
        drain: Drain,
        metrics: Metrics,
        access_log: AccessLog | None,
    ) -> None:
        self.app = app
        self.path_prefix = path_prefix
        self.auth = auth
        self.origins = frozenset(origins)
        self.max_sockets = max_sockets
        self.proxies = proxies
        self.drain = drain
        self.metrics = metrics
        self.access_log = access_log
        self.request_ids = RequestIds()
        self.active = 0
        self.received = 0
        self.sent = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if FORWARDED_FOR in headers or FORWARDED_PROTO in headers:
            await self.proxies.apply(scope)
        request_id = self.request_ids.choose(headers.get(b"x-request-id"))
        request = scope[KEY] = RequestContext(headers, request_id, prefix.enter(scope, self.path_prefix))
        socket = _Socket(self, scope, request, receive, send)
        self.active += 1
        try:
            self._admit(scope, request)
            await self.app(scope, socket.receive, socket.send)
        except Problem as problem:
            await socket.refuse(problem)
        except ValidationException as error:
            await socket.refuse(InvalidInput(explain(error)))
        except WebSocketDisconnect:
            pass
        except Exception as error:
            logger.error("unhandled error", exc_info=error, extra={"fields": {"request_id": request_id}})
            self.metrics.errors += 1
            await socket.fail()
        finally:
            self.active -= 1
            self._record(scope, request)

    def _admit(self, scope: Scope, request: RequestContext) -> None:
        """Raises the Problem that keeps a handshake out."""
        if self.drain.started.is_set():
            raise NotReady("the service is about to stop", headers={"Retry-After": "1"})
        if self.active > self.max_sockets:
            detail = f"{self.max_sockets} sockets are open, which is the limit"
            raise Overloaded(detail, headers={"Retry-After": "5"})
        self._check_origin(request)
        secret = next((name for name in scope["subprotocols"] if name.startswith(KEY_SUBPROTOCOL)), None)
        if secret and b"authorization" not in request.headers:
            request.headers[b"x-api-key"] = secret.removeprefix(KEY_SUBPROTOCOL).encode("latin-1", "replace")
        self.auth.admit(request, "GET")

    def _check_origin(self, request: RequestContext) -> None:
        """Any page that somebody opened can open a socket here: browsers send its origin and leave the check to us."""
        origin = request.headers.get(b"origin", b"").decode("latin-1")
        if not origin or origin in self.origins or "*" in self.origins:
            return
        # The scheme is not compared: behind a proxy that ends TLS, this service does not always know its own.
        if urlsplit(origin).netloc != request.headers.get(b"host", b"").decode("latin-1"):
            raise ForeignSite(f"the web site {quote(origin)} is not among the allowed CORS origins")

    def _record(self, scope: Scope, request: RequestContext) -> None:
        if self.access_log:
            seconds = time.perf_counter() - request.started
            self.access_log.write(request, "GET", route_template(scope), request.status, seconds)

    def collect(self) -> Iterable[Metric]:
        labels, values = ("service",), (self.metrics.service,)
        active = GaugeMetricFamily("websocket_server_active_connections", "WebSockets that are open.", labels=labels)
        active.add_metric(values, self.active)
        yield active
        messages = CounterMetricFamily(
            "websocket_server_messages", "Messages over WebSockets.", labels=(*labels, "direction")
        )
        messages.add_metric((*values, "received"), self.received)
        messages.add_metric((*values, "sent"), self.sent)
        yield messages


class _Socket:
    """One connection between the server and the application."""

    def __init__(self, sockets: Sockets, scope: Scope, request: RequestContext, receive: Receive, send: Send) -> None:
        self._sockets = sockets
        self._scope = scope
        self._request = request
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        message = await self._receive()
        self._sockets.received += message["type"] == "websocket.receive"
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            request_id = self._request.request_id.encode("ascii")
            message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", request_id)]}
            self._answered(SWITCHING)
        elif kind == "websocket.close" and not self._request.status:  # the router's way to say that there is nothing
            raise NotFound(f"there is no WebSocket at {quote(self._scope['path'])}")
        self._sockets.sent += kind == "websocket.send"
        await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        """Answers the handshake with a problem."""
        if self._request.status:
            return await self.fail()
        self._answered(problem.status)
        response = problem_response(problem, self._request.request_id)
        headers = [*response.raw_headers, (b"x-request-id", self._request.request_id.encode("ascii")), NOSNIFF]
        start = {"type": "websocket.http.response.start", "status": problem.status, "headers": headers}
        await self._send(start)
        await self._send({"type": "websocket.http.response.body", "body": response.body})
        return None

    async def fail(self) -> None:
        """Ends the connection after an error that nobody foresaw, in the middle of whatever it was."""
        if not self._request.status:
            return await self.refuse(InternalError("the service failed; its log tells why under this request id"))
        with suppress(RuntimeError, OSError):  # closed already
            await self._send({"type": "websocket.close", "code": INTERNAL_ERROR, "reason": "internal error"})
        return None

    def _answered(self, status: int) -> None:
        self._request.status = status
        seconds = time.perf_counter() - self._request.started
        self._sockets.metrics.observe("GET", route_template(self._scope), status, seconds)


class Session:
    """An accepted socket whose frames are worked on one at a time; the client's next one waits in its own buffers.

    The socket is closed with 1001 after `idle_s` seconds without a frame, and with 1012 (service restart) when the
    process drains: after the frame in work, so that no answer is lost.
    """

    def __init__(self, websocket: WebSocket, *, idle_s: float) -> None:
        self._websocket = websocket
        self._idle_s = idle_s
        self._drain: Drain = websocket.app.state.drain

    async def frames(self) -> AsyncIterator[str | bytes]:
        """Accepts the socket and yields text and binary frames until either side ends it."""
        offered = self._websocket.scope["subprotocols"]
        await self._websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        draining = asyncio.ensure_future(self._drain.started.wait())
        try:
            while (message := await self._next(draining)) is not None:
                text = message.get("text")
                yield message["bytes"] if text is None else text
        finally:
            draining.cancel()

    async def answer(self, text: str) -> None:
        """Sends one text frame; raises WebSocketDisconnect where the client has gone."""
        await self._websocket.send_text(text)

    async def _next(self, draining: "asyncio.Future[Any]") -> Message | None:
        """Returns the next frame's message, None after the end."""
        receiving = asyncio.ensure_future(self._websocket.receive())
        try:
            await asyncio.wait((receiving, draining), timeout=self._idle_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not receiving.done():
                receiving.cancel()
        if receiving.done() and not receiving.cancelled():
            message = receiving.result()
            return message if message["type"] == "websocket.receive" else None
        if draining.done():
            await self._websocket.close(SERVICE_RESTART, "the service restarts")
        else:
            await self._websocket.close(GOING_AWAY, f"no message in {self._idle_s:g} s")
        return None

"""The outermost middleware: what every request gets before anything else sees it, and every response after all else.

One class with one wrapper around `send` rather than one for each concern: at 30 µs for a whole request, layers count.
"""

import time
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit import prefix
from servicekit.context import KEY, RequestContext
from servicekit.drain import Drain
from servicekit.headers import NOSNIFF, page_headers
from servicekit.logs import AccessLog
from servicekit.metrics import Metrics, route_template
from servicekit.request_id import RequestIds

CLOSE = (b"connection", b"close")
CLIENT_GONE = 499  # nginx's number for a request that nobody waited for


class EdgeMiddleware:
    """Gives a request its id, path and context; completes the response's headers; measures and logs both."""

    def __init__(
        self, app: ASGIApp, *, path_prefix: str, drain: Drain, metrics: Metrics, access_log: AccessLog | None
    ) -> None:
        self.app = app
        self.path_prefix = path_prefix
        self.drain = drain
        self.metrics = metrics
        self.access_log = access_log
        self.request_ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method: str = scope["method"]
        if method == "HEAD":  # every GET answers it; the server leaves the body out
            scope = {**scope, "method": "GET"}
        headers = dict(scope["headers"])
        request_id = self.request_ids.choose(headers.get(b"x-request-id"))
        request = scope[KEY] = RequestContext(headers, request_id, prefix.enter(scope, self.path_prefix))

        def send_completed(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                self._complete(message, request)
            return send(message)

        self.metrics.active += 1
        try:
            await self.app(scope, receive, send_completed)
        finally:
            self.metrics.active -= 1
            self._record(scope, request, method)

    def _complete(self, message: Message, request: RequestContext) -> None:
        given = message.get("headers", ())
        own = ((b"x-request-id", request.request_id.encode("ascii")), NOSNIFF)
        message["headers"] = [*given, *own, *page_headers(given, request.path)]
        if self.drain.started.is_set():
            message["headers"].append(CLOSE)  # the client's next connection goes to another replica

    def _record(self, scope: Scope, request: RequestContext, method: str) -> None:
        seconds = time.perf_counter() - request.started
        route = route_template(scope, request)
        status = request.status or CLIENT_GONE
        self.metrics.observe(method, route, status, seconds)
        if self.access_log:
            self.access_log.write(request, method, route, status, seconds)

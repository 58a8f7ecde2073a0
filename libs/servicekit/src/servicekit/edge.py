"""The outermost middleware: what every request gets before anything else sees it, and every response after all else.

One class with one wrapper around `send` rather than one for each concern: at 30 µs for a whole request, layers count.
"""

import time
from collections.abc import Awaitable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit import prefix
from servicekit.context import KEY, RequestContext
from servicekit.drain import Drain
from servicekit.headers import NOSNIFF, page_headers
from servicekit.logs import AccessLog
from servicekit.metrics import Metrics, route_template
from servicekit.proxies import FORWARDED_FOR, FORWARDED_PROTO, TrustedProxies
from servicekit.request_id import RequestIds

Header = tuple[bytes, bytes]

JSON = (b"content-type", b"application/json")  # most answers: they need nothing that a page needs
CLOSE = (b"connection", b"close")
CLIENT_GONE = 499  # nginx's number for a request that nobody waited for


class EdgeMiddleware:
    """Gives a request its id, path and context; completes the response's headers; measures and logs both."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        path_prefix: str,
        proxies: TrustedProxies,
        drain: Drain,
        metrics: Metrics,
        access_log: AccessLog | None,
    ) -> None:
        self.app = app
        self.proxies = proxies
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
        if FORWARDED_FOR in headers or FORWARDED_PROTO in headers:
            await self.proxies.apply(scope)
        request_id = self.request_ids.choose(headers.get(b"x-request-id"))
        request = scope[KEY] = RequestContext(headers, request_id, prefix.enter(scope, self.path_prefix))

        def send_completed(message: Message) -> Awaitable[None]:
            if not request.status:  # the first message is the start
                request.status = message["status"]
                message["headers"] = self._completed(message.get("headers", ()), request)
            return send(message)

        self.metrics.active += 1
        try:
            await self.app(scope, receive, send_completed)
        finally:
            self.metrics.active -= 1
            self._record(scope, request, method)

    def _completed(self, given: Sequence[Header], request: RequestContext) -> list[Header]:
        headers = [*given, (b"x-request-id", request.request_id.encode("ascii")), NOSNIFF]
        if JSON not in headers:
            headers += page_headers(given, request.path)
        if self.drain.started.is_set():
            headers.append(CLOSE)  # the client's next connection goes to another replica
        return headers

    def _record(self, scope: Scope, request: RequestContext, method: str) -> None:
        seconds = time.perf_counter() - request.started
        route = request.route or route_template(scope)
        status = request.status or CLIENT_GONE
        self.metrics.observe(method, route, status, seconds)
        if self.access_log:
            self.access_log.write(request, method, route, status, seconds)

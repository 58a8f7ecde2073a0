"""Every error becomes a problem in this one place: ours, the framework's, and those that nobody foresaw."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError, ValidationException
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit import context
from servicekit.context import RequestContext
from servicekit.metrics import Metrics
from servicekit.problems import (
    NO_MEMBERS,
    BadRequest,
    InternalError,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    Problem,
    UpgradeRequired,
    quote,
)
from servicekit.responses import problem_response

logger = logging.getLogger(__name__)

UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}
LINGER_S = 10.0  # a client that still sends its body would not read the answer, and a reset would destroy it


class ErrorMiddleware:
    """Answers errors as problems, each with the service's own `members`; logs and counts the unforeseen ones."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        routes: Sequence[BaseRoute],
        members: Mapping[str, Any] = NO_MEMBERS,
    ) -> None:
        self.app = app
        self.metrics = metrics
        self.routes = routes
        self.members = members

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except ClientDisconnect:
            return
        except Exception as error:
            request = context.of(scope)
            problem = self._foreseen(error, scope, request) or self._unforeseen(error, request)
            if request.status:
                raise  # too late for an answer: the server breaks the connection, so that the client notices
            self.metrics.problems[problem.slug] += 1
            response = problem_response(problem, request.request_id, self.members)
            if request.body_unread:
                send = _lingering(receive, send)
            await response(scope, receive, send)

    def _foreseen(self, error: Exception, scope: Scope, request: RequestContext) -> Problem | None:
        if isinstance(error, Problem):
            return error
        if isinstance(error, RequestValidationError):
            return InvalidInput(explain(error))
        if not isinstance(error, HTTPException):
            return None
        if error.status_code == MethodNotAllowed.status:
            allowed = ", ".join(self._allowed(request.path))
            detail = f"{scope['method']} is not possible at {quote(scope['path'])}, but {allowed}"
            return MethodNotAllowed(detail, headers={"Allow": allowed})
        if error.status_code == NotFound.status:
            if self._is_socket(request.path):
                return UpgradeRequired(f"{quote(scope['path'])} is a WebSocket", headers=UPGRADE)
            return NotFound(f"there is nothing at {quote(scope['path'])}")
        return BadRequest(str(error.detail)) if error.status_code == BadRequest.status else None

    def _allowed(self, path: str) -> list[str]:
        """Returns the methods of all routes at `path`; the framework names those of the first one only."""
        routes = [route for route in iter_route_contexts(self.routes) if route.path_regex.match(path)]
        methods = {method for route in routes for method in route.methods or ("GET",)}
        return sorted(methods | ({"HEAD"} if "GET" in methods else set()))

    def _is_socket(self, path: str) -> bool:
        contexts = iter_route_contexts(self.routes)
        return any(isinstance(route.route, WebSocketRoute) and route.path_regex.match(path) for route in contexts)

    def _unforeseen(self, error: Exception, request: RequestContext) -> Problem:
        logger.error("unhandled error", exc_info=error, extra={"fields": {"request_id": request.request_id}})
        self.metrics.errors += 1
        return InternalError("the service failed; its log tells why under this request id")


def explain(error: ValidationException) -> str:
    """Returns what the framework found wrong first, for people."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])[:100]
    value = "" if first["type"] == "missing" else f", not {quote(first['input'])}"
    return f"{where}: {first['msg'][:300]}{value}"


def _lingering(receive: Receive, send: Send) -> Send:
    """Returns a `send` that ends the response only when the client has stopped sending, as nginx does."""

    async def send_lingering(message: Message) -> None:
        if message["type"] == "http.response.body":
            await send({**message, "more_body": True})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    while (await receive()).get("more_body"):
                        pass
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return send_lingering

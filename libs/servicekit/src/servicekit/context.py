"""What the middleware knows about one request, kept in its ASGI scope."""

import time
from typing import TYPE_CHECKING

from starlette.types import Scope

if TYPE_CHECKING:
    from servicekit.admission import Place

KEY = "servicekit"
PROBES = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})  # asked by machines, all day long


class RequestContext:
    """Created by the outermost middleware; read by routes through `of(request.scope)`.

    The defaults stand at the class, so that a request pays only for what it changes.
    """

    client = "anonymous"  # the API key's name
    scopes: frozenset[str] = frozenset()
    route: str | None = None  # the template, set by routes that the router does not serve
    status = 0  # of the response; 0 until it starts
    max_body_bytes: int | None = None  # a route raises its own limit before it reads
    body_unread = False  # refused for its size: the rest is still coming
    place: "Place | None" = None  # its place in admission

    def __init__(self, headers: dict[bytes, bytes], request_id: str, path: str = "/") -> None:
        self.headers = headers  # a repeated header keeps its last value
        self.request_id = request_id
        self.path = path  # as the service's own routes know it, without the prefix
        self.started = time.perf_counter()


def of(scope: Scope) -> RequestContext:
    request: RequestContext = scope[KEY]
    return request

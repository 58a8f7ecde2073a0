"""What the middleware knows about one request, kept in its ASGI scope."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

if TYPE_CHECKING:
    from servicekit.admission import Place

KEY = "servicekit"
PROBES = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})  # asked by machines, all day long


@dataclass(slots=True)
class RequestContext:
    """Created by the outermost middleware; read by routes through `of(request.scope)`."""

    headers: dict[bytes, bytes]  # a repeated header keeps its last value
    request_id: str
    path: str = "/"  # as the service's own routes know it, without the prefix
    started: float = field(default_factory=time.perf_counter)
    client: str = "anonymous"  # the API key's name
    scopes: frozenset[str] = frozenset()
    route: str | None = None  # the template, set by routes that the router does not serve
    status: int = 0  # of the response; 0 until it starts
    max_body_bytes: int | None = None  # a route raises its own limit before it reads
    body_unread: bool = False  # refused for its size: the rest is still coming
    place: "Place | None" = None  # its place in admission


def of(scope: Scope) -> RequestContext:
    context: Any = scope[KEY]
    assert isinstance(context, RequestContext)
    return context

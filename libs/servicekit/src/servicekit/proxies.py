"""`X-Forwarded-For` and `X-Forwarded-Proto`, believed only where a trusted proxy sends them."""

from collections.abc import Sequence
from typing import Any

from starlette.types import Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

FORWARDED_FOR = b"x-forwarded-for"
FORWARDED_PROTO = b"x-forwarded-proto"


class TrustedProxies:
    """uvicorn's own rules, for the requests that have such a header; as a middleware they would cost all others too."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._middleware: Any = ProxyHeadersMiddleware(_nothing, list(addresses))

    async def apply(self, scope: Scope) -> None:
        """Puts the client's address and scheme into the scope where the headers may be believed."""
        await self._middleware(scope, None, None)


async def _nothing(*_: object) -> None:
    """Stands behind the middleware, which has changed the scope by then."""

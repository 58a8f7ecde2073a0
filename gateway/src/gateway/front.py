"""`python -m gateway front`: what answers beside the services when a proxy such as Traefik stands before them.

Landing page, aggregated health, one document of all services, and the words of what the proxy refuses. No service's
package is imported: the services are asked over HTTP.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from servicekit.problems import NotReady
from starlette.types import Scope

from gateway import upstreams
from gateway.health import Aggregate
from gateway.landing import Landing
from gateway.openapi import Documents
from gateway.problems import AFTER_THE_NEXT_CHECK, refusal
from gateway.routes import ROUTES, Route
from gateway.settings import Settings

ERRORS = "/errors/"


class Front(Landing):
    def is_open(self, method: str, path: str) -> bool:
        return path.startswith(ERRORS) or super().is_open(method, path)


def create_app(settings: Settings | None = None, routes: Sequence[Route] = ROUTES) -> Front:
    """Returns the gateway's own routes; raises ValueError where a service has no address."""
    settings = settings or Settings()
    names = [route.name for route in routes]
    addresses = upstreams.parse(settings.upstreams, names)
    upstreams.require(addresses, names)
    clients = upstreams.clients(addresses)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for client in (client for of_service in clients.values() for client in of_service.values()):
                await stack.enter_async_context(client)
            yield

    front = Front(settings, lifespan)
    documents = Documents(front.openapi, clients)
    front.add_api_route("/openapi.json", documents.endpoint, include_in_schema=False)  # the first one counts
    front.add_routes(routes, Aggregate(clients, settings.required), front.state.metrics.endpoint, _not_ready)
    front.refuse(ERRORS + "{status:path}", refusal)
    return front


def _not_ready(scope: Scope) -> NotReady:
    """Says what a proxy sends here while none of a service's addresses is ready."""
    name = scope["path"].split("/")[1]
    return NotReady(f"{name} is not ready: /health tells why", headers=AFTER_THE_NEXT_CHECK)

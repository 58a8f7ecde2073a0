"""All services in one process: a dispatcher by prefix, and every service's lifespan entered."""

import copy
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from servicekit import metrics
from servicekit.app import Endpoint, Service
from servicekit.problems import NotReady
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.health import Aggregate
from gateway.landing import Landing
from gateway.openapi import merge
from gateway.routes import ROUTES, Route
from gateway.settings import Settings

logger = logging.getLogger(__name__)

NOT_STARTED = "the service failed to start; the log tells why"
# What holds for the one process and the one address; services behind one address cannot ask for different keys.
SHARED = (
    "host", "api_keys", "api_keys_file", "allow_anonymous", "trusted_proxies", "cors_origins", "log_level",
    "access_log", "drain_s",
)  # fmt: skip


class Front(Landing):
    """The gateway's own routes among the services themselves."""

    services: dict[str, Service]

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            own = copy.deepcopy(super().openapi())
            self.openapi_schema = merge(own, {name: service.openapi() for name, service in self.services.items()})
        return self.openapi_schema


class Dispatcher:
    """Gives each request to the service whose prefix it has, path and all, else to the gateway's own routes.

    `mount()` would answer a bare `POST /anomaly` with a redirect and never enter the service's lifespan.
    """

    def __init__(self, front: Front, services: dict[str, Service]) -> None:
        self.front = front
        self.services = services  # by prefix; one that failed to start is taken out
        self.state = front.state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service: Service = self.front
        if scope["type"] != "lifespan":
            service = self.services.get("/" + scope["path"][1:].partition("/")[0], service)
        await service(scope, receive, send)

    def prepare(self) -> None:
        """Does what each service has to do before the port answers; raises ValueError for what cannot work here."""
        for service in self.services.values():
            service.prepare()

    def openapi(self) -> dict[str, Any]:
        return self.front.openapi()


def create_app(settings: Settings | None = None, routes: Sequence[Route] = ROUTES) -> Dispatcher:
    """Returns all services behind one address; each reads its own settings and takes over what they share."""
    settings = settings or Settings()
    shared = {field: getattr(settings, field) for field in SHARED if field in settings.model_fields_set}
    services = {route.name: route.create(**shared) for route in routes}
    by_prefix = {route.prefix: services[route.name] for route in routes}

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for route in routes:
                await _start(stack, route, by_prefix)
            yield

    front = Front(settings, lifespan)
    front.services = services
    front.state.drain.followers = [service.state.drain for service in services.values()]
    front.add_routes(routes, Aggregate(_clients(services), settings.required), _scrape(front), _not_started)
    return Dispatcher(front, by_prefix)


async def _start(stack: AsyncExitStack, route: Route, by_prefix: dict[str, Service]) -> None:
    """Enters a service's lifespan; one that fails leaves the others running and is told of by health."""
    service = by_prefix[route.prefix]
    try:
        await stack.enter_async_context(service.router.lifespan_context(service))
    except Exception as error:  # whatever a service dies of, the others go on
        logger.error("service failed to start", exc_info=error, extra={"fields": {"service": route.name}})
        del by_prefix[route.prefix]
        service.state.health.fail(NOT_STARTED)


def _not_started(_scope: Scope) -> NotReady:
    return NotReady(NOT_STARTED, headers={"Retry-After": "30"})


def _clients(services: dict[str, Service]) -> dict[str, dict[str, httpx2.AsyncClient]]:
    return {
        name: {"": httpx2.AsyncClient(transport=httpx2.ASGITransport(app=service), base_url=f"http://{name}")}
        for name, service in services.items()
    }


def _scrape(front: Front) -> Endpoint:
    merged = CollectorRegistry()
    merged.register(metrics.MergedCollector(app.state.metrics.registry for app in (front, *front.services.values())))

    async def scrape(_request: Request) -> Response:
        """Everything that the gateway and its services measure, in Prometheus' text format."""
        return Response(generate_latest(merged), media_type=metrics.MEDIA_TYPE)

    return scrape

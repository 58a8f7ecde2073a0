"""All services in one process: a dispatcher by prefix, and every service's lifespan entered."""

import copy
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from servicekit import metrics, pages
from servicekit.app import OPEN_PATHS, Service, add_operations
from servicekit.health import Health
from servicekit.openapi import answers
from servicekit.problems import NotReady
from servicekit.responses import json_response
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.health import Aggregate, Overall
from gateway.openapi import merge
from gateway.routes import ROUTES, Route
from gateway.settings import Settings

logger = logging.getLogger(__name__)

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PAGE = Path(__file__).parent / "page"
NOT_STARTED = "the service failed to start; the log tells why"
# What holds for the one process and the one address; services behind one address cannot ask for different keys.
SHARED = (
    "host", "api_keys", "api_keys_file", "allow_anonymous", "trusted_proxies", "cors_origins", "log_level",
    "access_log", "drain_s",
)  # fmt: skip


class ServiceItem(msgspec.Struct):
    """A service, where its page and documentation are, and a command that shows it."""

    name: str
    title: str
    summary: str
    path: str
    docs: str
    example: str


class ServiceList(msgspec.Struct):
    """The services behind this gateway."""

    items: list[ServiceItem]
    next_cursor: str | None = None


class Front(Service):
    """The gateway's own routes: landing page, aggregated health, one document, one scrape."""

    open_paths = OPEN_PATHS | {"/services"}
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

    front = Front(
        settings, name="gateway", lifespan=lifespan, title="Lineside", version=version("lineside-gateway"),
        description="Recognition services for the factory floor, behind one address.",
    )  # fmt: skip
    front.services = services
    front.state.drain.followers = [service.state.drain for service in services.values()]
    front.state.health = Health(front.state.drain, lambda: None, dict)
    _add_operations(front, settings.required)
    _add_routes(front, routes)
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


def _add_operations(front: Front, required: Sequence[str]) -> None:
    clients = {
        name: httpx2.AsyncClient(transport=httpx2.ASGITransport(app=service), base_url=f"http://{name}")
        for name, service in front.services.items()
    }
    merged = CollectorRegistry()
    merged.register(metrics.MergedCollector(app.state.metrics.registry for app in (front, *front.services.values())))

    async def scrape(_request: Request) -> Response:
        """Everything that the gateway and its services measure, in Prometheus' text format."""
        return Response(generate_latest(merged), media_type=metrics.MEDIA_TYPE)

    add_operations(front, Aggregate(clients, required).endpoint, scrape, shape=Overall)


def _add_routes(front: Front, routes: Sequence[Route]) -> None:
    async def services(request: Request) -> Response:
        """Lists the services behind this gateway."""
        base = str(request.base_url)
        return json_response(ServiceList([_item(route, base) for route in routes]))

    async def not_started(_request: Request) -> Response:
        raise NotReady(NOT_STARTED, headers={"Retry-After": "30"})

    front.add_api_route(
        "/services", services, tags=["gateway"], response_class=Response, responses=answers({200: ServiceList})
    )
    for path in (path for route in routes for path in (route.prefix, route.prefix + "/{path:path}")):
        front.add_api_route(path, not_started, methods=METHODS, include_in_schema=False)
    pages.add_page(front, PAGE, "")


def _item(route: Route, base: str) -> ServiceItem:
    return ServiceItem(
        name=route.name,
        title=route.title,
        summary=route.summary,
        path=f"{route.prefix}/",
        docs=f"{route.prefix}/docs",
        example=route.example.replace("{base}", base),
    )

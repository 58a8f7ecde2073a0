"""The gateway's own routes, in one process with the services or in one of their own: page, list, health, document."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from servicekit import pages
from servicekit.app import OPEN_PATHS, Endpoint, Service, add_operations
from servicekit.health import Health
from servicekit.openapi import answers
from servicekit.problems import Problem
from servicekit.responses import json_response
from starlette import routing
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from gateway.health import Aggregate, Overall
from gateway.problems import Refuse
from gateway.routes import Route
from gateway.settings import Settings

PAGE = Path(__file__).parent / "page"


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


class Landing(Service):
    """What answers where no service does."""

    open_paths = OPEN_PATHS | {"/services"}

    def __init__(self, settings: Settings, lifespan: Any) -> None:
        super().__init__(
            settings, name="gateway", lifespan=lifespan, title="Lineside", version=version("lineside-gateway"),
            description="Recognition services for the factory floor, behind one address.",
        )  # fmt: skip
        self.state.health = Health(self.state.drain, lambda: None, dict)

    def add_routes(
        self, routes: Sequence[Route], aggregate: Aggregate, scrape: Endpoint, absent: Callable[[Scope], Problem]
    ) -> None:
        """Adds everything; `absent` is what to say at a service's path when the service is not there."""

        async def services(request: Request) -> Response:
            """Lists the services behind this gateway."""
            base = str(request.base_url)
            return json_response(ServiceList([_item(route, base) for route in routes]))

        add_operations(self, aggregate.endpoint, scrape, shape=Overall)
        self.add_api_route(
            "/services", services, tags=["gateway"], response_class=Response, responses=answers({200: ServiceList})
        )
        for path in (path for route in routes for path in (route.prefix, route.prefix + "/{path:path}")):
            self.refuse(path, absent)
        pages.add_page(self, PAGE, "")

    def refuse(self, path: str, problem: Callable[[Scope], Problem]) -> None:
        """Answers every method at `path` with a problem."""
        self.router.routes.append(routing.Route(path, Refuse(path, problem), include_in_schema=False))


def _item(route: Route, base: str) -> ServiceItem:
    return ServiceItem(
        name=route.name,
        title=route.title,
        summary=route.summary,
        path=f"{route.prefix}/",
        docs=f"{route.prefix}/docs",
        example=route.example.replace("{base}", base),
    )

"""What makes a FastAPI application a Lineside service."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import iter_route_contexts
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit import openapi, pages
from servicekit.admission import AdmissionMiddleware
from servicekit.auth import AuthMiddleware
from servicekit.drain import Drain
from servicekit.edge import EdgeMiddleware
from servicekit.errors import ErrorMiddleware
from servicekit.health import Alive, Health, Ready, Summary
from servicekit.limits import BodyLimitMiddleware, RateLimitMiddleware
from servicekit.logs import AccessLog
from servicekit.metrics import Metrics
from servicekit.problems import NO_MEMBERS, NotReady
from servicekit.proxies import TrustedProxies
from servicekit.responses import json_response
from servicekit.settings import ServiceSettings
from servicekit.sockets import Sockets
from servicekit.vitals import Vitals

Endpoint = Callable[..., Awaitable[Response]]
Hot = Callable[[Scope, Receive, Send], Awaitable[bool]]

NO_FOLDERS: Mapping[str, Path] = MappingProxyType({})
OPEN_PATHS = frozenset({"/", "/health", "/health/live", "/health/ready", "/docs", "/redoc", "/openapi.json"})
OPEN_FOLDERS = tuple(f"{folder}/" for folder in pages.FOLDERS)
EXPOSED_HEADERS = (
    "Content-Disposition", "ETag", "Idempotency-Replayed", "Location", "Retry-After", "X-Is-Digit", "X-Page-Count",
    "X-Request-ID",
)  # fmt: skip


class Service(FastAPI):
    """FastAPI inside our own middleware: nothing of the framework runs before a request is known, logged and limited.

    `state.drain` and `state.metrics` are there from the start. `prepare` is what is to be done before the port answers;
    it raises ValueError for what cannot work on this machine. `problem_members` stand in every problem. `hot` is an
    ASGI application tried before FastAPI's router, for the one route whose cost matters; it answers False for what is
    not its own.
    """

    open_paths = OPEN_PATHS

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        name: str,
        lifespan: Callable[[Any], AbstractAsyncContextManager[None]],
        hot: Hot | None = None,
        problem_members: Mapping[str, Any] = NO_MEMBERS,
        **options: Any,
    ) -> None:
        self.settings = settings
        self.problem_members = problem_members
        self.prepare: Callable[[], None] = lambda: None
        super().__init__(
            lifespan=lifespan,
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
            redirect_slashes=False,  # a client that posts does not follow a 307
            **options,
        )
        self.state.drain = Drain()
        self.state.metrics = Metrics(name)
        routes = AsyncExitStackMiddleware(self.router)
        self.entrance = self._surrounded(routes, name, hot)
        self.sockets = self._sockets(routes, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leaves out FastAPI's own layers: their error pages, telemetry and limits are not ours."""
        scope["app"] = self
        if scope["type"] == "http":
            await self.entrance(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.router(scope, receive, send)
        else:
            await self.sockets(scope, receive, send)

    @property
    def has_sockets(self) -> bool:
        return any(isinstance(context.route, WebSocketRoute) for context in iter_route_contexts(self.routes))

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = openapi.describe(self, self.settings.path_prefix or "/", self.problem_members)
        return self.openapi_schema

    def is_open(self, method: str, path: str) -> bool:
        """Tells whether a request needs no API key: pages, documentation and health."""
        return method == "GET" and (path in self.open_paths or path.startswith(OPEN_FOLDERS))

    def _surrounded(self, app: ASGIApp, name: str, hot: Hot | None) -> ASGIApp:
        """Returns `app` inside our middleware: what is added last sees a request first."""
        settings = self.settings
        origins = settings.cors_origins
        if hot:
            app = _HotPath(app, hot)
        app = AdmissionMiddleware(app, settings.max_concurrent, settings.max_waiting)
        app = BodyLimitMiddleware(app, settings.max_body_bytes, settings.body_timeout_s)
        if settings.rate_limit_per_s:
            app = RateLimitMiddleware(app, settings.rate_limit_per_s, settings.rate_limit_burst)
        app = self._auth(app)
        app = ErrorMiddleware(app, self.state.metrics, self.routes, self.problem_members)
        if origins:
            app = CORSMiddleware(
                app, origins, allow_methods=["*"], allow_headers=["*"], expose_headers=EXPOSED_HEADERS, max_age=600
            )
        return EdgeMiddleware(
            app,
            path_prefix=settings.path_prefix,
            proxies=TrustedProxies(settings.trusted_proxies),
            drain=self.state.drain,
            metrics=self.state.metrics,
            access_log=_access_log(name, settings),
        )

    def _sockets(self, app: ASGIApp, name: str) -> Sockets:
        settings = self.settings
        return Sockets(
            app,
            path_prefix=settings.path_prefix,
            auth=self._auth(app),
            origins=settings.cors_origins,
            max_sockets=settings.max_sockets,
            proxies=TrustedProxies(settings.trusted_proxies),
            drain=self.state.drain,
            metrics=self.state.metrics,
            access_log=_access_log(name, settings),
        )

    def _auth(self, app: ASGIApp) -> AuthMiddleware:
        return AuthMiddleware(app, self.settings.keys(), self.is_open, self.settings.cors_origins)


def _access_log(name: str, settings: ServiceSettings) -> AccessLog | None:
    if not settings.access_log or settings.log_level not in ("debug", "info"):
        return None
    return AccessLog(name, verbose=settings.log_level == "debug")


class _HotPath:
    def __init__(self, app: ASGIApp, hot: Hot) -> None:
        self.app = app
        self.hot = hot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not await self.hot(scope, receive, send):
            await self.app(scope, receive, send)


def create_service_app(
    settings: ServiceSettings,
    *,
    name: str,
    title: str,
    version: str,
    summary: str,
    lifespan: Callable[[Any], AbstractAsyncContextManager[None]],
    routers: Iterable[APIRouter],
    page: Path,
    probe: Callable[[], None],
    details: Callable[[], dict[str, Any]],
    hot: Hot | None = None,
    prepare: Callable[[], None] | None = None,
    problem_members: Mapping[str, Any] = NO_MEMBERS,
    health_shape: type[msgspec.Struct] = Summary,
    folders: Mapping[str, Path] = NO_FOLDERS,
) -> Service:
    """Returns a service with health, metrics, documentation, page and the given routes.

    `folders` are those that it writes to, by a name that is no path: metrics tell how much room is there.
    """
    app = Service(
        settings,
        name=name,
        lifespan=lifespan,
        hot=hot,
        problem_members=problem_members,
        title=title,
        version=version,
        description=summary,
    )
    if prepare:
        app.prepare = prepare
    app.state.health = Health(app.state.drain, probe, lambda: {"version": version, **details()})
    for router in routers:
        app.include_router(router)
    if app.has_sockets:
        app.state.metrics.registry.register(app.sockets)
    add_operations(app, app.state.health.summary, app.state.metrics.endpoint, shape=health_shape, folders=folders)
    pages.add_page(app, page, settings.path_prefix)
    return app


def add_operations(
    app: Service,
    summary: Endpoint,
    metrics: Endpoint,
    *,
    shape: type[msgspec.Struct] = Summary,
    folders: Mapping[str, Path] = NO_FOLDERS,
) -> None:
    """Adds health (`summary` answers in this shape), metrics, documentation and the common style.

    `app.state.health` is set before.
    """
    health: Health = app.state.health
    measured: Metrics = app.state.metrics
    measured.registry.register(Vitals(measured.service, health, folders))
    table: tuple[tuple[str, Endpoint, dict[int | str, Any]], ...] = (
        ("/health/live", health.live, openapi.answers({200: Alive})),
        ("/health/ready", health.ready, openapi.answers({200: Ready}, (NotReady,))),
        ("/health", summary, openapi.answers({200: shape, 503: shape})),
        ("/metrics", metrics, {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}),
    )
    for path, endpoint, responses in table:
        app.add_api_route(path, endpoint, tags=["operations"], response_class=Response, responses=responses)

    async def document(_request: Request) -> Response:
        return json_response(app.openapi())

    app.add_api_route("/openapi.json", document, include_in_schema=False)
    pages.add_docs(app, app.settings.path_prefix)
    pages.add_folders(app)

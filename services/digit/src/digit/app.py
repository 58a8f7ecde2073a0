"""Composes the service out of settings, models and routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from servicekit.app import Service, create_service_app
from starlette.types import Receive, Scope, Send

from digit.measures import Measures
from digit.routes import batch, models, number, predict, socket
from digit.services import Services
from digit.settings import Settings

PAGE = Path(__file__).parent / "page"


def create_app(settings: Settings | None = None) -> Service:
    """Returns the service; nothing is opened before its lifespan begins."""
    settings = settings or Settings()
    services = Services(settings)
    hot_predict, hot_batch = predict.HotPredict(services.reader), batch.HotBatch(services.reader)

    async def hot(scope: Scope, receive: Receive, send: Send) -> bool:
        return await hot_predict(scope, receive, send) or await hot_batch(scope, receive, send)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with services.opened():
            yield

    app = create_service_app(
        settings,
        name="digit",
        title="Lineside digit",
        version=version("lineside-digit"),
        summary="Reads handwritten digits in whatever pictures people send.",
        lifespan=lifespan,
        routers=[module.router for module in (predict, batch, number, socket, models)],
        page=PAGE,
        probe=services.probe,
        details=services.details,
        hot=hot,
    )
    app.state.services = services
    app.state.metrics.registry.register(Measures(services.reader))
    return app

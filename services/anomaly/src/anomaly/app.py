"""Composes the service out of settings, storage, models and routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from servicekit.app import Service, create_service_app

from anomaly.measures import Measures
from anomaly.routes import alerts, assets, jobs, models, scoring, thresholds
from anomaly.services import Services
from anomaly.settings import Settings

PAGE = Path(__file__).parent / "page"


def create_app(settings: Settings | None = None) -> Service:
    """Returns the service; nothing is opened before its lifespan begins."""
    settings = settings or Settings()
    services = Services(settings)
    hot = scoring.HotScoring(services.registry, services.pool, settings.max_rows, settings.max_batch_bytes)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with services.opened():
            yield

    app = create_service_app(
        settings,
        name="anomaly",
        title="Lineside anomaly",
        version=version("lineside-anomaly"),
        summary="Scores sensor vectors and says which reading is not normal.",
        lifespan=lifespan,
        routers=[module.router for module in (scoring, assets, models, thresholds, jobs, alerts)],
        page=PAGE,
        probe=services.probe,
        details=services.details,
        hot=hot,
        folders=services.store.folders,
    )
    app.state.services = services
    app.state.metrics.registry.register(Measures(services, hot.verdicts))
    return app

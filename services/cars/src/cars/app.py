"""Composes the service out of settings, archive, storage, recogniser and routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from servicekit.app import Service, create_service_app

from cars.measures import Measures
from cars.routes import corrections, files, images, inference, jobs, models, recognize, upload, visualization
from cars.schemas import Health
from cars.services import Services
from cars.settings import Settings

PAGE = Path(__file__).parent / "page"
ROUTES = (upload, inference, recognize, files, images, corrections, jobs, models, visualization)


def create_app(settings: Settings | None = None) -> Service:
    """Returns the service; raises ValueError for a setting that cannot work. No file is written before the lifespan."""
    services = Services(settings or Settings())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with services.opened():
            yield

    app = create_service_app(
        services.settings,
        name="cars",
        title="Lineside cars",
        version=version("lineside-cars"),
        summary="Names make, model and year of cars in photographs, and keeps them.",
        lifespan=lifespan,
        routers=[module.router for module in ROUTES],
        page=PAGE,
        probe=services.probe,
        details=services.details,
        prepare=services.prepare,
        health_shape=Health,
        folders=services.folders,
    )
    app.state.services = services
    app.state.metrics.registry.register(Measures(services))
    return app

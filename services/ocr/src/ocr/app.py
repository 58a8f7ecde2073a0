"""Composes the service out of settings, networks and routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from servicekit.app import Service, create_service_app

from ocr.measures import Measures
from ocr.routes import easyocr, jobs, models, paddleocr, render, upload, upload_pdf, v1
from ocr.schemas import Health
from ocr.services import Services
from ocr.settings import Settings

PAGE = Path(__file__).parent / "page"


def create_app(settings: Settings | None = None) -> Service:
    """Returns the service; nothing is opened before its lifespan begins, or `prepare` is called."""
    services = Services(settings or Settings())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with services.opened():
            yield

    app = create_service_app(
        services.settings,
        name="ocr",
        title="Lineside ocr",
        version=version("lineside-ocr"),
        summary="Reads text in images and PDFs.",
        lifespan=lifespan,
        routers=[module.router for module in (paddleocr, easyocr, v1, upload, upload_pdf, render, jobs, models)],
        page=PAGE,
        probe=services.probe,
        details=services.details,
        prepare=services.load,
        problem_members={"success": False},
        health_shape=Health,
        folders={"jobs": services.settings.jobs_dir},
    )
    app.state.services = services
    app.state.metrics.registry.register(Measures(services))
    return app

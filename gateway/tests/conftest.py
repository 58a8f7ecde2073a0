"""Made-up services behind a real gateway."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Request
from gateway.app import Dispatcher, create_app
from gateway.routes import Route
from gateway.settings import Settings
from pydantic_settings import SettingsConfigDict
from servicekit.app import Service, create_service_app
from servicekit.problems import NotReady
from servicekit.responses import json_response
from servicekit.settings import ServiceSettings
from starlette.responses import Response


class ToySettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TOY_", extra="ignore")


@dataclass(frozen=True)
class Toy(Route):
    """A service that tells what it was asked, and can be broken in several ways."""

    folder: Path = Path()
    breaks_at_start: bool = False
    ready: bool = True
    degraded: tuple[str, ...] = ()

    def create(self, **shared: Any) -> Service:
        router = APIRouter(tags=["toy"])

        @router.post("/", response_class=Response)
        async def root(request: Request) -> Response:
            return await echo(request, "")

        @router.post("/echo/{path:path}", response_class=Response)
        async def echo(request: Request, path: str) -> Response:
            return json_response({"service": self.name, "path": request.url.path, "open": request.app.state.open})

        @router.get("/hang", response_class=Response)
        async def hang(request: Request) -> Response:
            await request.app.state.hang.wait()
            return Response()

        @asynccontextmanager
        async def lifespan(app: Service) -> AsyncIterator[None]:
            if self.breaks_at_start:
                raise ZeroDivisionError("no database")
            app.state.open = True
            yield
            app.state.open = False

        return create_service_app(
            ToySettings(**{"access_log": False, **shared, "path_prefix": self.prefix}),
            name=self.name,
            title=self.title,
            version="1.2.3",
            summary=self.summary,
            lifespan=lifespan,
            routers=[router],
            page=self.folder,
            probe=self._probe,
            details=lambda: {"model": "toy", "version": "1.2.3", "degraded": list(self.degraded)},
        )

    def _probe(self) -> None:
        if not self.ready:
            raise NotReady("no model is active")


@pytest.fixture
def toy(tmp_path: Path) -> Callable[..., Toy]:
    """Returns a function that makes a row of the table of services."""
    (tmp_path / "index.html").write_text("<title>toy</title>", encoding="utf-8")

    def toy(name: str, **options: Any) -> Toy:
        return Toy(name, name.title(), f"What {name} does.", f"curl {{base}}{name}", folder=tmp_path, **options)

    return toy


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Dispatcher]:
    """Returns a function that puts services behind a gateway."""

    def gateway(*routes: Route, **settings: Any) -> Dispatcher:
        monkeypatch.setattr("gateway.settings.ROUTES", routes)
        return create_app(Settings(**{"access_log": False, **settings}), routes)

    return gateway

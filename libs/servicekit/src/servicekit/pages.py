"""The web page of a service, its static files, and the API documentation, all served from here: nothing off a CDN."""

import hashlib
import importlib.util
import os
from html import escape
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

UI = Path(__file__).parent / "ui"
FOLDERS = ("/static", "/ui", "/vendor")
REVALIDATE = {"Cache-Control": "no-cache"}  # asks each time and is answered 304, so that an upgrade is seen at once
SHELL = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="{{{{prefix}}}}/ui/favicon.svg" type="image/svg+xml">
{head}</head>
<body>{body}</body></html>
"""
SWAGGER = (
    """<link rel="stylesheet" href="{{prefix}}/vendor/swagger-ui.css">
<script src="{{prefix}}/vendor/swagger-ui-bundle.js" defer></script>
<script src="{{prefix}}/ui/docs.js" defer></script>""",
    """<div id="swagger-ui" data-url="{{prefix}}/openapi.json"></div>""",
)
# ReDoc's only picture lies on its maker's server: the policy keeps it from being asked for, the style hides the gap.
REDOC = (
    """<style>img[src*="cdn.redoc"] { display: none }</style>
<script src="{{prefix}}/vendor/redoc.standalone.js" defer></script>""",
    """<redoc spec-url="{{prefix}}/openapi.json"></redoc>""",
)


def add_folders(app: FastAPI) -> None:
    """Mounts the common style (`/ui`) and the documentation's scripts (`/vendor`)."""
    app.router.routes.append(_Folder("/ui", UI))
    app.router.routes.append(_Folder("/vendor", _vendor()))


def add_page(app: FastAPI, folder: Path, prefix: str) -> None:
    """Serves `folder/index.html` at `/` with `{{base}}` filled in, and the rest of the folder at `/static`."""
    html = (folder / "index.html").read_text(encoding="utf-8").replace("{{base}}", f"{prefix}/")
    _add_html(app, "/", html)
    app.router.routes.append(_Folder("/static", folder))


def add_docs(app: FastAPI, prefix: str) -> None:
    """Serves `/docs` (Swagger UI) and `/redoc` without a line of inline script."""
    for path, (head, body) in {"/docs": SWAGGER, "/redoc": REDOC}.items():
        html = SHELL.format(title=escape(app.title), head=head, body=body)
        _add_html(app, path, html.replace("{{prefix}}", prefix))


def _add_html(app: FastAPI, path: str, html: str) -> None:
    etag = f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, **REVALIDATE}

    async def page(request: Request) -> Response:
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return HTMLResponse(html, headers=headers)

    app.add_api_route(path, page, include_in_schema=False)


def _vendor() -> Path:
    """Returns the folder of Swagger UI and ReDoc, which the package fastapi-offline (MIT) carries."""
    spec = importlib.util.find_spec("fastapi_offline")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "static"


class _Folder(Mount):
    """Static files that say which route they are, so that metrics know them by one name."""

    def __init__(self, path: str, folder: Path) -> None:
        super().__init__(path, _Files(directory=folder))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return match, {**child, "route": self} if match else child


class _Files(StaticFiles):
    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(REVALIDATE)
        return response

"""Routes that answer with and without a slash at their end: older clients send it, and a POST follows no 307."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def add(router: APIRouter, method: str, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
    """Adds `path` as the documentation has it, and silently the same with a slash more or less at its end."""
    other = path.removesuffix("/") if path.endswith("/") else f"{path}/"

    def decorate(endpoint: Endpoint) -> Endpoint:
        router.add_api_route(path, endpoint, methods=[method], **options)
        router.add_api_route(other, endpoint, methods=[method], **{**options, "include_in_schema": False})
        return endpoint

    return decorate

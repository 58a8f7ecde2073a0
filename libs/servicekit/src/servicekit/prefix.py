"""One application answers with and without its prefix, and at the bare prefix, without a redirect."""

from starlette.types import Scope


def route_path(scope: Scope, prefix: str) -> str:
    """Returns the path as the service's own routes know it."""
    path: str = scope["path"]
    if prefix and path.startswith(prefix):
        rest = path[len(prefix) :]
        if not rest or rest[0] == "/":
            return rest or "/"
    return path


def enter(scope: Scope, prefix: str) -> str:
    """Returns the path without the prefix, and tells the router whether it is there.

    `POST /anomaly` gets the path of `POST /anomaly/`.
    """
    path = route_path(scope, prefix)
    scope["root_path"] = prefix if len(path) != len(scope["path"]) else ""
    if scope["path"] == prefix:
        scope["path"] = prefix + "/"
    return path

"""One application answers with and without its prefix, and at the bare prefix, without a redirect."""

from starlette.types import Scope


def route_path(scope: Scope, prefix: str) -> str:
    """Returns the path as the service's own routes know it."""
    path: str = scope["path"]
    return (path[len(prefix) :] or "/") if _has(path, prefix) else path


def enter(scope: Scope, prefix: str) -> str:
    """Returns the path without the prefix, and tells the router whether it is there.

    `POST /anomaly` gets the path of `POST /anomaly/`.
    """
    if not _has(scope["path"], prefix):
        scope["root_path"] = ""
        return str(scope["path"])
    scope["root_path"] = prefix
    if scope["path"] == prefix:
        scope["path"] = prefix + "/"
    return route_path(scope, prefix)


def _has(path: str, prefix: str) -> bool:
    return bool(prefix) and path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/")

"""One OpenAPI document out of several: paths under their prefix, names kept apart by their service."""

import json
from collections.abc import Mapping
from typing import Any

REF = "#/components/schemas/"


def merge(own: dict[str, Any], documents: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Adds each service's paths and schemas to the gateway's own document and returns it."""
    for name, document in documents.items():
        renamed = json.loads(json.dumps(document).replace(f'"{REF}', f'"{REF}{name}.'))
        for path, operations in renamed["paths"].items():
            own["paths"][_join(name, path)] = {m: _own(name, operation) for m, operation in operations.items()}
        own["components"]["schemas"] |= {f"{name}.{key}": s for key, s in renamed["components"]["schemas"].items()}
    own["servers"] = [{"url": "/"}]
    return own


def _join(name: str, path: str) -> str:
    return f"/{name}" if path == "/" else f"/{name}{path}"


def _own(name: str, operation: dict[str, Any]) -> dict[str, Any]:
    tags = [f"{name}: {tag}" for tag in operation.get("tags", ["other"])]
    return {**operation, "tags": tags, "operationId": f"{name}_{operation['operationId']}"}

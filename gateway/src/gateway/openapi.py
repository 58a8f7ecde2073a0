"""One OpenAPI document out of several: paths under their prefix, names kept apart by their service."""

import asyncio
import copy
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx2
import msgspec
from servicekit.responses import json_response
from starlette.requests import Request
from starlette.responses import Response

from gateway.kept import Kept

FETCH_TIMEOUT_S = 2.0
KEEP_S = 10.0
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


class _Components(msgspec.Struct):
    schemas: dict[str, Any]


class _Document(msgspec.Struct):
    """What is read of a service's document, strictly enough that no error page passes for it."""

    paths: dict[str, dict[str, dict[str, Any]]]
    components: _Components


class Documents:
    """Merges what the services answer over HTTP; one that does not answer is left out, and the document says so."""

    def __init__(
        self, own: Callable[[], dict[str, Any]], clients: Mapping[str, Mapping[str, httpx2.AsyncClient]]
    ) -> None:
        self.own = own
        self.clients = clients
        self.kept = Kept(self._merged, KEEP_S)

    async def endpoint(self, _request: Request) -> Response:
        return json_response(await self.kept.get())

    async def _merged(self) -> dict[str, Any]:
        fetched = await asyncio.gather(*(_fetch(addresses.values()) for addresses in self.clients.values()))
        documents = {name: document for name, document in zip(self.clients, fetched, strict=True) if document}
        merged = merge(copy.deepcopy(self.own()), documents)
        missing = [name for name in self.clients if name not in documents]
        if missing:
            merged["info"]["description"] += f" Left out, because they do not answer: {', '.join(missing)}."
        return merged


async def _fetch(clients: Iterable[httpx2.AsyncClient]) -> dict[str, Any] | None:
    """Returns the document of the address that has one first, or None after `FETCH_TIMEOUT_S`."""
    asked = [asyncio.create_task(_read(client)) for client in clients]
    try:
        for answered in asyncio.as_completed(asked, timeout=FETCH_TIMEOUT_S):
            if document := await answered:
                return document
    except TimeoutError:
        pass
    finally:
        for task in asked:
            task.cancel()
    return None


async def _read(client: httpx2.AsyncClient) -> dict[str, Any] | None:
    try:
        answer = await client.get("/openapi.json")
        document: dict[str, Any] = msgspec.to_builtins(msgspec.json.decode(answer.content, type=_Document))
    except (httpx2.HTTPError, msgspec.MsgspecError):
        return None
    return document

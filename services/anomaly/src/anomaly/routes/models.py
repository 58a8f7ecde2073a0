"""Models over HTTP: an asset's versions, their files, and which one answers."""

import base64
from collections.abc import Mapping
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request
from servicekit import media
from servicekit.auth import ADMIN, client_name
from servicekit.database.problems import StorageUnavailable
from servicekit.limits import allow_body
from servicekit.openapi import answers, binary_body
from servicekit.responses import json_response
from starlette.responses import Response

from anomaly.ingestion.assets import NAME_PATTERN
from anomaly.lifecycle import catalog, versions
from anomaly.lifecycle.catalog import AssetModelsList, Version, VersionList
from anomaly.problems import (
    WRITING,
    ModelDamaged,
    ModelFileInvalid,
    NothingToRollBack,
    TooManyAssets,
    TooManyVersions,
    UnknownAsset,
    UnknownVersion,
    VersionActive,
)
from anomaly.storage.idempotency import Idempotency
from anomaly.storage.ledger import Operation
from anomaly.storage.reply import Reply

router = APIRouter(tags=["models"])

MAX_NUMBER = 2**31 - 1
AssetName = Annotated[str, Path(pattern=NAME_PATTERN, description="The asset; `default` for the stateless calls.")]
VersionNumber = Annotated[int, Path(ge=1, le=MAX_NUMBER)]
Limit = Annotated[int, Query(ge=1, le=500)]
FILE_TYPES = ("application/octet-stream", "application/vnd.safetensors")


def location(request: Request, path: str) -> dict[str, str]:
    return {"Location": request.scope.get("root_path", "") + path}


@router.get("/models", responses=answers({200: AssetModelsList}, (StorageUnavailable,)), response_class=Response)
async def list_models(
    request: Request, limit: Limit = 100, cursor: Annotated[str | None, Query(pattern=NAME_PATTERN)] = None
) -> Response:
    """Lists the assets that have models, by name."""
    store = request.app.state.services.store
    return json_response(await store.read(lambda connection: catalog.list_assets(connection, limit, cursor)))


@router.get(
    "/models/{asset}",
    responses=answers({200: VersionList}, (UnknownAsset, StorageUnavailable)),
    response_class=Response,
)
async def list_versions(
    request: Request,
    asset: AssetName,
    limit: Limit = 100,
    cursor: Annotated[int | None, Query(ge=1, le=MAX_NUMBER)] = None,
) -> Response:
    """Lists the versions of an asset's model, newest first."""
    store = request.app.state.services.store
    return json_response(await store.read(lambda connection: catalog.list_versions(connection, asset, limit, cursor)))


@router.get(
    "/models/{asset}/versions/{version}",
    responses=answers({200: Version}, (UnknownAsset, UnknownVersion, ModelDamaged, StorageUnavailable)),
    response_class=Response,
)
async def get_version(request: Request, asset: AssetName, version: VersionNumber) -> Response:
    """Tells everything about a version, the report of its training included."""
    services = request.app.state.services
    return json_response(
        await services.store.read(lambda connection: catalog.describe(services.registry, connection, asset, version))
    )


@router.get(
    "/models/{asset}/versions/{version}/file",
    responses=answers({200: None, 304: None}, (UnknownAsset, UnknownVersion, StorageUnavailable)),
    response_class=Response,
)
async def get_file(request: Request, asset: AssetName, version: VersionNumber) -> Response:
    """Downloads a version as the safetensors file that was stored; its ETag is the file's sha256."""

    def read(connection: sa.Connection) -> tuple[str, bytes | None]:
        row = versions.find_asset(connection, asset)
        sha256 = versions.find_version(connection, row, version).sha256
        known = _matches(request.headers.get("if-none-match", ""), sha256)
        return sha256, None if known else versions.read_file(connection, row, version)

    sha256, file = await request.app.state.services.store.read(read)
    headers = {"ETag": f'"{sha256}"', "Cache-Control": "private, no-cache"}
    if file is None:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{asset}-{version}.safetensors"'
    headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
    return Response(file, headers=headers, media_type="application/octet-stream")


def _matches(if_none_match: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or f'"{etag}"' in tags


@router.put(
    "/models/{asset}",
    dependencies=[ADMIN],
    openapi_extra=binary_body(*FILE_TYPES, description="A model in one safetensors file, at most 4 MiB."),
    responses=answers({200: Version, 201: Version}, (ModelFileInvalid, TooManyAssets, TooManyVersions, *WRITING)),
    response_class=Response,
)
async def upload_model(request: Request, asset: AssetName, activate: bool = False) -> Response:
    """Adds a model file as a new version (201). A file that the asset has already is that version again (200)."""
    services = request.app.state.services
    if request.headers.get("content-type"):
        media.require(request, *FILE_TYPES)
    allow_body(request, versions.MAX_FILE_BYTES)
    file = await request.body()
    await services.pool.run(versions.read_model, file)

    def operation(connection: sa.Connection) -> Reply:
        now_ms = services.ledger.clock()
        row = versions.ensure_asset(connection, asset, now_ms, services.settings.max_assets)
        number = versions.find_file(connection, row, file)
        status = 200 if number else 201
        number = number or versions.add_version(
            connection, asset, file, "uploaded", None, now_ms, services.settings.max_versions
        )
        if activate:
            versions.activate(connection, asset, number, client_name(request), now_ms)
        headers = location(request, f"/models/{asset}/versions/{number}")
        return _answer(request, connection, asset, number, status, headers)

    idempotency = Idempotency.of(request, file)
    reply: Reply = await services.ledger.write(operation, assets=(asset,), idempotency=idempotency)
    return reply.response()


@router.post(
    "/models/{asset}/versions/{version}/activate",
    dependencies=[ADMIN],
    responses=answers({200: Version}, (UnknownAsset, UnknownVersion, ModelDamaged, *WRITING)),
    response_class=Response,
)
async def activate_version(request: Request, asset: AssetName, version: VersionNumber) -> Response:
    """Makes a version the one that answers, from the next request on; no request is lost or answered by two."""
    services = request.app.state.services

    def operation(connection: sa.Connection) -> Reply:
        versions.activate(connection, asset, version, client_name(request), services.ledger.clock())
        return _answer(request, connection, asset, version)

    return await _write(request, asset, operation)


@router.post(
    "/models/{asset}/rollback",
    dependencies=[ADMIN],
    responses=answers({200: Version}, (UnknownAsset, NothingToRollBack, ModelDamaged, *WRITING)),
    response_class=Response,
)
async def roll_back(request: Request, asset: AssetName) -> Response:
    """Activates the version that was active before; again, and it goes one further back."""
    services = request.app.state.services

    def operation(connection: sa.Connection) -> Reply:
        number = versions.roll_back(connection, asset, services.ledger.clock())
        return _answer(request, connection, asset, number)

    return await _write(request, asset, operation)


@router.delete(
    "/models/{asset}/versions/{version}",
    dependencies=[ADMIN],
    status_code=204,
    responses=answers({204: None}, (UnknownAsset, UnknownVersion, VersionActive, *WRITING)),
    response_class=Response,
)
async def delete_version(request: Request, asset: AssetName, version: VersionNumber) -> Response:
    """Deletes a version that is not active; its number is not given again."""

    def operation(connection: sa.Connection) -> Reply:
        versions.delete_version(connection, asset, version)
        return Reply(204)

    return await _write(request, asset, operation)


@router.delete(
    "/models/{asset}",
    dependencies=[ADMIN],
    status_code=204,
    responses=answers({204: None}, (UnknownAsset, *WRITING)),
    response_class=Response,
)
async def delete_models(request: Request, asset: AssetName) -> Response:
    """Deletes all versions of an asset's model; its readings stay, and it answers 503 until it has a model again."""
    registry = request.app.state.services.registry

    def operation(connection: sa.Connection) -> Reply:
        versions.delete_versions(connection, asset)
        return Reply(204, after=registry.change(connection, asset))

    return await _write(request, asset, operation)


async def _write(request: Request, asset: str, operation: Operation) -> Response:
    idempotency = Idempotency.of(request, await request.body())
    reply: Reply = await request.app.state.services.ledger.write(operation, assets=(asset,), idempotency=idempotency)
    return reply.response()


def _answer(
    request: Request,
    connection: sa.Connection,
    asset: str,
    number: int,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Answers with the version as it is now, which proves that it loads, and shows the change once committed."""
    registry = request.app.state.services.registry
    version = catalog.describe(registry, connection, asset, number)
    return Reply.of(version, status, headers, after=registry.change(connection, asset))

"""Assets over HTTP: make, list, set, delete."""

from typing import Annotated

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request
from msgspec import UNSET, UnsetType
from servicekit.auth import ADMIN
from servicekit.database.problems import StorageUnavailable
from servicekit.media import require
from servicekit.openapi import answers, json_body
from servicekit.responses import json_response
from servicekit.strict import decode
from starlette.responses import Response

from anomaly.ingestion import assets, explanation
from anomaly.ingestion.assets import NAME_PATTERN, AssetList, AssetSettings, AssetState
from anomaly.problems import WRITING, AssetProtected, TooManyAssets, UnknownAsset
from anomaly.routes import history, readings
from anomaly.storage.ledger import Idempotency, Operation, Reply

router = APIRouter(tags=["assets"])

AssetName = Annotated[str, Path(pattern=NAME_PATTERN, description="Name of the machine, line or cell.")]


class NewAsset(msgspec.Struct, forbid_unknown_fields=True):
    """What a new asset may be given at once; an empty body is the same as `{}`."""

    settings: AssetSettings | UnsetType = UNSET


@router.get("/assets", responses=answers({200: AssetList}, (StorageUnavailable,)), response_class=Response)
async def list_assets(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(pattern=NAME_PATTERN)] = None,
) -> Response:
    """Lists assets in the order of their names."""
    items = await request.app.state.services.store.read(lambda connection: assets.states(connection, cursor, limit + 1))
    more = items[limit - 1].asset if len(items) > limit else None
    return json_response(AssetList(items[:limit], more))


@router.put(
    "/assets/{asset}",
    dependencies=[ADMIN],
    openapi_extra=json_body(NewAsset, example={}),
    responses=answers({200: AssetState, 201: AssetState}, (TooManyAssets, *WRITING)),
    response_class=Response,
)
async def put_asset(request: Request, asset: AssetName) -> Response:
    """Makes an asset, or leaves it as it is; settings that come along replace its own."""
    services = request.app.state.services
    body = await request.body()
    if body:
        require(request, "application/json")
    settings = decode(body, NewAsset).settings if body else UNSET

    def operation(connection: sa.Connection) -> Reply:
        given = None if isinstance(settings, UnsetType) else settings
        limit = services.settings.max_assets
        new = assets.create(connection, asset, given, services.ledger.clock(), limit)
        headers = {"Location": request.scope.get("root_path", "") + f"/assets/{asset}"} if new else {}
        return Reply.of(assets.state(connection, asset), 201 if new else 200, headers)

    return await _write(request, operation, asset, body)


@router.get(
    "/assets/{asset}",
    responses=answers({200: AssetState}, (UnknownAsset, StorageUnavailable)),
    response_class=Response,
)
async def get_asset(request: Request, asset: AssetName) -> Response:
    """Tells an asset's model, newest reading and what made its score, alarm, drift and settings."""
    services = request.app.state.services
    return json_response(await services.store.read(lambda c: explanation.explained(c, services.registry, asset)))


@router.delete(
    "/assets/{asset}",
    dependencies=[ADMIN],
    status_code=204,
    responses=answers({204: None}, (UnknownAsset, AssetProtected, *WRITING)),
    response_class=Response,
)
async def delete_asset(request: Request, asset: AssetName) -> Response:
    """Deletes an asset with its models, readings and alerts; receivers hear that its open alerts are resolved."""
    services = request.app.state.services

    def operation(connection: sa.Connection) -> Reply:
        assets.delete(connection, asset, services.ledger.clock(), services.delivery.names)
        return Reply(204, after=tell)

    def tell() -> None:
        services.delivery.wake()
        services.hub.publish(asset)

    return await _write(request, operation, asset, await request.body())


@router.get(
    "/assets/{asset}/settings",
    responses=answers({200: AssetSettings}, (UnknownAsset, StorageUnavailable)),
    response_class=Response,
)
async def get_settings(request: Request, asset: AssetName) -> Response:
    """Tells how an asset's readings are judged and watched."""
    services = request.app.state.services
    row = await services.store.read(lambda connection: assets.asset_row(connection, asset))
    return json_response(assets.settings_of(row))


@router.put(
    "/assets/{asset}/settings",
    dependencies=[ADMIN],
    openapi_extra=json_body(AssetSettings, example={"alarm": {"m": 3, "n": 5, "on_delay_s": 10}}),
    responses=answers({200: AssetSettings}, (UnknownAsset, *WRITING)),
    response_class=Response,
)
async def put_settings(request: Request, asset: AssetName) -> Response:
    """Replaces an asset's settings; members that are missing take their defaults."""
    require(request, "application/json")
    body = await request.body()
    settings = decode(body, AssetSettings)

    def operation(connection: sa.Connection) -> Reply:
        assets.replace_settings(connection, asset, settings)
        return Reply.of(settings)

    return await _write(request, operation, asset, body)


async def _write(request: Request, operation: Operation, asset: str, body: bytes) -> Response:
    idempotency = Idempotency.of(request, body)
    reply = await request.app.state.services.ledger.write(operation, assets=(asset,), idempotency=idempotency)
    response: Response = reply.response()
    return response


router.include_router(readings.router)
router.include_router(history.router)

"""Thresholds over HTTP: how an asset's came about, another one, and one from its recent normal readings."""

from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Request
from msgspec import UNSET, Meta, UnsetType
from servicekit import media
from servicekit.auth import ADMIN, client_name
from servicekit.database.problems import StorageUnavailable
from servicekit.openapi import answers, json_body
from servicekit.problems import InvalidInput
from servicekit.responses import json_response
from servicekit.strict import decode
from starlette.responses import Response

from anomaly.detector.calibration import Method
from anomaly.lifecycle import catalog, recalibration
from anomaly.lifecycle.catalog import Version
from anomaly.lifecycle.recalibration import Choice, store_version
from anomaly.lifecycle.registry import Active
from anomaly.lifecycle.versions import find_asset
from anomaly.model import Model
from anomaly.problems import (
    WRITING,
    ModelDamaged,
    NoModel,
    ThresholdUnsupported,
    TooFewRows,
    TooManyVersions,
    UnknownAsset,
    VersionChanged,
)
from anomaly.routes.models import AssetName, location
from anomaly.storage.idempotency import Idempotency
from anomaly.storage.reply import Reply

router = APIRouter(tags=["thresholds"])

MAX_ROWS = 50_000
REFUSALS = (UnknownAsset, NoModel, ModelDamaged, TooManyVersions, VersionChanged, *WRITING)
PARAMETERS = ("percentile", "margin", "rate")
MethodName = Literal["automatic", "percentile", "false_alarm_rate", "extreme_value"]


class Point(msgspec.Struct):
    """The threshold that a rate of false alarms takes."""

    false_alarm_rate: float
    threshold: float


class Histogram(msgspec.Struct):
    """The scores of held-back normal rows: one count between two edges."""

    edges: list[float]
    counts: list[float]


class Threshold(msgspec.Struct):
    """The threshold of the active version, how it came about, and what else the same rows would support."""

    threshold: float
    method: Method
    parameters: dict[str, float]
    nominal_false_alarm_rate: float | None
    rows: int
    independent_blocks: int
    block_rows: int
    notes: list[str]
    curve: list[Point]
    histogram: Histogram
    model_version: int


class _Parameters(msgspec.Struct, forbid_unknown_fields=True):
    method: MethodName | UnsetType = UNSET
    percentile: float | UnsetType = UNSET
    margin: float | UnsetType = UNSET
    rate: float | UnsetType = UNSET

    def parameters(self) -> dict[str, float]:
        given = {name: getattr(self, name) for name in PARAMETERS}
        return {name: value for name, value in given.items() if value is not UNSET}


class ThresholdChange(_Parameters, forbid_unknown_fields=True):
    """Either a `threshold`, or a `method` that finds one from the held-back scores of the active version."""

    threshold: float | UnsetType = UNSET

    def choice(self) -> Choice:
        """Returns what was asked for; raises InvalidInput unless it is one thing."""
        if (self.threshold is UNSET) == (self.method is UNSET):
            raise InvalidInput("the body must have either threshold or method")
        if self.threshold is UNSET:
            assert self.method is not UNSET
            return Choice(self.method, self.parameters())
        if self.parameters():
            raise InvalidInput(f"a threshold that is set takes no {' and no '.join(self.parameters())}")
        return Choice("manual", {}, self.threshold)


class Recalibration(_Parameters, forbid_unknown_fields=True):
    """How many of the newest readings to look at, and the method."""

    rows: Annotated[int, Meta(ge=recalibration.MIN_ROWS, le=MAX_ROWS)] = 2000

    def choice(self) -> Choice:
        return Choice("automatic" if self.method is UNSET else self.method, self.parameters())


def _threshold(model: Model, version: int) -> Threshold:
    document: dict[str, Any] = model.calibration.document()
    return msgspec.convert({**document, "model_version": version}, Threshold)


@router.get(
    "/models/{asset}/threshold",
    responses=answers({200: Threshold}, (UnknownAsset, NoModel, ModelDamaged, StorageUnavailable)),
    response_class=Response,
)
async def get_threshold(request: Request, asset: AssetName) -> Response:
    """Tells the active threshold, how it came about, the whole curve, and the histogram of the held-back scores."""
    services = request.app.state.services
    active = await _active(request, asset)
    return json_response(await services.pool.run(_threshold, active.model, active.version))


async def _active(request: Request, asset: str) -> Active:
    services = request.app.state.services

    def read(connection: sa.Connection) -> Active:
        find_asset(connection, asset)  # an unknown asset is 404, one without a model 503
        active: Active = services.registry.active(connection, asset)
        return active

    active: Active = await services.store.read(read)
    return active


@router.put(
    "/models/{asset}/threshold",
    dependencies=[ADMIN],
    openapi_extra=json_body(ThresholdChange, example={"method": "false_alarm_rate", "rate": 0.01}),
    responses=answers({200: Threshold}, (ThresholdUnsupported, *REFUSALS)),
    response_class=Response,
)
async def put_threshold(request: Request, asset: AssetName) -> Response:
    """Sets the threshold, or finds it by a method: always as a new version, which is active at once."""
    services = request.app.state.services
    media.require(request, "application/json")
    body = await request.body()
    idempotency = Idempotency.of(request, body)
    choice = decode(body, ThresholdChange).choice()
    active = await _active(request, asset)
    model: Model = await services.pool.run(recalibration.rethreshold, active.model, choice)
    answer: Threshold = await services.pool.run(_threshold, model, 0)
    file: bytes = await services.pool.run(recalibration.file_of, model)

    def operation(connection: sa.Connection) -> Reply:
        now_ms, by = services.ledger.clock(), client_name(request)
        answer.model_version = store_version(
            services.registry, connection, asset, file, "threshold", active.version, now_ms, by
        )
        return Reply.of(answer, after=services.registry.change(connection, asset))

    reply: Reply = await services.ledger.write(operation, assets=(asset,), idempotency=idempotency)
    return reply.response()


@router.post(
    "/models/{asset}/recalibrate",
    status_code=201,
    dependencies=[ADMIN],
    openapi_extra=json_body(Recalibration, example={"rows": 2000, "method": "automatic"}),
    responses=answers({201: Version}, (ThresholdUnsupported, TooFewRows, *REFUSALS)),
    response_class=Response,
)
async def recalibrate(request: Request, asset: AssetName, activate: bool = False) -> Response:
    """Makes a version whose threshold comes from the asset's recent normal readings and what was said of its alerts."""
    services = request.app.state.services
    registry = services.registry
    media.require(request, "application/json")
    body = await request.body()
    idempotency = Idempotency.of(request, body)
    asked = decode(body, Recalibration)
    material = await services.store.read(
        lambda connection: recalibration.gather(registry, connection, asset, asked.rows)
    )
    model: Model = await services.pool.run(recalibration.recalibrate, material, asked.choice())
    file: bytes = await services.pool.run(recalibration.file_of, model)
    parent = material.active.version

    def operation(connection: sa.Connection) -> Reply:
        now_ms, by = services.ledger.clock(), client_name(request)
        number = store_version(
            registry, connection, asset, file, "recalibrated", parent, now_ms, by, must_activate=activate
        )
        headers = location(request, f"/models/{asset}/versions/{number}")
        version = catalog.describe(registry, connection, asset, number)
        return Reply.of(version, 201, headers, after=registry.change(connection, asset))

    reply: Reply = await services.ledger.write(operation, assets=(asset,), idempotency=idempotency)
    return reply.response()

"""Alerts, what people do to them, and the queue of notices."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response
from servicekit import media, strict
from servicekit.auth import ADMIN, client_name
from servicekit.database import cursors
from servicekit.database.problems import StorageUnavailable
from servicekit.openapi import answers, json_body
from servicekit.problems import MalformedJSON, UnsupportedMediaType
from servicekit.responses import json_response

from anomaly.alerting import alerts, operators, outbox
from anomaly.alerting.alarms import Kind
from anomaly.alerting.alerts import Alert
from anomaly.alerting.notices import probe
from anomaly.alerting.operators import Person, Verdict
from anomaly.alerting.outbox import Delivery, Status
from anomaly.ingestion.assets import NAME_PATTERN
from anomaly.problems import WRITING, AlertCleared, AlreadyDelivered, NoReceivers, UnknownAlert, UnknownDelivery
from anomaly.storage.idempotency import Idempotency
from anomaly.storage.reply import Reply

T = TypeVar("T")

router = APIRouter(tags=["alerts"])

READING = (StorageUnavailable,)
CHANGING = (UnsupportedMediaType, MalformedJSON, *WRITING)

RowId = Annotated[int, Path(ge=1, le=cursors.LARGEST)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[str | None, Query(max_length=64)]
AssetName = Annotated[str | None, Query(pattern=NAME_PATTERN)]
ShortText = Annotated[str, msgspec.Meta(max_length=128)]
Note = Annotated[str, msgspec.Meta(max_length=1024)]


class Acknowledgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who saw it (the API key's name if left out) and a note."""

    by: ShortText | None = None
    note: Note = ""


class Shelving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long it stays quiet, at most 30 days."""

    seconds: Annotated[float, msgspec.Meta(ge=1, le=2_592_000)]
    by: ShortText | None = None
    note: Note = ""


class Feedback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether it was a true alarm."""

    verdict: Verdict
    by: ShortText | None = None
    note: Note = ""


class AlertPage(msgspec.Struct, frozen=True):
    """Alerts, newest first."""

    items: list[Alert]
    next_cursor: str | None


class DeliveryPage(msgspec.Struct, frozen=True):
    """Deliveries, newest first."""

    items: list[Delivery]
    next_cursor: str | None


class Queued(msgspec.Struct, frozen=True):
    """The deliveries that were queued."""

    deliveries: list[int]


@router.get("/alerts", responses=answers({200: AlertPage}, READING))
async def list_alerts(
    request: Request,
    state: Literal["open", "cleared", "all"] = "open",
    asset: AssetName = None,
    kind: Kind | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    services, before = request.app.state.services, cursors.decode(cursor)
    rows = await services.store.read(lambda c: alerts.page(c, state, asset, kind, before, limit + 1))
    now_ms = services.ledger.clock()
    items = [alerts.shown(row, now_ms) for row in rows[:limit]]
    return json_response(AlertPage(items, cursors.encode(items[-1].id) if len(rows) > limit else None))


@router.post(
    "/alerts/test",
    status_code=202,
    dependencies=[ADMIN],
    responses=answers({202: Queued}, (NoReceivers, *CHANGING)),
)
async def send_test(request: Request) -> Response:
    """Sends a test alert to every receiver, through the same queue as any other."""
    services = request.app.state.services
    if not services.delivery.names:
        raise NoReceivers("no receiver is set: name one in ANOMALY_WEBHOOK_URLS or ANOMALY_MAIL_TO")

    def operation(connection: sa.Connection) -> Reply:
        now_ms = services.ledger.clock()
        ids = outbox.enqueue(connection, probe(now_ms), services.delivery.names, now_ms)
        return Reply.of(Queued(ids), 202, after=services.delivery.wake)

    reply: Reply = await services.ledger.write(operation, idempotency=Idempotency.of(request, await request.body()))
    return reply.response()


@router.get("/alerts/deliveries", dependencies=[ADMIN], responses=answers({200: DeliveryPage}, READING))
async def list_deliveries(
    request: Request, status: Status | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    before = cursors.decode(cursor)
    items = await request.app.state.services.store.read(lambda c: outbox.page(c, status, before, limit + 1))
    shown = items[:limit]
    return json_response(DeliveryPage(shown, cursors.encode(shown[-1].id) if len(items) > limit else None))


@router.post(
    "/alerts/deliveries/{delivery_id}/retry",
    dependencies=[ADMIN],
    responses=answers({200: Delivery}, (UnknownDelivery, AlreadyDelivered, *CHANGING)),
)
async def retry_delivery(request: Request, delivery_id: RowId) -> Response:
    """Makes an undelivered notice due at once, with all its attempts before it."""
    services = request.app.state.services

    def operation(connection: sa.Connection) -> Reply:
        found = outbox.find(connection, delivery_id)
        if found is None:
            raise UnknownDelivery(f"there is no delivery {delivery_id}")
        if found.status == "delivered":
            raise AlreadyDelivered(f"delivery {delivery_id} arrived at {found.delivered_at}")
        outbox.retry(connection, delivery_id, services.ledger.clock())
        return Reply.of(outbox.find(connection, delivery_id), after=services.delivery.wake)

    reply: Reply = await services.ledger.write(operation, idempotency=Idempotency.of(request, await request.body()))
    return reply.response()


@router.get("/alerts/{alert_id}", responses=answers({200: Alert}, (UnknownAlert, *READING)))
async def get_alert(request: Request, alert_id: RowId) -> Response:
    services = request.app.state.services
    row = await services.store.read(lambda c: operators.row_of(c, alert_id))
    return json_response(alerts.shown(row, services.ledger.clock()))


@router.post(
    "/alerts/{alert_id}/acknowledge",
    dependencies=[ADMIN],
    openapi_extra=json_body(Acknowledgement, example={"by": "Kim", "note": "on my way"}),
    responses=answers({200: Alert}, (UnknownAlert, AlertCleared, *CHANGING)),
)
async def acknowledge(request: Request, alert_id: RowId) -> Response:
    person = _person(request, await _read(request, Acknowledgement))
    services = request.app.state.services
    names = services.delivery.names
    return await _act(
        request, alert_id, lambda c: operators.acknowledge(c, alert_id, person, services.ledger.clock(), names)
    )


@router.post(
    "/alerts/{alert_id}/shelve",
    dependencies=[ADMIN],
    openapi_extra=json_body(Shelving, example={"seconds": 3600, "by": "Kim", "note": "cleaning"}),
    responses=answers({200: Alert}, (UnknownAlert, AlertCleared, *CHANGING)),
)
async def shelve(request: Request, alert_id: RowId) -> Response:
    """Keeps the alarm quiet for a while, and what comes back of its kind on the asset meanwhile."""
    asked = await _read(request, Shelving)
    services = request.app.state.services
    return await _act(
        request, alert_id, lambda c: operators.shelve(c, alert_id, asked.seconds, services.ledger.clock())
    )


@router.post(
    "/alerts/{alert_id}/unshelve",
    dependencies=[ADMIN],
    openapi_extra=json_body(Acknowledgement),
    responses=answers({200: Alert}, (UnknownAlert, *CHANGING)),
)
async def unshelve(request: Request, alert_id: RowId) -> Response:
    await _read(request, Acknowledgement)
    services = request.app.state.services
    return await _act(
        request,
        alert_id,
        lambda c: operators.unshelve(c, alert_id, services.ledger.clock(), services.delivery.names),
    )


@router.post(
    "/alerts/{alert_id}/feedback",
    dependencies=[ADMIN],
    openapi_extra=json_body(Feedback, example={"verdict": "false_alarm", "by": "Kim", "note": "tool change"}),
    responses=answers({200: Alert}, (UnknownAlert, *CHANGING)),
)
async def feedback(request: Request, alert_id: RowId) -> Response:
    """Says whether it was a true alarm; recalibration uses it, and the last word counts."""
    asked = await _read(request, Feedback)
    person, services = _person(request, asked), request.app.state.services
    return await _act(
        request,
        alert_id,
        lambda c: operators.give_feedback(c, alert_id, asked.verdict, person, services.ledger.clock()),
    )


async def _read(request: Request, type_: type[T]) -> T:
    """Reads a JSON body; none at all is an empty object."""
    body = await request.body()
    if body:
        media.require(request, "application/json")
    return strict.decode(body or b"{}", type_)


def _person(request: Request, asked: Acknowledgement | Feedback) -> Person:
    return Person(asked.by or client_name(request), asked.note)


async def _act(request: Request, alert_id: int, change: Callable[[sa.Connection], None]) -> Response:
    """Changes an alert while its asset is held, and answers with the alert as it is then."""
    services = request.app.state.services
    asset = (await services.store.read(lambda c: operators.row_of(c, alert_id))).asset

    def after() -> None:
        services.delivery.wake()
        services.hub.publish(asset)

    def operation(connection: sa.Connection) -> Reply:
        change(connection)
        row = operators.row_of(connection, alert_id)
        return Reply.of(alerts.shown(row, services.ledger.clock()), after=after)

    idempotency = Idempotency.of(request, await request.body())
    reply: Reply = await services.ledger.write(operation, assets=(asset,), idempotency=idempotency)
    return reply.response()

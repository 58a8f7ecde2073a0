"""An asset's past and present over HTTP: history as pages or CSV, and a stream of what happens now."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from servicekit.database import cursors
from servicekit.database.problems import StorageUnavailable
from servicekit.limits import leave_place
from servicekit.media import prefers
from servicekit.openapi import answers
from servicekit.problems import InvalidInput, quote
from servicekit.responses import json_response
from starlette.responses import Response, StreamingResponse

from anomaly.ingestion import history, stream
from anomaly.ingestion.assets import NAME_PATTERN, asset_row
from anomaly.ingestion.history import History, Selection
from anomaly.ingestion.judgement import Status
from anomaly.ingestion.timestamps import parse_text
from anomaly.problems import UnknownAsset

router = APIRouter()

AssetName = Annotated[str, Path(pattern=NAME_PATTERN, description="Name of the machine, line or cell.")]
Moment = Annotated[str | None, Query(max_length=40, description="ISO 8601 with a zone, or epoch milliseconds.")]
MAX_ID = 2**63 - 1


@router.get(
    "/assets/{asset}/history",
    responses=answers({200: History}, (UnknownAsset, StorageUnavailable)),
    response_class=Response,
)
async def get_history(
    request: Request,
    asset: AssetName,
    from_: Annotated[Moment, Query(alias="from")] = None,
    to: Moment = None,
    status: Status | None = None,
    limit: Annotated[int | None, Query(ge=1, le=1_000_000, description="At most 1000 for JSON.")] = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Lists readings, newest first, 100 a page; with `Accept: text/csv` all of them, oldest first."""
    store = request.app.state.services.store
    row = await store.read(lambda connection: asset_row(connection, asset))
    selection = Selection(row.id, _moment(from_), _moment(to), status)
    if prefers(request, "text/csv"):
        headers = {"Content-Disposition": f'attachment; filename="{asset}.csv"'}
        lines = history.csv_lines(store, selection, limit)
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8; header=present", headers=headers)
    limit = 100 if limit is None else limit
    if limit > 1000:
        raise InvalidInput(f"limit is {limit}, a page has at most 1000 readings; ask for text/csv to get more")
    before_ms = cursors.decode(cursor)
    rows = await store.read(lambda connection: history.page(connection, selection, before_ms, limit + 1))
    more = cursors.encode(rows[limit - 1].at_ms) if len(rows) > limit else None
    return json_response(History([history.shown(reading) for reading in rows[:limit]], more))


@router.get(
    "/assets/{asset}/stream",
    responses=answers({200: None}, (UnknownAsset, StorageUnavailable)),
    response_class=Response,
)
async def get_stream(
    request: Request,
    asset: AssetName,
    last_event_id: Annotated[str | None, Header(description="The id of the last event seen.")] = None,
) -> Response:
    """Streams `reading` and `alert` events as text/event-stream; goes on after `Last-Event-ID` where that is given."""
    state = request.app.state
    services = state.services
    last_id = None if last_event_id is None else _reading_id(last_event_id)
    clock = services.ledger.clock
    row = await services.store.read(lambda connection: asset_row(connection, asset))
    position = await services.store.read(lambda connection: stream.begin(connection, row.id, asset, last_id, clock()))
    leave_place(request)  # a stream lasts: it must not hold a place that short requests need
    return stream.EventStream(services.store, services.hub, state.drain, clock, position)


def _moment(text: str | None) -> int | None:
    return None if text is None else parse_text(text)


def _reading_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= MAX_ID):
        raise InvalidInput(f"Last-Event-ID is {quote(text)}, expected the id of a reading")
    return int(text)

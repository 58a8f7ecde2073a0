"""`/visualization`: statistics, tables for spreadsheets, and the report."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Query, Request
from servicekit import query
from servicekit.limits import leave_place
from servicekit.problems import UploadStorageFull
from servicekit.responses import json_response
from starlette.responses import Response, StreamingResponse

from cars.reports import csv, html, stats, xlsx
from cars.reports.thumbnails import Thumbnails
from cars.routes import document, filters, paths
from cars.routes.filters import Chosen
from cars.routes.parts import services_of

router = APIRouter(prefix="/visualization", tags=["visualization"])

FRESH = {"Cache-Control": "no-store"}
REPORT = 'inline; filename="cars-report.html"'
PIECE_BYTES = 1 << 18
EXAMPLE: dict[str, Any] = {
    "files": 3,
    "size_bytes": 852_339,
    "predictions": 10,
    "corrections": 1,
    "by_status": {"pending": 1, "processing": 0, "recognized": 1, "unrecognized": 1, "failed": 0},
    "by_make": {"Tesla": 1},
    "by_model": [{"make": "Tesla", "model": "Model S", "count": 1}],
    "by_confidence": [0, 0, 0, 1, 0, 0, 0, 0, 0, 1],
    "by_reason": {"unknown_model": 1},
    "by_backend": {"local": 2},
    "by_day": {"2026-03-14": 3},
}


@paths.add(
    router,
    "GET",
    "/stats",
    responses=document.answers({200: stats.Statistics}, document.READING, examples={200: EXAMPLE}),
    response_class=Response,
)
async def get_stats(request: Request) -> Response:
    """Counts files and predictions by status, make, model, confidence, reason, backend and day of the upload."""
    query.parse(request.scope)
    return json_response(stats.statistics(await services_of(request).archive.stats()))


def _file(media_type: str, about: str) -> dict[int | str, Any]:
    content = {media_type.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}}
    return {**document.answers({}, document.READING), 200: {"description": about, "content": content}}


@paths.add(
    router,
    "GET",
    "/export/csv",
    responses=_file(csv.MEDIA_TYPE, "A header, and a row for each file, newest first"),
    response_class=Response,
)
async def export_csv(
    request: Request,
    chosen: Chosen,
    bom: Annotated[bool, Query(description="A mark at the start, by which Excel knows that it is UTF-8.")] = False,
) -> Response:
    """Gives a table of files and their predictions as CSV, in UTF-8, with nothing that a spreadsheet computes."""
    query.parse(request.scope, *filters.PARAMETERS, "bom")
    pieces = await _begun(csv.pieces(services_of(request).archive.each(chosen), mark=bom))
    leave_place(request)
    return StreamingResponse(pieces, headers=_attachment("cars.csv"), media_type=csv.MEDIA_TYPE)


@paths.add(
    router,
    "GET",
    "/export/xlsx",
    responses={**_file(xlsx.MEDIA_TYPE, "A workbook"), **document.answers({}, (UploadStorageFull,))},
    response_class=Response,
)
async def export_xlsx(request: Request, chosen: Chosen) -> Response:
    """Gives the same table as a workbook of Excel, in which text stays text."""
    query.parse(request.scope, *filters.PARAMETERS)
    file = await xlsx.workbook(services_of(request).archive.each(chosen))
    leave_place(request)
    headers = {**_attachment("cars.xlsx"), "Content-Length": str(os.fstat(file.fileno()).st_size)}
    return StreamingResponse(_content(file), headers=headers, media_type=xlsx.MEDIA_TYPE)


@paths.add(
    router,
    "GET",
    "/report",
    responses=_file(html.MEDIA_TYPE, "A page that needs nothing else"),
    response_class=Response,
)
async def get_report(request: Request) -> Response:
    """Gives a page with counts, plots and the newest 200 pictures: one file, to be kept, sent or printed.

    It has no scripts and no links, and its policy lets nothing run and nothing load.
    """
    query.parse(request.scope)
    services = services_of(request)
    counts = await services.archive.stats()
    newest, _ = await services.archive.list(limit=html.NEWEST)
    leave_place(request)
    pieces = html.pieces(counts, newest, Thumbnails(services.keeper).of, datetime.now(UTC))
    headers = {"Content-Security-Policy": html.SERVED_POLICY, "Content-Disposition": REPORT, **FRESH}
    return StreamingResponse(pieces, headers=headers, media_type=html.MEDIA_TYPE)


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', **FRESH}


async def _begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Waits for the first piece: what fails before it is a problem, and not half an answer."""
    first = await anext(pieces)

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return whole()


async def _content(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield piece

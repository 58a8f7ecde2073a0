"""`POST /predict_batch`: many pictures and ZIPs in, their digits out as JSON, CSV, or NDJSON while they are read.

Served below the router, as `/predict` is: the files have to stay open until the last line of a stream is sent.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from servicekit import media, query, uploads
from servicekit.connected import while_connected
from servicekit.context import KEY, RequestContext
from servicekit.openapi import multipart_body
from servicekit.problems import Problem
from servicekit.uploads import Upload
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from digit import batches
from digit.batches import Batch, Found
from digit.commands import rows
from digit.commands.rows import Row
from digit.problems import ArchiveInvalid, ArchiveNotImages, TooManyImages
from digit.reader import Reader
from digit.routes import document
from digit.routes.replies import CSV, JSON, NDJSON, Csv, Json, Lines, Whole
from digit.schemas import DetailedPredictions, Predictions

router = APIRouter(tags=["reading"])

ROUTE = "/predict_batch"
PARAMETERS = ("model", "detail", "on_error")
REFUSE, SKIP = "refuse", "skip"


@dataclass(frozen=True)
class Asked:
    """What a call asks for."""

    model: str
    detail: bool
    skip: bool
    media_type: str

    @classmethod
    def by(cls, scope: Scope, reader: Reader) -> "Asked":
        values = query.parse(scope, *PARAMETERS)
        return cls(
            model=reader.choose(values.get("model")),
            detail=query.truth(values, "detail"),
            skip=query.choice(values, "on_error", REFUSE, SKIP) == SKIP,
            media_type=next((kind for kind in (CSV, NDJSON) if media.prefers(Request(scope), kind)), JSON),
        )

    def rows(self, found: Found) -> tuple[list[Row], Problem | None]:
        """Returns what is told of pictures, up to the one that refuses the batch, and its problem."""
        told = []
        for name, outcome in found:
            if not isinstance(outcome, Problem):
                told.append(Row(name, outcome))
            elif self.skip:
                told.append(Row(name, error=outcome.extra.get("reason", outcome.detail)))
            else:
                return told, outcome
        return told, None


class HotBatch:
    """Answers `POST /predict_batch`, and False to what is not its own."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        settings = reader.settings
        self.form = uploads.Form("files", settings.max_upload_bytes, settings.max_images)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> bool:
        request: RequestContext = scope[KEY]
        if request.path != ROUTE or scope["method"] != "POST":
            return False
        request.route = ROUTE
        request.max_body_bytes = self.form.max_file_bytes
        asked = Asked.by(scope, self.reader)
        try:
            async with uploads.Reading(scope, receive, self.form) as received:
                await while_connected(receive, self._answer(asked, received.files, send))
        except ClientDisconnect:
            pass  # nobody is there to be answered
        return True

    async def _answer(self, asked: Asked, files: list[Upload], send: Send) -> None:
        batch = await self._listed(files, asked)
        async with aclosing(batches.outcomes(batch, self.reader, asked.model, ROUTE)) as found:
            if asked.media_type == NDJSON:
                await _stream(asked, found, send)
            elif asked.media_type == CSV:
                await _send(Csv(detail=asked.detail), asked, found, send)
            else:
                await _send(Json(detail=asked.detail, errors=asked.skip), asked, found, send)

    async def _listed(self, files: list[Upload], asked: Asked) -> Batch:
        try:
            return await self.reader.pool.run(lambda: Batch(files, self.reader.settings, skip=asked.skip))
        except Problem as problem:
            self.reader.counts.refuse(problem.slug)
            raise


async def _send(answer: Whole, asked: Asked, found: AsyncIterator[Found], send: Send) -> None:
    async for chunk in found:
        told, problem = asked.rows(chunk)
        if problem:
            raise problem
        for row in told:
            answer.add(row)
    body = answer.body()
    headers = [*answer.headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _stream(asked: Asked, found: AsyncIterator[Found], send: Send) -> None:
    """Sends each chunk's lines. What refuses the batch is the status where it comes first, and later the last line."""
    lines = Lines(send)
    total = failed = 0
    refusal: dict[str, Any] = {}
    async for chunk in found:
        told, problem = asked.rows(chunk)
        if problem and not lines.begun:
            raise problem
        total += len(told)
        failed += sum(row.reading is None for row in told)
        await lines.write([rows.json_line(row, asked.detail) for row in told])
        if problem:
            refusal = {"done": False, "error": problem.detail}
            break
    await lines.write([{**rows.last_line(total, failed), **refusal}])
    await lines.end()


@router.post(
    ROUTE,
    openapi_extra=multipart_body(
        "files", many=True, description="PNG and JPEG pictures of one digit each, and ZIPs of such; folders are walked."
    ),
    responses=document.batch_answers(
        Predictions, DetailedPredictions, (*document.READING, ArchiveInvalid, ArchiveNotImages, TooManyImages)
    ),
    response_class=Response,
)
async def predict_batch(
    request: Request,  # noqa: ARG001 - what the document shows
    model: document.ModelName = None,  # noqa: ARG001
    detail: document.Detail = False,  # noqa: ARG001
    on_error: document.OnError = "refuse",  # noqa: ARG001
) -> Response:
    """Reads the digits of many pictures. A name that several share is made longer: the path in its ZIP, then the ZIP's.

    `Accept: text/csv` gives a CSV file, `Accept: application/x-ndjson` a line for each picture as soon as it is read.
    A file that cannot be read refuses the whole batch; with `on_error=skip` it is told under `errors`, and the others
    are read. A stream that has begun cannot be refused: its last line then has `done` false and the `error`.
    """
    raise AssertionError("served by HotBatch")

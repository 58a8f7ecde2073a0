"""Stateless scoring, the hot path: `POST /` and `POST /batch`.

Both are served by an ASGI callable tried before FastAPI's router, whose own layers cost several times a whole request;
the routes below are only their entries in the OpenAPI document, and a test holds the two together.
"""

import math
import struct

import msgspec
import numpy as np
from fastapi import APIRouter, Request
from numpy.typing import NDArray
from servicekit import media
from servicekit.context import KEY, RequestContext
from servicekit.openapi import answers, json_body
from servicekit.problems import InvalidInput, quote
from servicekit.strict import decode
from servicekit.threads import Pool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from anomaly.formats import readers
from anomaly.ingestion import readings
from anomaly.lifecycle.registry import Active, Registry
from anomaly.model import Model
from anomaly.postprocess import severity, status
from anomaly.preprocess import Array
from anomaly.problems import ModelNeedsWindow, NoModel, TableInvalid, TooManyRows, WrongDimension
from anomaly.schemas import BatchVerdict, Contribution, DetailedVerdict, Rows, Values, Verdict

router = APIRouter(tags=["scoring"])

INLINE_BYTES = 262_144  # larger bodies take more than a millisecond: they are read beside the event loop
JSON_TYPE = b"application/json"
CONTENT_TYPE = (b"content-type", JSON_TYPE)
REFUSALS = (NoModel, WrongDimension, ModelNeedsWindow)
_encode = msgspec.json.Encoder().encode


class HotScoring:
    """Answers `POST /`, one row in, the score and the status out, and `POST /batch`."""

    def __init__(self, registry: Registry, pool: Pool, max_rows: int, max_batch_bytes: int) -> None:
        self.registry = registry
        self.pool = pool
        self.max_rows = max_rows
        self.max_batch_bytes = max_batch_bytes
        self.verdicts = {"normal": 0, "anomaly": 0, "unknown": 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> bool:
        request: RequestContext = scope[KEY]
        if scope["method"] != "POST" or request.path not in ("/", "/batch"):
            return False
        request.route = request.path
        try:
            answer = await (self._one if request.path == "/" else self._many)(request, receive, scope["query_string"])
        except ClientDisconnect:
            return True
        headers = [CONTENT_TYPE, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
        return True

    async def _one(self, request: RequestContext, receive: Receive, query: bytes) -> bytes:
        content_type = request.headers.get(b"content-type", b"")
        if content_type != JSON_TYPE:
            media.check(content_type, "application/json")
        body = await _read(receive)
        active = self.registry.default or self.registry.require_default()
        verdict = judge(active, body, detail=_wants_detail(query) if query else False)
        self.verdicts[verdict.status] += 1
        return _encode(verdict)

    async def _many(self, request: RequestContext, receive: Receive, _query: bytes) -> bytes:
        media_type = media.check(request.headers.get(b"content-type", b""), *PARSERS)
        request.max_body_bytes = self.max_batch_bytes
        body = await _read(receive)
        arguments = (self.registry.require_default(), body, media_type, self.max_rows)
        if len(body) <= INLINE_BYTES:
            return _encode(judge_batch(*arguments))
        return _encode(await self.pool.run(judge_batch, *arguments))


async def _read(receive: Receive) -> bytes:
    """Returns the whole body; raises ClientDisconnect."""
    message = await receive()
    chunks = [message.get("body", b"")]
    while message.get("more_body"):
        message = await receive()
        chunks.append(message.get("body", b""))
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _wants_detail(query: bytes) -> bool:
    if query in (b"detail=true", b"detail=1"):
        return True
    if query in (b"detail=false", b"detail=0"):
        return False
    raise InvalidInput(f"the query is {query.decode('latin-1')[:64]!a}, this call takes detail=true or false")


def judge(active: Active, body: bytes, *, detail: bool) -> Verdict | DetailedVerdict:
    """Scores one row; raises a Problem for whatever cannot be judged, so that nothing is `normal` by accident."""
    values = decode(body, Values).values
    model = active.model
    if len(values) != model.n_sensors:
        raise WrongDimension(f"{len(values)} values came, the model takes {model.n_sensors}")
    if model.window != 1:
        raise ModelNeedsWindow(f"the model looks at {model.window} rows: post to /assets/default or to /batch")
    if model.ranges and model.outside(np.array([values]))[0]:  # whatever it would score, the sensor is not believed
        return _not_judged(active) if detail else Verdict(None, "unknown")
    score = model.score(values)
    if not math.isfinite(score):
        raise InvalidInput("the values are too large to be scored")
    return _detailed(active, values, score) if detail else Verdict(score, status(score, model.threshold))


def _not_judged(active: Active) -> DetailedVerdict:
    model = active.model
    return DetailedVerdict(None, "unknown", model.threshold, None, [], model.kind, active.version)


def _detailed(active: Active, values: list[float], score: float) -> DetailedVerdict:
    model = active.model
    shares = model.contributions(np.array([values]))
    return DetailedVerdict(
        score=score,
        status=status(score, model.threshold),
        threshold=model.threshold,
        severity=severity(score, model.threshold),
        contributions=[Contribution(s.name, float(c)) for s, c in zip(model.sensors, shares, strict=True)],
        model=model.kind,
        model_version=active.version,
    )


@router.post(
    "/",
    openapi_extra=json_body(Values, example={"values": [1.2, 0.9, 1.1]}),
    responses=answers({200: Verdict}, REFUSALS),
    response_class=Response,
)
async def score(request: Request, detail: bool = False) -> Response:  # noqa: ARG001 - what the document shows
    """Scores one row of sensor values. With `detail=true` the answer is a DetailedVerdict."""
    raise AssertionError("served by HotScoring")


@router.post(
    "/batch",
    openapi_extra=json_body(
        Rows,
        example={"rows": [[1.2, 0.9, 1.1], [9.0, 0.9, 1.1]]},
        also={
            "text/csv": "One row a line; a header and a timestamp column are recognised.",
            "application/x-npy": "An array of shape (rows, sensors) in NumPy's .npy format.",
        },
    ),
    responses=answers({200: BatchVerdict}, (NoModel, WrongDimension, TableInvalid, TooManyRows)),
    response_class=Response,
)
async def score_batch(request: Request) -> Response:  # noqa: ARG001 - what the document shows
    """Scores rows in the order of time, each from itself and the rows before it."""
    raise AssertionError("served by HotScoring")


def judge_batch(active: Active, body: bytes, media_type: str, max_rows: int) -> BatchVerdict:
    """Scores all rows of a body, or refuses it whole."""
    model = active.model
    rows = PARSERS[media_type](body, max_rows, model)  # (n, d) float64
    scores = model.scores(rows)  # (n,), NaN where a window is not full
    if model.ranges:
        scores[_unbelieved(model, rows)] = np.nan
    listed = scores.tolist()  # NaN is the one number that is not itself
    return BatchVerdict(
        scores=[None if score != score else score for score in listed],
        statuses=["unknown" if score != score else status(score, model.threshold) for score in listed],
    )


def _unbelieved(model: Model, rows: Array) -> NDArray[np.bool_]:
    """Returns which rows (n,) have a value outside its physical range in the window that they end."""
    ends = np.cumsum(model.outside(rows), dtype=np.int64)
    before = np.concatenate([np.zeros(model.window, dtype=np.int64), ends[: -model.window]])
    return np.asarray(ends != before[: len(ends)])


def _parse_json(body: bytes, max_rows: int, model: Model) -> Array:
    rows = decode(body, Rows).rows
    readings.check_count(len(rows), max_rows)
    width = model.n_sensors
    pack = struct.Struct(f"{width}d").pack  # five times faster than np.array on lists of floats
    try:
        return np.frombuffer(b"".join([pack(*row) for row in rows])).reshape(-1, width)
    except struct.error:
        number, row = next((i, row) for i, row in enumerate(rows, start=1) if len(row) != width)
        raise WrongDimension(f"row {number}: {len(row)} values came, the model takes {width}") from None


def _parse_csv(body: bytes, max_rows: int, model: Model) -> Array:
    incoming = readings.parse_csv(body, max_rows)
    rows = incoming.aligned(model.sensors)
    missing = np.argwhere(np.isnan(rows))
    if len(missing):
        row, sensor = missing[0]
        raise TableInvalid(f"{incoming.place(row)}there is no value for {quote(model.sensors[sensor].name)}")
    return rows


def _parse_npy(body: bytes, max_rows: int, model: Model) -> Array:
    try:
        rows = readers.read_npy(body, readers.Limits(max_rows=max_rows)).rows
    except readers.TableError as error:
        raise TableInvalid(str(error)) from None
    if rows.shape[1] != model.n_sensors:
        raise WrongDimension(f"the array has {rows.shape[1]} columns, the model takes {model.n_sensors}")
    return rows


PARSERS = {"application/json": _parse_json, "text/csv": _parse_csv, "application/x-npy": _parse_npy}

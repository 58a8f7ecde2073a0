"""Readings over HTTP: one or many, judged by their asset's own model against its own past."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request
from msgspec import UNSET, UnsetType
from servicekit.limits import allow_body
from servicekit.media import require
from servicekit.openapi import answers, json_body
from starlette.responses import Response

from anomaly.alerting import alarms
from anomaly.alerting.alarms import iso
from anomaly.ingestion import readings
from anomaly.ingestion.assets import NAME_PATTERN
from anomaly.ingestion.fates import Fate
from anomaly.ingestion.ingest import Taken
from anomaly.ingestion.judgement import Reason, Status
from anomaly.ingestion.readings import Incoming, Quality, Reading, ReadingRows
from anomaly.model import Kind
from anomaly.postprocess import Severity, severity
from anomaly.problems import (
    WRITING,
    ConflictingReading,
    NoModel,
    TableInvalid,
    TimestampOutOfRange,
    TooManyRows,
    UnknownAsset,
    UnknownSensor,
    WrongDimension,
)
from anomaly.schemas import Contribution
from anomaly.storage.ledger import Idempotency

router = APIRouter()

AssetName = Annotated[str, Path(pattern=NAME_PATTERN, description="Name of the machine, line or cell.")]
INLINE_BYTES = 16_384  # larger bodies are parsed beside the event loop
REFUSALS = (
    ConflictingReading,
    NoModel,
    TimestampOutOfRange,
    UnknownAsset,
    UnknownSensor,
    WrongDimension,
    *WRITING,
)


class ReadingVerdict(msgspec.Struct):
    """The score and what it means; a reading that cannot be judged has no score and a reason."""

    score: float | None
    status: Status
    reason: Reason | UnsetType = UNSET


class DetailedReadingVerdict(msgspec.Struct):
    """The score, what it was held against, which sensors made it, and what became of the reading and the alarm."""

    score: float | None
    status: Status
    reason: Reason | None
    threshold: float
    severity: Severity | None
    contributions: list[Contribution]
    model: Kind
    model_version: int
    asset: str
    timestamp: str
    fate: Fate
    quality: Quality
    alarm: dict[str, Any]


class BatchReadingVerdict(msgspec.Struct):
    """Scores, statuses, reasons and fates, each in the order of the rows that came."""

    scores: list[float | None]
    statuses: list[Status]
    reasons: list[Reason | None]
    fates: list[Fate]


def brief(taken: Taken) -> ReadingVerdict:
    judgement = taken.judgements[0]
    return ReadingVerdict(judgement.score, judgement.status, judgement.reason or UNSET)


def detailed(taken: Taken) -> DetailedReadingVerdict:
    judgement = taken.judgements[0]
    score = judgement.score
    explanation = judgement.explain()
    return DetailedReadingVerdict(
        score=score,
        status=judgement.status,
        reason=judgement.reason,
        threshold=judgement.threshold,
        severity=None if score is None else severity(score, judgement.threshold),
        contributions=[Contribution(**share) for share in explanation.shares],
        model=explanation.kind,
        model_version=judgement.version,
        asset=taken.asset,
        timestamp=iso(judgement.at_ms),
        fate=judgement.fate,
        quality=judgement.quality,
        alarm=alarms.view(taken.alarm),
    )


def listed(taken: Taken) -> BatchReadingVerdict:
    judgements = taken.judgements
    return BatchReadingVerdict(
        scores=[judgement.score for judgement in judgements],
        statuses=[judgement.status for judgement in judgements],
        reasons=[judgement.reason for judgement in judgements],
        fates=[judgement.fate for judgement in judgements],
    )


@router.post(
    "/assets/{asset}",
    openapi_extra=json_body(Reading, example={"values": [1.2, 0.9, 1.1], "timestamp": "2026-01-31T12:00:00Z"}),
    responses=answers({200: ReadingVerdict}, REFUSALS),
    response_class=Response,
)
async def post_reading(request: Request, asset: AssetName, detail: bool = False) -> Response:
    """Judges one reading and keeps it. With `detail=true` the answer is a DetailedReadingVerdict."""
    require(request, "application/json")
    body = await request.body()
    return await _take(request, asset, body, readings.parse_one(body), detailed if detail else brief)


@router.post(
    "/assets/{asset}/batch",
    openapi_extra=json_body(
        ReadingRows,
        example={"rows": [[1.2, 0.9, 1.1]], "timestamps": ["2026-01-31T12:00:00Z"]},
        also={"text/csv": "One reading a line under a header of sensor names, with optional timestamp and quality."},
    ),
    responses=answers({200: BatchReadingVerdict}, (*REFUSALS, TableInvalid, TooManyRows)),
    response_class=Response,
)
async def post_batch(request: Request, asset: AssetName) -> Response:
    """Judges many readings in the order of their times and keeps all of them, or none."""
    services = request.app.state.services
    media_type = require(request, "application/json", "text/csv")
    parse = readings.parse_csv if media_type == "text/csv" else readings.parse_rows
    allow_body(request, services.settings.max_batch_bytes)
    body = await request.body()
    max_rows = services.settings.max_rows
    if len(body) <= INLINE_BYTES:
        return await _take(request, asset, body, parse(body, max_rows), listed)
    return await _take(request, asset, body, await services.pool.run(parse, body, max_rows), listed)


async def _take(
    request: Request, asset: str, body: bytes, incoming: Incoming, answer: Callable[[Taken], object]
) -> Response:
    services = request.app.state.services
    operation = services.ingest.operation(asset, incoming, answer)
    reply = await services.ledger.write(operation, assets=(asset,), idempotency=Idempotency.of(request, body))
    response: Response = reply.response()
    return response

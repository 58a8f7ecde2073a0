"""The aggregate: all services checked side by side, each within 500 ms, 1 s in all, kept for 2 s."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import httpx2
import msgspec
from servicekit.responses import json_response
from starlette.requests import Request
from starlette.responses import Response

CHECK_TIMEOUT_S = 0.5
TOTAL_TIMEOUT_S = 1.0
KEEP_S = 2.0

Status = Literal["healthy", "degraded", "unhealthy"]


class Check(msgspec.Struct, omit_defaults=True):
    """What one service answered, and how fast; `reason` where it is not healthy."""

    status: Status
    latency_ms: float | None
    checked_at: str
    model: str | None = None
    version: str | None = None
    reason: str | None = None


class Overall(msgspec.Struct):
    """Unhealthy while a required service is, degraded while any service is not healthy."""

    status: Status
    services: dict[str, Check]


class _Told(msgspec.Struct):
    """What is read of a service's own `/health`, strictly enough that no error page passes for it."""

    status: Status
    reasons: list[str] = []
    model: str | None = None
    version: str | None = None


class Aggregate:
    """Asks each service's `/health` through its HTTP client; concurrent callers share one round (single flight)."""

    def __init__(self, clients: Mapping[str, httpx2.AsyncClient], required: Sequence[str]) -> None:
        self.clients = clients
        self.required = required
        self._round: asyncio.Task[Overall] | None = None
        self._expires = 0.0

    async def check(self) -> Overall:
        """Returns what is at most 2 s old."""
        if self._round is None or (self._round.done() and time.monotonic() >= self._expires):
            self._round = asyncio.create_task(self._check_all())
        return await asyncio.shield(self._round)  # one caller that goes away does not end it for the others

    async def _check_all(self) -> Overall:
        checks = {name: asyncio.create_task(_check(client)) for name, client in self.clients.items()}
        if checks:
            await asyncio.wait(checks.values(), timeout=TOTAL_TIMEOUT_S)
        services = {name: _outcome(check) for name, check in checks.items()}
        self._expires = time.monotonic() + KEEP_S
        return Overall(self._overall(services), services)

    def _overall(self, services: Mapping[str, Check]) -> Status:
        if any(services[name].status == "unhealthy" for name in self.required):
            return "unhealthy"
        return "healthy" if all(check.status == "healthy" for check in services.values()) else "degraded"

    async def endpoint(self, _request: Request, strict: bool = False) -> Response:
        """Tells of all services: 200 when healthy or degraded, 503 when a required one is down.

        With `strict=1` it is 503 when degraded, too.
        """
        overall = await self.check()
        failed = overall.status == "unhealthy" or (strict and overall.status == "degraded")
        return json_response(overall, 503 if failed else 200)


async def _check(client: httpx2.AsyncClient) -> Check:
    started = time.perf_counter()
    checked_at = _now()
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            response = await client.get("/health")
        told = msgspec.json.decode(response.content, type=_Told)
    except TimeoutError:
        told = _Told("unhealthy", [f"no answer within {CHECK_TIMEOUT_S} s"])
    except (httpx2.HTTPError, msgspec.MsgspecError) as error:
        told = _Told("unhealthy", [f"no usable answer: {type(error).__name__}"])
    latency_ms = round(1000 * (time.perf_counter() - started), 3)
    reason = "; ".join(told.reasons) or None
    return Check(told.status, latency_ms, checked_at, told.model, told.version, reason)


def _outcome(check: asyncio.Task[Check]) -> Check:
    if check.done() and not check.cancelled() and check.exception() is None:
        return check.result()
    check.cancel()
    return Check("unhealthy", None, _now(), reason="the check did not end")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

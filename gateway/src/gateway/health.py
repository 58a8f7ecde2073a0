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

from gateway.kept import Kept

CHECK_TIMEOUT_S = 0.5
TOTAL_TIMEOUT_S = 1.0
KEEP_S = 2.0

Status = Literal["healthy", "degraded", "unhealthy"]


class Check(msgspec.Struct, omit_defaults=True):
    """What one service answered, and how fast; `reason` where it is not healthy.

    `addresses` tells of each one where a service has several.
    """

    status: Status
    latency_ms: float | None
    checked_at: str
    model: str | None = None
    version: str | None = None
    reason: str | None = None
    addresses: "dict[str, Check] | None" = None


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
    """Asks the `/health` of each address of each service; concurrent callers share one round."""

    def __init__(self, clients: Mapping[str, Mapping[str, httpx2.AsyncClient]], required: Sequence[str]) -> None:
        self.clients = clients
        self.required = required
        self.kept = Kept(self._check_all, KEEP_S)

    async def check(self) -> Overall:
        """Returns what is at most 2 s old."""
        return await self.kept.get()

    async def _check_all(self) -> Overall:
        checks = {
            name: {address: asyncio.create_task(_check(client)) for address, client in addresses.items()}
            for name, addresses in self.clients.items()
        }
        everything = [check for of_service in checks.values() for check in of_service.values()]
        if everything:
            await asyncio.wait(everything, timeout=TOTAL_TIMEOUT_S)
        services = {
            name: _joined({address: _outcome(check) for address, check in of_service.items()})
            for name, of_service in checks.items()
        }
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


def _joined(checks: dict[str, Check]) -> Check:
    """Returns what holds for a service out of what its addresses said: it is up while one of them is."""
    statuses = {check.status for check in checks.values()}
    up = [check for check in checks.values() if check.status != "unhealthy"]
    best = next((check for check in up if check.status == "healthy"), next(iter(up or checks.values())))
    if len(checks) == 1:
        return best
    status: Status = best.status if len(statuses) == 1 else "degraded"
    reasons = [f"{address}: {check.reason}" for address, check in checks.items() if check.reason]
    return msgspec.structs.replace(best, status=status, reason="; ".join(reasons) or None, addresses=checks)


def _outcome(check: asyncio.Task[Check]) -> Check:
    if check.done() and not check.cancelled() and check.exception() is None:
        return check.result()
    check.cancel()
    return Check("unhealthy", None, _now(), reason="the check did not end")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

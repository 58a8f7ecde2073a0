"""Health that cannot be falsely green: ready only after a real inference, and only while inferences succeed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from servicekit.drain import Drain
from servicekit.problems import NotReady, Problem
from servicekit.responses import json_response

RETRY = {"Retry-After": "1"}


class Alive(msgspec.Struct):
    """The event loop turns."""

    status: Literal["alive"] = "alive"


class Ready(msgspec.Struct):
    """Requests should be sent here."""

    status: Literal["ready"] = "ready"


class Summary(msgspec.Struct):
    """The status, why it is not healthy, and the service's own members: model, version, limits and more."""

    status: Literal["healthy", "degraded", "unhealthy"]
    reasons: list[str]
    uptime_s: float
    started_at: str


class Health:
    """`probe` makes one real inference and raises a Problem where it cannot; `details` tells the rest of `/health`.

    `details` returns the members that the service adds; its `degraded` (a list of reasons) is what makes the status
    `degraded`.
    """

    def __init__(
        self,
        drain: Drain,
        probe: Callable[[], None],
        details: Callable[[], dict[str, Any]],
        *,
        interval_s: float = 1.0,
    ) -> None:
        self.drain = drain
        self.probe = probe
        self.details = details
        self.interval_s = interval_s
        self.started_at = datetime.now(UTC)
        self.started = time.monotonic()
        self.probed = -interval_s
        self.failure: Problem | None = None

    def check(self) -> Problem | None:
        """Returns why the service is not ready, or None; infers again when the last time was `interval_s` ago."""
        if self.drain.started.is_set():
            return NotReady("the service is draining: it is about to stop")
        now = time.monotonic()
        if now - self.probed >= self.interval_s:
            self.probed = now
            self.failure = NotReady("the last inference failed")  # stays where the probe dies of something unforeseen
            try:
                self.probe()
                self.failure = None
            except Problem as problem:
                self.failure = problem
        return self.failure

    def fail(self, reason: str) -> None:
        """Makes the service unhealthy for good: it could not start, so that there is nothing to ask."""

        def probe() -> None:
            raise NotReady(reason)

        self.probe, self.details = probe, dict

    async def live(self, _request: Request) -> Response:
        """Answers while the event loop turns."""
        return json_response(Alive())

    async def ready(self, _request: Request) -> Response:
        """Answers 200 while requests should be sent here, else 503: an inference made a moment ago decides."""
        failure = self.check()
        if failure:
            raise NotReady(failure.detail, headers=RETRY)
        return json_response(Ready())

    async def summary(self, _request: Request) -> Response:
        """Tells the status (`healthy`, `degraded`, `unhealthy`), the reasons, the model, and the limits."""
        failure = self.check()
        details = self.details()
        degraded = details.pop("degraded", [])
        reasons = [failure.detail] if failure else degraded
        summary = Summary(
            status="unhealthy" if failure else "degraded" if reasons else "healthy",
            reasons=reasons,
            uptime_s=round(time.monotonic() - self.started, 3),
            started_at=self.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
        return json_response({**msgspec.structs.asdict(summary), **details}, 503 if failure else 200)

"""Server-sent events of one asset: each stored reading and each change of an alert, read from the database when woken.

A slow client costs no memory: nothing is queued for it, it is told where it left off.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
import sqlalchemy as sa
from servicekit.database.store import Store
from servicekit.drain import Drain
from servicekit.problems import Problem
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from anomaly.alerting import alerts
from anomaly.ingestion import history
from anomaly.ingestion.hub import Hub, Listener
from anomaly.storage.schema import assets

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold events back
RETRY = b"retry: 2000\n\n"
PING = b": ping\n\n"
PING_S = 15.0
POLL_S = 2.0  # what another replica, or an operator, changed is seen this late


@dataclass(slots=True)
class Position:
    """How far a stream has come: the last reading's id, and the alerts already told at the last moment of change."""

    asset_id: int
    asset: str
    after_id: int
    alerts_ms: int
    told: set[bytes] = field(default_factory=set)

    def advance(self, connection: sa.Connection, now_ms: int) -> Sequence[bytes] | None:
        """Returns the events since then, or None where the asset is gone."""
        query = sa.select(assets.c.id).where(assets.c.id == self.asset_id, assets.c.name == self.asset)
        if connection.scalar(query) is None:
            return None
        return [*self._readings(connection), *self._alerts(connection, now_ms)]

    def _readings(self, connection: sa.Connection) -> list[bytes]:
        rows = history.since(connection, self.asset_id, self.after_id)
        if rows:
            self.after_id = rows[-1].id
        return [event("reading", history.shown(row), row.id) for row in rows]

    def _alerts(self, connection: sa.Connection, now_ms: int) -> list[bytes]:
        events = []
        for alert_id in history.alerts_since(connection, self.asset_id, self.alerts_ms):
            row = alerts.find(connection, alert_id)
            if row is None:
                continue
            if row.updated_ms > self.alerts_ms:
                self.alerts_ms = row.updated_ms
                self.told.clear()
            told = event("alert", alerts.shown(row, now_ms))
            if told not in self.told:
                self.told.add(told)
                events.append(told)
        return events


def event(name: str, value: object, reading_id: int | None = None) -> bytes:
    place = b"" if reading_id is None else b"id: %d\n" % reading_id
    return b"%sevent: %s\ndata: %s\n\n" % (place, name.encode(), msgspec.json.encode(value))


def begin(connection: sa.Connection, asset_id: int, asset: str, last_id: int | None, now_ms: int) -> Position:
    """Returns where a stream begins: behind the last event that the client saw, else at what comes next."""
    if last_id is None:
        return Position(asset_id, asset, history.newest_id(connection, asset_id), now_ms)
    seen_ms = history.received_ms(connection, asset_id, last_id)
    return Position(asset_id, asset, last_id, now_ms if seen_ms is None else seen_ms)


class EventStream(StreamingResponse):
    """The answer of `GET …/stream`; it ends when the process drains, the asset goes, or the database is away."""

    def __init__(self, store: Store, hub: Hub, drain: Drain, clock: Callable[[], int], position: Position) -> None:
        self.store = store
        self.hub = hub
        self.drain = drain
        self.clock = clock
        self.position = position
        super().__init__(self._nothing(), media_type=MEDIA_TYPE, headers=HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.hub.listening(self.position.asset) as listener:
            draining = asyncio.create_task(self._wake_on_drain(listener))
            try:
                self.body_iterator = self._events(listener)
                await super().__call__(scope, receive, send)
            finally:
                draining.cancel()

    async def _nothing(self) -> AsyncIterator[bytes]:
        return
        yield b""

    async def _wake_on_drain(self, listener: Listener) -> None:
        await self.drain.started.wait()
        listener.wake()

    async def _events(self, listener: Listener) -> AsyncIterator[bytes]:
        yield RETRY
        said = time.monotonic()
        with suppress(Problem):  # the client comes back, and is then told why
            while not self.drain.started.is_set():
                found = await self.store.read(lambda connection: self.position.advance(connection, self.clock()))
                if found is None:
                    return
                if found or time.monotonic() - said >= PING_S:
                    yield b"".join(found) or PING
                    said = time.monotonic()
                if len(found) < history.STREAM_CHUNK_ROWS:
                    await listener.wait(POLL_S)

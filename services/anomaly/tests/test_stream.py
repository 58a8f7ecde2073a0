import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.alerting import alerts
from anomaly.alerting.alarms import Transition
from anomaly.ingestion import assets, stream
from anomaly.ingestion.hub import Hub
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger, Reply
from servicekit.database.store import Store
from servicekit.drain import Drain
from servicekit.problems import Overloaded

NOW = 1_767_225_600_000


class Line:
    """An asset, its hub, and streams of it that are driven by hand."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self.store = store
        self.ledger = ledger
        self.hub = Hub(max_streams=2)
        self.drain = Drain()
        self.at_ms = NOW
        ledger.write_blocking(lambda c: Reply(201 if assets.create(c, "press", None, NOW, 10) else 200))
        self.asset_id: int = store.read_blocking(lambda c: assets.asset_row(c, "press").id)

    async def write(self, fn: Callable[[sa.Connection], object]) -> None:
        def operation(connection: sa.Connection) -> Reply:
            fn(connection)
            return Reply(204, after=lambda: self.hub.publish("press"))

        await self.ledger.write(operation)

    async def put(self, count: int = 1) -> None:
        common = {"received_ms": NOW, "quality": "good", "status": "normal", "fate": "live", "version": 1, "score": 0.5}
        self.at_ms += count
        rows = [
            {"asset_id": self.asset_id, "at_ms": self.at_ms - count + i, "values": np.ones(1).tobytes(), **common}
            for i in range(count)
        ]
        await self.write(lambda connection: connection.execute(sa.insert(schema.readings), rows))

    async def raise_alert(self, event: Any) -> None:
        def apply(connection: sa.Connection) -> None:
            row = assets.asset_row(connection, "press")
            transition = Transition("anomaly", event, NOW, NOW, 1)
            alerts.apply(connection, row, transition, alerts.Evidence(2.0, 1.0, 1), self.ledger.clock(), ())

        await self.write(apply)

    def stream(self, last_id: int | None = None) -> "Client":
        position = self.store.read_blocking(lambda c: stream.begin(c, self.asset_id, "press", last_id, NOW))
        return Client(stream.EventStream(self.store, self.hub, self.drain, self.ledger.clock, position))


class Client:
    """Reads a stream as slowly as a test wants."""

    def __init__(self, response: stream.EventStream) -> None:
        self.response = response
        self.chunks: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)
        self.status: int | None = None
        self.headers: dict[bytes, bytes] = {}
        self.started = asyncio.Event()
        self.left = asyncio.Event()

    async def run(self) -> None:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "asgi": {"spec_version": "2.3"}}
        await self.response(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, str]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
            self.started.set()
        elif message["body"]:
            await self.chunks.put(message["body"])

    async def events(self, count: int) -> list[tuple[str | None, str, Any]]:
        found: list[tuple[str | None, str, Any]] = []
        while len(found) < count:
            chunk = await asyncio.wait_for(self.chunks.get(), 10)
            for block in chunk.decode().strip().split("\n\n"):
                lines = dict(line.partition(": ")[::2] for line in block.split("\n"))
                if "event" in lines:
                    found.append((lines.get("id"), lines["event"], json.loads(lines["data"])))
        return found


@pytest.fixture
def line(store: Store, ledger: Ledger) -> Line:
    return Line(store, ledger)


def play(line: Line, scenario: Callable[[Client], Awaitable[None]], last_id: int | None = None) -> Client:
    async def run() -> Client:
        client = line.stream(last_id)
        task = asyncio.create_task(client.run())
        await client.started.wait()
        try:
            await scenario(client)
        finally:
            client.left.set()
            await asyncio.wait_for(task, 10)
        return client

    return asyncio.run(run())


def test_a_stored_reading_is_told_at_once(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "POLL_S", 60.0)

    async def scenario(client: Client) -> None:
        await asyncio.sleep(0.1)
        await line.put()
        ((reading_id, name, data),) = await client.events(1)
        assert (name, data["score"], data["values"]) == ("reading", 0.5, [1.0])
        assert int(reading_id or 0) > 0

    client = play(line, scenario)
    assert client.headers[b"content-type"].startswith(b"text/event-stream")
    assert client.headers[b"cache-control"] == b"no-store"
    assert line.hub.streams == 0


def test_goes_on_behind_the_last_event_seen(line: Line) -> None:
    async def first(client: Client) -> None:
        await line.put(450)
        seen = await client.events(450)
        ids.extend(int(reading_id or 0) for reading_id, _, _ in seen)

    async def second(client: Client) -> None:
        assert [int(reading_id or 0) for reading_id, _, _ in await client.events(440)] == ids[10:]

    ids: list[int] = []
    play(line, first)
    assert ids == sorted(ids)
    play(line, second, last_id=ids[9])


def test_a_slow_client_misses_nothing_and_nothing_is_kept_for_it(line: Line) -> None:
    async def scenario(client: Client) -> None:
        for _ in range(10):
            await line.put(100)
        assert client.chunks.qsize() <= 1
        assert len(await client.events(1000)) == 1000

    play(line, scenario)


def test_changes_of_an_alert_are_told_once_each(line: Line) -> None:
    async def scenario(client: Client) -> None:
        await asyncio.sleep(0.1)
        for event in ("opened", "updated", "cleared"):
            await line.raise_alert(event)
            ((_, name, data),) = await client.events(1)
            assert name == "alert"
            assert data["state"] == ("cleared" if event == "cleared" else "active")
        await line.put()
        assert [name for _, name, _ in await client.events(1)] == ["reading"]

    play(line, scenario)


def test_silence_is_broken_by_a_comment(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PING_S", 0.2)
    monkeypatch.setattr(stream, "POLL_S", 0.1)

    async def scenario(client: Client) -> None:
        assert await asyncio.wait_for(client.chunks.get(), 10) == b"retry: 2000\n\n"
        assert await asyncio.wait_for(client.chunks.get(), 10) == b": ping\n\n"

    play(line, scenario)


def test_ends_when_the_process_drains(line: Line) -> None:
    async def scenario() -> None:
        line.drain = Drain()
        client = line.stream()
        task = asyncio.create_task(client.run())
        await asyncio.wait_for(client.chunks.get(), 10)
        line.drain.start()
        await asyncio.wait_for(task, 5)

    asyncio.run(scenario())
    assert line.hub.streams == 0


def test_ends_when_the_asset_is_deleted(line: Line) -> None:
    async def scenario() -> None:
        client = line.stream()
        task = asyncio.create_task(client.run())
        await asyncio.wait_for(client.chunks.get(), 10)
        await line.write(lambda c: assets.delete(c, "press", NOW, ()))
        await asyncio.wait_for(task, 5)

    asyncio.run(scenario())


def test_too_many_streams_are_refused_before_anything_is_sent(line: Line) -> None:
    async def scenario() -> None:
        tasks = [asyncio.create_task(line.stream().run()) for _ in range(2)]
        await asyncio.sleep(0.1)
        late = line.stream()
        with pytest.raises(Overloaded):
            await late.run()
        assert late.status is None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(scenario())
    assert line.hub.streams == 0

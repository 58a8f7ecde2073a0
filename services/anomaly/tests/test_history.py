import asyncio
import csv
import io
from collections.abc import Callable

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.ingestion import assets, history
from anomaly.ingestion.history import Selection
from anomaly.lifecycle import versions
from anomaly.model import Model, Sensor
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger, Reply
from servicekit.database.store import Store

NOW = 1_767_225_600_000
Put = Callable[[list[dict[str, object]]], int]


@pytest.fixture
def put(ledger: Ledger, make_model: Callable[..., Model]) -> Put:
    """Makes the asset `press` with two versions of different sensors, stores rows and returns the asset's id."""
    ids: list[int] = []

    def prepare(connection: sa.Connection) -> Reply:
        assets.create(connection, "press", None, NOW, 10)
        old = make_model(sensors=(Sensor("a", "", None, None), Sensor("=cmd", "", None, None)))
        new = make_model(sensors=(Sensor("a", "", None, None), Sensor("c", "", None, None)))
        for model in (old, new):
            versions.add_version(connection, "press", model.dump(), "uploaded", None, NOW)
        ids.append(assets.asset_row(connection, "press").id)
        return Reply(204)

    ledger.write_blocking(prepare)

    def run(rows: list[dict[str, object]]) -> int:
        common = {"asset_id": ids[0], "received_ms": NOW, "quality": "good", "fate": "live", "threshold": 1.0}

        def operation(connection: sa.Connection) -> Reply:
            for i, row in enumerate(rows):
                filled = {"at_ms": NOW + i, "score": 0.5, "status": "normal", "version": 1, "values": [1.0, 2.0], **row}
                values = np.array(filled.pop("values"), "<f8").tobytes()
                connection.execute(sa.insert(schema.readings).values(**common, **filled, values=values))
            return Reply(204)

        ledger.write_blocking(operation)
        return ids[0]

    return run


def page(store: Store, selection: Selection, before_ms: int | None = None, limit: int = 100) -> list[int]:
    rows = store.read_blocking(lambda c: history.page(c, selection, before_ms, limit))
    return [row.at_ms - NOW for row in rows]


def test_pages_are_newest_first_and_go_on(store: Store, put: Put) -> None:
    asset_id = put([{} for _ in range(5)])
    assert page(store, Selection(asset_id), limit=2) == [4, 3]
    assert page(store, Selection(asset_id), before_ms=NOW + 3) == [2, 1, 0]


def test_selects_by_time_and_status(store: Store, put: Put) -> None:
    asset_id = put([{"status": "anomaly" if i % 2 else "normal"} for i in range(6)])
    assert page(store, Selection(asset_id, NOW + 1, NOW + 4)) == [4, 3, 2, 1]
    assert page(store, Selection(asset_id, status="anomaly")) == [5, 3, 1]
    assert page(store, Selection(asset_id + 1)) == []


def test_shows_a_reading_with_null_for_null(store: Store, put: Put) -> None:
    asset_id = put([{"values": [np.nan, 2.5], "score": None, "status": "unknown", "reason": "null_values"}])
    shown = history.shown(store.read_blocking(lambda c: history.page(c, Selection(asset_id), None, 1))[0])
    assert shown.values == [None, 2.5]
    assert (shown.timestamp, shown.score, shown.reason) == ("2026-01-01T00:00:00.000Z", None, "null_values")


def export(store: Store, selection: Selection, limit: int | None = None) -> list[list[str]]:
    async def collect() -> bytes:
        return b"".join([chunk async for chunk in history.csv_lines(store, selection, limit)])

    return list(csv.reader(io.StringIO(asyncio.run(collect()).decode(), newline="")))


def test_exports_oldest_first_in_chunks(store: Store, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "CSV_CHUNK_ROWS", 2)
    asset_id = put([{} for _ in range(5)])
    milliseconds = [row[0][-4:-1] for row in export(store, Selection(asset_id))[1:]]
    assert milliseconds == ["000", "001", "002", "003", "004"]
    assert len(export(store, Selection(asset_id), 3)) == 4
    assert len(export(store, Selection(asset_id), 2)) == 3


def test_exports_every_version_under_the_names_of_its_own_sensors(store: Store, put: Put) -> None:
    rows: list[dict[str, object]] = [{"version": 1}, {"version": 2}, {"version": 2, "values": [np.nan, -1.5]}]
    found = export(store, Selection(put(rows)))
    assert found[0] == [
        "timestamp", "received_at", "a", "c", "'=cmd",
        "score", "threshold", "status", "reason", "quality", "fate", "model_version",
    ]  # fmt: skip
    assert [row[2:5] for row in found[1:]] == [["1.0", "", "2.0"], ["1.0", "2.0", ""], ["", "-1.5", ""]]
    assert found[1][5:] == ["0.5", "1.0", "normal", "", "good", "live", "1"]


def test_streams_go_on_after_an_id(store: Store, put: Put) -> None:
    asset_id = put([{} for _ in range(3)])
    newest = store.read_blocking(lambda c: history.newest_id(c, asset_id))
    assert [row.id for row in store.read_blocking(lambda c: history.since(c, asset_id, newest - 2))] == [
        newest - 1,
        newest,
    ]
    assert store.read_blocking(lambda c: history.newest_id(c, asset_id + 1)) == 0


def test_a_stream_finds_its_place_by_an_index(store: Store, put: Put) -> None:
    put([{}])
    query = history.since_query(1, 0).compile(store.engine, compile_kwargs={"literal_binds": True})
    if store.is_sqlite:
        plan = store.read_blocking(lambda c: str(list(c.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}"))))
        assert "ix_readings_asset_id_id" in plan
        assert "TEMP" not in plan

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.ingestion import assets, retention
from anomaly.ingestion.retention import Retention
from anomaly.storage import schema
from anomaly.storage.ledger import Idempotency, Ledger, Reply
from servicekit.database.store import Store

NOW = 1_767_225_600_000
DAY = 86_400_000
ROW = {
    "received_ms": 1,
    "values": np.zeros(1).tobytes(),
    "quality": "good",
    "status": "normal",
    "fate": "live",
    "version": 1,
}


class Clock(Protocol):
    def advance(self, seconds: float) -> None: ...


def settings(**changes: Any) -> Any:
    return SimpleNamespace(
        **{"history_max_rows": 100, "history_max_age_days": 365.0, "idempotency_hours": 24.0, **changes}
    )


@pytest.fixture
def fill(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.setattr(retention, "CHUNK_ROWS", 10)

    def run(name: str, times: range) -> None:
        def operation(connection: sa.Connection) -> Reply:
            assets.create(connection, name, None, 1, 100)
            asset_id = assets.asset_row(connection, name).id
            rows = [{"asset_id": asset_id, "at_ms": at_ms, **ROW} for at_ms in times]
            connection.execute(sa.insert(schema.readings), rows)
            assets.change(connection, asset_id, newest_ms=times[-1])
            return Reply(204)

        ledger.write_blocking(operation)

    return run


def times(store: Store, name: str) -> list[int]:
    query = sa.select(schema.readings.c.at_ms).join(schema.assets).where(schema.assets.c.name == name)
    return store.read_blocking(lambda c: list(c.scalars(query.order_by(schema.readings.c.at_ms))))


def test_the_newest_rows_of_each_asset_are_kept(store: Store, ledger: Ledger, fill: Callable[..., None]) -> None:
    fill("press", range(NOW, NOW + 135))
    fill("saw", range(NOW, NOW + 50))
    keeper = Retention(store, ledger, settings())
    asyncio.run(keeper.sweep())
    assert times(store, "press") == list(range(NOW + 35, NOW + 135))
    assert len(times(store, "saw")) == 50
    fill("drill", range(NOW, NOW + 101))
    asyncio.run(keeper.sweep())
    assert len(times(store, "drill")) == 100


def test_rows_that_are_too_old_go_whatever_their_number(
    store: Store, ledger: Ledger, fill: Callable[..., None]
) -> None:
    fill("press", range(NOW - 9 * DAY, NOW, DAY))
    before = store.read_blocking(lambda c: assets.asset_row(c, "press"))
    asyncio.run(Retention(store, ledger, settings(history_max_age_days=3.0)).sweep())
    assert times(store, "press") == [NOW - 2 * DAY, NOW - DAY]
    after = store.read_blocking(lambda c: assets.asset_row(c, "press"))
    assert after.revision > before.revision
    assert after.newest_ms == before.newest_ms


def test_nothing_is_written_where_nothing_is_over(store: Store, ledger: Ledger, fill: Callable[..., None]) -> None:
    fill("press", range(NOW, NOW + 100))
    before = store.read_blocking(lambda c: assets.asset_row(c, "press").revision)
    asyncio.run(Retention(store, ledger, settings()).sweep())
    assert store.read_blocking(lambda c: assets.asset_row(c, "press").revision) == before


def delete(connection: sa.Connection) -> Reply:
    assets.delete(connection, "press", NOW, ())
    return Reply(204)


def test_what_a_deleted_asset_left_is_removed_in_small_pieces(
    store: Store, ledger: Ledger, fill: Callable[..., None]
) -> None:
    fill("press", range(NOW, NOW + 35))
    ledger.write_blocking(delete)
    fill("press", range(NOW, NOW + 3))
    asyncio.run(Retention(store, ledger, settings()).sweep())
    names = store.read_blocking(lambda c: list(c.scalars(sa.select(schema.assets.c.name))))
    assert names == ["press"]
    assert len(times(store, "press")) == 3


def test_idempotency_keys_are_forgotten_after_their_time(store: Store, ledger: Ledger, clock: Clock) -> None:
    for number in range(25):
        ledger.write_blocking(lambda _: Reply(200), idempotency=Idempotency("mes", f"k{number}", "f"))
    clock.advance(86_400)
    ledger.write_blocking(lambda _: Reply(200), idempotency=Idempotency("mes", "new", "f"))
    clock.advance(1)
    asyncio.run(Retention(store, ledger, settings()).sweep())
    assert store.read_blocking(lambda c: list(c.scalars(sa.select(schema.idempotency.c.key)))) == ["new"]

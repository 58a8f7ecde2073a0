"""The adapter on real databases: when a step is due, and what forbids it."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.learning.training import TrainingOptions, train
from anomaly.lifecycle import adaptation, versions
from anomaly.lifecycle.adapter import Adapter
from anomaly.lifecycle.registry import Registry
from anomaly.model import Model
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from servicekit.database.store import Store
from servicekit.threads import Pool

SETTINGS = {"adaptation": {"enabled": True, "max_shift": 0.5, "interval_rows": 100}}
START_MS = 1_000_000


class Press:
    """An asset whose machine has moved by 0.4 standard deviations since its training, and its adapter."""

    def __init__(self, store: Store, ledger: Ledger, pool: Pool, model: Model) -> None:
        self.store, self.ledger = store, ledger
        self.registry = Registry(store, ledger)
        self.adapter = Adapter(store, ledger, self.registry, pool)
        self.model = model
        self.write(self._make)

    def _make(self, connection: sa.Connection) -> None:
        asset = versions.ensure_asset(connection, "press", 1)
        self.asset_id = asset.id
        connection.execute(sa.update(schema.assets).where(schema.assets.c.id == asset.id).values(settings=SETTINGS))
        versions.add_version(connection, "press", self.model.dump(), "trained", None, 1)
        versions.activate(connection, "press", 1, "me", START_MS)

    def write(self, change: Callable[[sa.Connection], Any]) -> None:
        def operation(connection: sa.Connection) -> Reply:
            change(connection)
            return Reply(204)

        self.ledger.write_blocking(operation)

    def read_in(self, first: int, n: int, status: str = "normal") -> None:
        rows = np.random.default_rng(first).normal(0.4, 1.0, (n, 3))

        def insert(connection: sa.Connection) -> None:
            for i, row in enumerate(rows):
                at_ms = START_MS + 1 + first + i
                values = {"asset_id": self.asset_id, "at_ms": at_ms, "received_ms": at_ms, "values": row.tobytes()}
                judged = {"score": 0.5, "threshold": 1.0, "status": status, "version": 1}
                connection.execute(sa.insert(schema.readings).values(quality="good", fate="live", **values, **judged))

        self.write(insert)

    def alert(self, kind: str = "anomaly", cleared_ms: int | None = None) -> None:
        times = {"opened_ms": START_MS, "updated_ms": START_MS, "cleared_ms": cleared_ms}
        values = {"kind": kind, "state": "active", "severity": "minor", "count": 1, **times}
        self.write(lambda c: c.execute(sa.insert(schema.alerts).values(asset_id=self.asset_id, **values)))

    def look(self) -> list[str]:
        """Lets the adapter look once; returns the origins of all versions."""
        asyncio.run(self.adapter.look())
        return self.store.read_blocking(
            lambda c: list(c.scalars(sa.select(schema.versions.c.origin).order_by(schema.versions.c.number)))
        )

    def active_version(self) -> int:
        return self.store.read_blocking(lambda c: int(versions.find_asset(c, "press").active_version))


@pytest.fixture(scope="module")
def model() -> Model:
    rows = np.random.default_rng(0).normal(size=(1000, 3))
    return train(rows, TrainingOptions(kind="pca"), lambda _share, _message: None)


@pytest.fixture
def press(store: Store, ledger: Ledger, clock: Any, model: Model) -> Iterator[Press]:
    pool = Pool("test", 1)
    clock.now_ms = START_MS + 500
    yield Press(store, ledger, pool, model)
    pool.close()


def test_enough_normal_readings_make_an_active_version(press: Press) -> None:
    press.read_in(0, 99)
    assert press.look() == ["trained"]
    press.read_in(99, 1)
    assert press.look() == ["trained", "adapted"]
    assert press.active_version() == 2
    active = press.store.read_blocking(lambda c: press.registry.active(c, "press"))
    assert 0.02 < max(adaptation.anchor(active.model).shift) <= 0.5


def test_readings_are_used_once(press: Press) -> None:
    press.read_in(0, 150)
    assert press.look() == press.look() == ["trained", "adapted"]
    press.read_in(1000, 99)
    assert press.look() == ["trained", "adapted"]
    press.read_in(1099, 1)
    assert press.look() == ["trained", "adapted", "adapted"]


def test_an_asset_that_does_not_want_it_is_left_alone(press: Press) -> None:
    press.write(lambda c: c.execute(sa.update(schema.assets).values(settings={})))
    press.read_in(0, 200)
    assert press.look() == ["trained"]


@pytest.mark.parametrize("kind", ["anomaly", "input_drift", "score_drift"])
def test_nothing_is_adapted_while_an_alarm_or_a_drift_is_open(press: Press, kind: str) -> None:
    press.alert(kind)
    press.read_in(0, 200)
    assert press.look() == ["trained"]


def test_readings_from_before_the_end_of_an_alarm_are_not_used(press: Press) -> None:
    press.alert(cleared_ms=START_MS + 150)
    press.read_in(0, 200)
    assert press.look() == ["trained"]
    press.read_in(200, 60)
    assert press.look() == ["trained", "adapted"]


def test_readings_that_alarmed_do_not_count(press: Press) -> None:
    press.read_in(0, 200, status="anomaly")
    assert press.look() == ["trained"]


def test_a_step_is_rolled_back_and_not_made_again_from_the_same_readings(press: Press, clock: Any) -> None:
    press.read_in(0, 150)
    assert press.look() == ["trained", "adapted"]
    press.write(lambda c: versions.roll_back(c, "press", clock()))
    assert press.active_version() == 1
    assert press.look() == ["trained", "adapted"]


def test_an_alarm_that_opens_while_a_step_is_computed_forbids_it(press: Press) -> None:
    press.read_in(0, 150)
    stretch = press.store.read_blocking(lambda c: press.adapter._gather(c, "press"))
    assert stretch is not None
    press.alert()
    asyncio.run(press.adapter._adapt(stretch))
    assert press.active_version() == 1


def test_another_version_that_was_activated_meanwhile_stays_active(press: Press) -> None:
    press.read_in(0, 150)
    stretch = press.store.read_blocking(lambda c: press.adapter._gather(c, "press"))
    assert stretch is not None
    press.write(lambda c: versions.add_version(c, "press", press.model.dump(), "uploaded", None, 1))
    press.write(lambda c: versions.activate(c, "press", 2, "me", START_MS + 300))
    asyncio.run(press.adapter._adapt(stretch))
    assert press.active_version() == 2

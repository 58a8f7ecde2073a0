"""Reading what may be learnt from: which rows are sound, and which windows are whole."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.learning.training import TrainingOptions, train
from anomaly.lifecycle import recent, versions
from anomaly.lifecycle.recent import Recent
from anomaly.model import Model
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from servicekit.database.store import Store


@pytest.fixture(scope="module")
def model() -> Model:
    rows = np.random.default_rng(0).normal(size=(400, 2))
    return train(rows, TrainingOptions(kind="pca", window=3), lambda _share, _message: None)


Put = Callable[[Sequence[dict[str, object]]], None]
NORMAL = {"quality": "good", "score": 0.5, "status": "normal", "reason": None, "fate": "live", "version": 1}


@pytest.fixture
def put(ledger: Ledger, model: Model) -> Put:
    """Makes the asset `press` with one version, and stores readings a second apart."""

    def operation(connection: sa.Connection) -> Reply:
        versions.ensure_asset(connection, "press", 1)
        versions.add_version(connection, "press", model.dump(), "uploaded", None, 1)
        return Reply(204)

    ledger.write_blocking(operation)

    def run(rows: Sequence[dict[str, object]]) -> None:
        def insert(connection: sa.Connection) -> Reply:
            asset_id = versions.find_asset(connection, "press").id
            for i, row in enumerate(rows):
                values = np.array(row.get("values", (0.0, 0.0)), "<f8").tobytes()
                at_ms = 1000 * i
                place = {"asset_id": asset_id, "at_ms": at_ms, "received_ms": at_ms, "threshold": 1.0}
                connection.execute(sa.insert(schema.readings).values(**{**NORMAL, **place, **row, "values": values}))
            return Reply(204)

        ledger.write_blocking(insert)

    return run


def read(store: Store, model: Model, limit: int = 100, after_ms: int = -1) -> Recent:
    return store.read_blocking(
        lambda c: recent.read(c, versions.find_asset(c, "press"), model, limit, after_received_ms=after_ms)
    )


def test_readings_come_in_the_order_of_time(put: Put, store: Store, model: Model) -> None:
    put([{"values": (float(i), -float(i))} for i in range(5)])
    found = read(store, model)
    assert found.at_ms.tolist() == [0, 1000, 2000, 3000, 4000]
    assert found.rows[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert found.normal.all()
    assert found.sound.all()
    assert found.within(1000, 2000).tolist() == [False, True, True, False, False]


def test_the_newest_are_read_with_what_the_first_window_needs(put: Put, store: Store, model: Model) -> None:
    put([{} for _ in range(10)])
    assert len(read(store, model, limit=4).at_ms) == 4 + model.window - 1
    assert read(store, model, after_ms=7000).at_ms.tolist() == [8000, 9000]


def test_what_was_no_part_of_a_window_is_left_out(put: Put, store: Store, model: Model) -> None:
    unknown = {"status": "unknown", "score": None}
    put([{}, {**unknown, "reason": "bad_quality"}, {"fate": "late"}, {**unknown, "reason": "warming_up"}, {}])
    found = read(store, model)
    assert found.at_ms.tolist() == [0, 3000, 4000]
    assert found.normal.tolist() == [True, False, True]


def test_uncertain_and_null_readings_are_not_sound(put: Put, store: Store, model: Model) -> None:
    put([{}, {"quality": "uncertain"}, {"values": (float("nan"), 1.0)}])
    found = read(store, model)
    assert found.sound.tolist() == [True, False, False]
    assert np.isfinite(found.rows).all()


def test_readings_of_other_sensors_are_left_out(put: Put, store: Store, model: Model) -> None:
    put([{"values": (1.0, 2.0, 3.0)}, {}])
    assert read(store, model).at_ms.tolist() == [1000]


def test_only_windows_of_usable_readings_are_scored(put: Put, store: Store, model: Model) -> None:
    put([{"values": (0.1 * i, 0.0)} for i in range(8)])
    found = read(store, model)
    usable = np.array([True, True, True, True, False, True, True, True])
    expected = model.scores(found.rows)[[2, 3, 7]]
    assert found.rescored(model, usable).tolist() == expected.tolist()


def test_no_window_spans_a_gap(put: Put, store: Store, model: Model, ledger: Ledger) -> None:
    put([{"at_ms": at_ms} for at_ms in (0, 1000, 2000, 60_000, 61_000, 62_000, 63_000)])

    def set_gap(connection: sa.Connection) -> Reply:
        connection.execute(sa.update(schema.assets).values(settings={"quality": {"max_gap_s": 5}}))
        return Reply(204)

    ledger.write_blocking(set_gap)
    assert read(store, model).whole.tolist() == [False, True, True, False, False, True, True]


@pytest.mark.usefixtures("put")
def test_an_asset_without_readings_gives_nothing(store: Store, model: Model) -> None:
    found = read(store, model)
    assert len(found.at_ms) == 0
    assert len(found.rescored(model, found.normal)) == 0

from collections.abc import Callable

import numpy as np
import sqlalchemy as sa
from anomaly.ingestion import windows
from anomaly.ingestion.windows import Tail
from anomaly.lifecycle import versions
from anomaly.model import Model, Sensor
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger, Reply
from servicekit.database.store import Store

MakeModel = Callable[..., Model]


def rows(*values: float) -> np.ndarray:
    return np.array([[value, 0.0] for value in values])


def test_a_window_of_one_needs_no_tail(make_model: MakeModel) -> None:
    model = make_model()
    scored = windows.score(model, windows.empty(model), rows(3, 4), [1, 2], None)
    assert scored.scores.tolist() == [3, 4]
    assert len(scored.tail.rows) == 0
    assert scored.window(1, 1).tolist() == [[4, 0]]


def test_a_window_fills_before_it_scores(make_model: MakeModel) -> None:
    model = make_model(window=3)
    scored = windows.score(model, windows.empty(model), rows(3, 3, 6, 9), [1, 2, 3, 4], None)
    assert np.isnan(scored.scores[:2]).all()
    assert scored.scores[2:].tolist() == [4, 6]
    assert scored.tail.rows[:, 0].tolist() == [6, 9]
    assert scored.tail.newest_ms == 4


def test_one_by_one_is_the_same_as_all_at_once(make_model: MakeModel) -> None:
    model = make_model(window=5)
    values = np.random.default_rng(1).normal(size=(40, 2))
    times = [1000 * i + (9000 if i > 20 else 0) for i in range(40)]
    together = windows.score(model, windows.empty(model), values, times, 5000.0)
    tail, single = windows.empty(model), []
    for i in range(40):
        scored = windows.score(model, tail, values[i : i + 1], times[i : i + 1], 5000.0)
        tail = scored.tail
        single.append(scored.scores[0])
    np.testing.assert_allclose(single, together.scores, rtol=1e-12)
    np.testing.assert_array_equal(tail.rows, together.tail.rows)
    assert np.isnan(together.scores[21:25]).all()  # the gap


def test_a_gap_before_the_first_row_begins_a_new_window(make_model: MakeModel) -> None:
    model = make_model(window=2)
    tail = Tail(rows(1), newest_ms=0)
    assert np.isnan(windows.score(model, tail, rows(1), [6000], 5000.0).scores[0])
    assert windows.score(model, tail, rows(1), [5000], 5000.0).scores[0] == 1


def test_nulls_count_as_the_mean_of_training(make_model: MakeModel) -> None:
    filled = windows.fill(make_model(), np.array([[np.nan, 2.0]]))
    assert filled.tolist() == [[0, 2]]


def test_the_tail_is_read_back_as_it_was(ledger: Ledger, store: Store, make_model: MakeModel) -> None:
    model = make_model(window=4)
    other = make_model(window=4, sensors=(Sensor("x", "", None, None), Sensor("y", "", None, None)))

    def prepare(connection: sa.Connection) -> Reply:
        versions.ensure_asset(connection, "press", 1)
        for made in (model, other):
            versions.add_version(connection, "press", made.dump(), "uploaded", None, 1)
        asset_id = versions.find_asset(connection, "press").id
        common = {"asset_id": asset_id, "received_ms": 1, "quality": "good", "status": "normal"}
        kinds = [
            (1, "live", None, 2),  # of other sensors
            (2, "live", None, 1),
            (3, "live", "warming_up", 1),
            (4, "late", None, 1),
            (5, "live", "bad_quality", 1),
            (6, "live", None, 1),
        ]
        for at, fate, reason, version in kinds:
            row = {"at_ms": at * 1000, "fate": fate, "reason": reason, "version": version}
            connection.execute(sa.insert(schema.readings).values(**common, **row, values=rows(at)[0].tobytes()))
        return Reply(204)

    ledger.write_blocking(prepare)

    def load(max_gap_ms: float | None = None, before_ms: int | None = None) -> list[float]:
        def read(connection: sa.Connection) -> Tail:
            asset_id = versions.find_asset(connection, "press").id
            return windows.load(connection, asset_id, model, max_gap_ms, before_ms)

        values: list[float] = store.read_blocking(read).rows[:, 0].tolist()
        return values

    assert load() == [2, 3, 6]
    assert load(max_gap_ms=2000.0) == [6]
    assert load(before_ms=5500) == [2, 3, 4]
    assert load(before_ms=2000) == []

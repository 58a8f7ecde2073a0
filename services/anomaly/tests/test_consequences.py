from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.alerting.alarms import AlarmSettings, AlarmState
from anomaly.alerting.drift import DriftSettings, DriftState, Reference
from anomaly.ingestion import assets
from anomaly.ingestion.consequences import Condition, Judged, Pursuit, contributions
from anomaly.model import Model
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger, Reply
from servicekit.database.store import Store

NOW = 1_767_225_600_000
MakeModel = Callable[..., Model]


def judged(model: Model, scores: list[float]) -> list[Judged]:
    rows = [np.array([score, 0.0]) for score in scores]
    return [
        Judged(
            NOW + 1000 * i,
            float(row[0]),
            "anomaly" if row[0] > model.threshold else "normal",
            row,
            partial(np.reshape, row, (1, 2)),
        )
        for i, row in enumerate(rows)
    ]


@pytest.fixture
def follow(ledger: Ledger, store: Store, make_model: MakeModel) -> Callable[..., tuple[list[Any], bool]]:
    """Follows scores in pieces of a size, and returns the alert rows and whether anything was written."""
    model = make_model()

    def run(scores: list[float], size: int) -> tuple[list[Any], bool]:
        wrote: list[bool] = []

        def operation(connection: sa.Connection) -> Reply:
            assets.create(connection, "press", None, NOW, 10)
            row = assets.asset_row(connection, "press")
            condition = Condition(AlarmState(), DriftState())
            for start in range(0, len(scores), size):
                pursuit = Pursuit(connection, row, model, 1, Reference(1.0, 1.0), NOW, ("mail:ops",))
                piece = judged(model, scores)[start : start + size]
                condition = pursuit.follow(AlarmSettings(m=2, n=3), DriftSettings(), condition, piece)
                wrote.append(pursuit.wrote)
            return Reply(204)

        ledger.write_blocking(operation)
        kept = [column for column in schema.alerts.c if column.name not in ("id", "updated_ms")]
        query = sa.select(*kept).order_by(schema.alerts.c.id)
        found = store.read_blocking(lambda connection: [tuple(row) for row in connection.execute(query)])
        ledger.write_blocking(lambda c: Reply(c.execute(sa.delete(schema.alerts)).rowcount))
        return found, any(wrote)

    return run


def test_normal_readings_write_nothing(follow: Callable[..., tuple[list[Any], bool]]) -> None:
    assert follow([1.0, 9.0, 1.0, 1.0], 4) == ([], False)


@pytest.mark.parametrize(
    "scores",
    [
        [9.0, 9.0, 20.0, 9.0, 12.0],
        [9.0, 9.0, 20.0, 1.0, 9.0, 1.0, 9.0, 1.0, 1.0],
        [9.0, 9.0, 1.0, 1.0, 1.0, 30.0, 30.0, 31.0, 5.0, 1.0, 1.0, 1.0, 9.0],
    ],
)
def test_many_updates_written_as_two_leave_the_same_row(
    follow: Callable[..., tuple[list[Any], bool]], scores: list[float]
) -> None:
    one_by_one, together = follow(scores, 1), follow(scores, len(scores))
    assert together == one_by_one
    assert together[1]


def test_a_batch_of_anomalies_costs_a_few_writes(ledger: Ledger, store: Store, make_model: MakeModel) -> None:
    statements: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *event: statements.append(event[2]))

    def operation(connection: sa.Connection) -> Reply:
        assets.create(connection, "press", None, NOW, 10)
        row = SimpleNamespace(id=assets.asset_row(connection, "press").id, name="press")
        model = make_model()
        pursuit = Pursuit(connection, row, model, 1, Reference(1.0, 1.0), NOW, ())
        condition = Condition(AlarmState(), DriftState())
        pursuit.follow(AlarmSettings(), DriftSettings(enabled=False), condition, judged(model, [9.0] * 1000))
        return Reply(204)

    ledger.write_blocking(operation)
    assert len(statements) < 30
    count = store.read_blocking(lambda connection: connection.scalar(sa.select(schema.alerts.c.count)))
    assert count == 1000


def test_contributions_name_the_sensors(make_model: MakeModel) -> None:
    shares = contributions(make_model(), np.array([[3.0, 4.0]]))
    assert [(share["sensor"], round(share["contribution"], 2)) for share in shares] == [("a", 0.36), ("b", 0.64)]

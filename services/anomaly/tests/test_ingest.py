from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.ingestion import assets
from anomaly.ingestion.readings import Incoming
from anomaly.model import Model, Sensor
from anomaly.preprocess import Array
from anomaly.problems import (
    NoModel,
    UnknownAsset,
    UnknownSensor,
    WrongDimension,
)
from anomaly.storage import schema
from servicekit.problems import Problem

NOW = 1_767_225_600_000
NAN = np.nan

MakeModel = Callable[..., Model]


def batch(values: Sequence[Sequence[float]] | Array, times: Sequence[int] | None = None) -> Incoming:
    return Incoming(np.array(values, dtype=float), None, times, None, range(1, len(values) + 1))


def test_a_reading_is_judged_and_stored(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model())
    judged = plant.one(3.0, 4.0)
    assert (judged.score, judged.status, judged.fate, judged.version, judged.at_ms) == (5.0, "anomaly", "live", 1, NOW)
    assert judged.threshold == 3.0
    row = plant.rows()[0]
    assert (row.score, row.status, row.fate, row.received_ms) == (5.0, "anomaly", "live", NOW)
    assert np.frombuffer(row._mapping["values"], "<f8").tolist() == [3, 4]
    assert plant.asset().newest_ms == NOW
    assert plant.stored == ["press"]


def test_contributions_are_shares_of_the_score(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model())
    plant.one(3.0, 4.0)
    assert [share["sensor"] for share in plant.shares[0]] == ["a", "b"]
    assert [share["contribution"] for share in plant.shares[0]] == pytest.approx([9 / 25, 16 / 25])


def test_an_unknown_asset_and_one_without_a_model_are_refused(plant: Any) -> None:
    with pytest.raises(UnknownAsset):
        plant.one(1, 2)
    plant.change(lambda connection: assets.create(connection, "press", None, 1, 10))
    with pytest.raises(NoModel):
        plant.one(1, 2)


def test_sensors_by_name_may_come_in_any_order_and_missing_ones_are_null(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model(), quality={"max_null_share": 0.5})
    assert plant.post(Incoming(np.array([[4.0, 3.0]]), ["b", "a"]))[0].score == 5
    assert plant.post(Incoming(np.array([[2.0]]), ["b"]))[0].score == 2
    with pytest.raises(UnknownSensor, match="'c'"):
        plant.post(Incoming(np.array([[2.0]]), ["c"]))


def test_a_wrong_number_of_values_is_refused(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model())
    with pytest.raises(WrongDimension, match="3 values came, the model takes 2"):
        plant.one(1, 2, 3)
    assert plant.rows() == []


def test_an_alarm_opens_one_alert_and_wakes_the_delivery(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model(), alarm={"m": 2, "n": 3})
    for value in (1, 9, 9, 9, 20, 9):
        plant.one(value, 0)
    rows = plant.store.read_blocking(lambda c: list(c.execute(sa.select(schema.alerts))))
    assert [(row.kind, row.count, row.peak_score, row.last_score) for row in rows] == [("anomaly", 5, 20, 9)]
    assert plant.alerts == 4
    assert plant.store.read_blocking(lambda c: c.scalar(sa.select(sa.func.count()).select_from(schema.deliveries))) == 1


def test_an_alert_is_the_same_from_a_batch_as_from_single_readings(plant: Any, make_model: MakeModel) -> None:
    values = [[float(value), 0.0] for value in (1, 9, 9, 9, 20, 9, 1, 9, 0, 0, 9)]
    times = [NOW - 20_000 + 1000 * i for i in range(len(values))]
    for name in ("press", "saw"):
        plant.install(make_model(), name, alarm={"m": 2, "n": 3, "off_delay_s": 5})
    plant.post(batch(values, times))
    for row, at in zip(values, times, strict=True):
        plant.post(Incoming(np.array([row]), None, [at]), "saw")
    kept = [c for c in schema.alerts.c if c.name not in ("id", "asset_id")]
    query = sa.select(*kept).order_by(schema.alerts.c.asset_id, schema.alerts.c.id)
    found = plant.store.read_blocking(lambda c: [tuple(row) for row in c.execute(query)])
    assert len(found) >= 2
    half = len(found) // 2
    assert found[:half] == found[half:]


def test_another_version_answers_from_the_next_reading_on(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0)
    plant.install(make_model(window=2, threshold=0.5))
    judged = plant.one(3, 0)
    assert (judged.version, judged.status, judged.score) == (2, "anomaly", 2)  # the window is kept


def test_a_model_of_other_sensors_begins_a_new_window(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0)
    plant.install(make_model(window=2, sensors=(Sensor("x", "", None, None), Sensor("y", "", None, None))))
    assert plant.one(3, 0).reason == "warming_up"


def test_two_replicas_tell_one_truth(replicas: tuple[Any, Any], make_model: MakeModel) -> None:
    replicas[0].install(make_model(window=3))
    values = [float(value) for value in np.random.default_rng(0).integers(0, 9, 40)]
    scores = [replicas[i * 7 % 2].one(value, 0, at=NOW + i).score for i, value in enumerate(values)]
    assert scores[2:] == pytest.approx(np.convolve(values, np.ones(3) / 3, "valid").tolist())


def test_what_was_undone_is_forgotten(plant: Any, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0, at=NOW)

    def broken(_: object) -> None:
        raise sa.exc.OperationalError("COMMIT", None, ConnectionError("gone"))

    with monkeypatch.context() as patch:
        patch.setattr(plant.store.engine.dialect, "do_commit", broken)
        with pytest.raises(Problem):
            plant.one(100, 0, at=NOW + 1)
    assert plant.one(3, 0, at=NOW + 2).score == 2


def test_an_asset_that_was_deleted_and_made_again_starts_anew(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0)
    plant.change(lambda connection: assets.delete(connection, "press", 1, ()))
    with pytest.raises(UnknownAsset):
        plant.one(1, 0)
    plant.install(make_model(window=2))
    assert plant.one(1, 0).reason == "warming_up"

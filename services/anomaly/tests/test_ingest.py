from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa
from anomaly import assets, schema, versions
from anomaly.assets import AssetSettings
from anomaly.ingest import Ingest, Taken
from anomaly.judgement import Judgement
from anomaly.ledger import Ledger, Reply
from anomaly.model import Model, Sensor
from anomaly.problems import (
    ConflictingReading,
    NoModel,
    TimestampOutOfRange,
    UnknownAsset,
    UnknownSensor,
    WrongDimension,
)
from anomaly.readings import Incoming
from anomaly.registry import Registry
from anomaly.store import Store
from servicekit.problems import Problem

LIMITS = SimpleNamespace(late_tolerance_s=3600.0, future_tolerance_s=300.0)
NOW = 1_767_225_600_000
NAN = np.nan


class Plant:
    """An ingest with its ledger and one asset, `press`; remembers what it was told."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self.store = store
        self.ledger = ledger
        self.registry = Registry(store, ledger)
        self.stored: list[str] = []
        self.alerts = 0
        self.shares: list[Any] = []
        self.ingest = self.new_ingest()

    def new_ingest(self) -> Ingest:
        return Ingest(self.ledger, self.registry, LIMITS, ("mail:ops",), self.stored.append, self._count)

    def _count(self) -> None:
        self.alerts += 1

    def install(self, model: Model, name: str = "press", **settings: Any) -> None:
        def operation(connection: sa.Connection) -> Reply:
            assets.create(connection, name, None, 1, 100)
            number = versions.add_version(connection, name, model.dump(), "uploaded", None, 1)
            versions.activate(connection, name, number, None, 1)
            return Reply(204)

        self.ledger.write_blocking(operation)
        self.set(name, **settings)

    def set(self, name: str = "press", **settings: Any) -> None:
        made = msgspec.convert(settings, AssetSettings)
        self.change(lambda connection: assets.replace_settings(connection, name, made))

    def change(self, fn: Callable[[sa.Connection], object]) -> None:
        def operation(connection: sa.Connection) -> Reply:
            fn(connection)
            return Reply(204)

        self.ledger.write_blocking(operation)

    def post(self, incoming: Incoming, name: str = "press") -> list[Judgement]:
        taken: list[Taken] = []

        def answer(result: Taken) -> None:
            self.shares = [judgement.explain().shares for judgement in result.judgements]
            taken.append(result)

        self.ledger.write_blocking(self.ingest.operation(name, incoming, answer), assets=(name,))
        return list(taken[0].judgements)

    def one(self, *values: float, at: int | None = None, quality: str = "good") -> Judgement:
        times = None if at is None else [at]
        return self.post(Incoming(np.array([values]), None, times, [quality]))[0]  # type: ignore[list-item]

    def rows(self) -> list[Any]:
        query = sa.select(schema.readings).order_by(schema.readings.c.at_ms)
        return self.store.read_blocking(lambda connection: list(connection.execute(query)))

    def asset(self) -> Any:
        return self.store.read_blocking(lambda connection: assets.asset_row(connection, "press"))


@pytest.fixture
def plant(store: Store, ledger: Ledger) -> Iterator[Plant]:
    yield Plant(store, ledger)


MakeModel = Callable[..., Model]


def batch(values: Sequence[Sequence[float]], times: Sequence[int] | None = None) -> Incoming:
    return Incoming(np.array(values, dtype=float), None, times, None, range(1, len(values) + 1))


def test_a_reading_is_judged_and_stored(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model())
    judged = plant.one(3.0, 4.0)
    assert (judged.score, judged.status, judged.fate, judged.version, judged.at_ms) == (5.0, "anomaly", "live", 1, NOW)
    assert judged.threshold == 3.0
    row = plant.rows()[0]
    assert (row.score, row.status, row.fate, row.received_ms) == (5.0, "anomaly", "live", NOW)
    assert np.frombuffer(row._mapping["values"], "<f8").tolist() == [3, 4]
    assert plant.asset().newest_ms == NOW
    assert plant.stored == ["press"]


def test_contributions_are_shares_of_the_score(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model())
    plant.one(3.0, 4.0)
    assert [share["sensor"] for share in plant.shares[0]] == ["a", "b"]
    assert [share["contribution"] for share in plant.shares[0]] == pytest.approx([9 / 25, 16 / 25])


def test_an_unknown_asset_and_one_without_a_model_are_refused(plant: Plant) -> None:
    with pytest.raises(UnknownAsset):
        plant.one(1, 2)
    plant.change(lambda connection: assets.create(connection, "press", None, 1, 10))
    with pytest.raises(NoModel):
        plant.one(1, 2)


def test_sensors_by_name_may_come_in_any_order_and_missing_ones_are_null(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model(), quality={"max_null_share": 0.5})
    assert plant.post(Incoming(np.array([[4.0, 3.0]]), ["b", "a"]))[0].score == 5
    assert plant.post(Incoming(np.array([[2.0]]), ["b"]))[0].score == 2
    with pytest.raises(UnknownSensor, match="'c'"):
        plant.post(Incoming(np.array([[2.0]]), ["c"]))


def test_a_wrong_number_of_values_is_refused(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model())
    with pytest.raises(WrongDimension, match="3 values came, the model takes 2"):
        plant.one(1, 2, 3)
    assert plant.rows() == []


@pytest.mark.parametrize(
    ("values", "quality", "reason"),
    [((1.0, 2.0), "bad", "bad_quality"), ((11.0, 2.0), "good", "out_of_range"), ((NAN, 2.0), "good", "null_values")],
)
def test_what_cannot_be_judged_is_unknown_and_moves_nothing(
    plant: Plant, make_model: MakeModel, values: tuple[float, ...], quality: str, reason: str
) -> None:
    plant.install(make_model(window=2, sensors=(Sensor("a", "", 0, 10), Sensor("b", "", None, None))))
    plant.one(1, 0)
    judged = plant.one(*values, quality=quality)
    assert (judged.score, judged.status, judged.reason) == (None, "unknown", reason)
    assert plant.one(3, 0).score == 2  # the window went on over it
    assert plant.asset().state["alarm"]["recent"] == [0]


def test_an_uncertain_reading_is_scored_and_marked(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model())
    judged = plant.one(1, 0, quality="uncertain")
    assert (judged.score, judged.quality) == (1, "uncertain")


def test_a_window_warms_up(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model(window=3))
    assert [plant.one(x, 0).reason for x in (3, 3)] == ["warming_up"] * 2
    assert plant.one(6, 0).score == 4


def test_a_gap_restarts_the_window(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model(window=2), quality={"max_gap_s": 10})
    plant.one(1, 0, at=NOW)
    assert plant.one(1, 0, at=NOW + 10_000).score == 1
    assert plant.one(1, 0, at=NOW + 20_001).reason == "warming_up"


def test_readings_without_a_time_get_the_servers_and_it_increases(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model())
    assert [plant.one(1, x).at_ms for x in range(3)] == [NOW, NOW + 1, NOW + 2]
    assert [j.at_ms for j in plant.post(batch([[1, 1], [2, 2]]))] == [NOW + 3, NOW + 4]


def test_a_duplicate_gets_the_first_answer_and_is_not_stored(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0, at=NOW - 1000)
    first = plant.one(3, 0, at=NOW)
    shares = plant.shares
    plant.one(9, 0, at=NOW + 1000)
    revision = plant.asset().revision
    again = plant.one(3, 0, at=NOW)
    assert (again.score, again.status, again.fate, again.version) == (first.score, first.status, "duplicate", 1)
    assert plant.shares == shares
    assert len(plant.rows()) == 3
    assert plant.asset().revision == revision


def test_other_values_or_quality_at_the_same_time_conflict(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model())
    plant.one(1, NAN, at=NOW)
    assert plant.one(1, NAN, at=NOW).fate == "duplicate"
    for values, quality in (((1, 2), "good"), ((1, NAN), "bad")):
        with pytest.raises(ConflictingReading, match="2026-01-01T00:00:00.000Z"):
            plant.one(*values, at=NOW, quality=quality)


def test_a_late_reading_is_scored_against_what_was_before_it_and_moves_nothing(
    plant: Plant, make_model: MakeModel
) -> None:
    plant.install(make_model(window=2))
    for second, value in ((0, 1), (10, 3), (20, 5)):
        plant.one(value, 0, at=NOW + second * 1000)
    before = plant.asset()
    late = plant.one(7, 0, at=NOW + 5_000)
    assert (late.fate, late.score) == ("late", 4)
    assert plant.one(9, 0, at=NOW + 6_000).score == 8  # the late one before it counts
    after = plant.asset()
    assert (after.newest_ms, after.state) == (before.newest_ms, before.state)
    assert plant.one(7, 0, at=NOW + 30_000).score == 6  # the window never saw them
    plant.ingest.memories.clear()
    assert plant.one(7, 0, at=NOW + 40_000).score == 7


def test_too_old_and_too_far_ahead_are_refused(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model())
    plant.one(1, 0, at=NOW)
    assert plant.one(1, 0, at=NOW - 3_600_000).fate == "late"
    with pytest.raises(TimestampOutOfRange, match="older"):
        plant.one(1, 0, at=NOW - 3_600_001)
    assert plant.one(1, 0, at=NOW + 300_000).fate == "live"
    with pytest.raises(TimestampOutOfRange, match="ahead"):
        plant.one(1, 0, at=NOW + 300_001)


def test_old_readings_of_a_new_asset_are_live_in_their_order(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model())
    assert [plant.one(1, 0, at=at).fate for at in (0, 86_400_000, 10 * 86_400_000)] == ["live"] * 3


def test_a_batch_in_any_order_is_the_same_as_its_rows_in_the_order_of_time(
    plant: Plant, make_model: MakeModel
) -> None:
    rng = np.random.default_rng(3)
    values, times = rng.normal(size=(50, 2)) * 3, [NOW - 60_000 + 1000 * i for i in range(50)]
    for name in ("press", "saw"):
        plant.install(make_model(window=4), name)
    order = rng.permutation(50)
    shuffled = plant.post(batch(values[order], [times[i] for i in order]))
    singly = [plant.post(Incoming(values[i : i + 1], None, [times[i]]), "saw")[0] for i in range(50)]
    expected = [singly[i] for i in order]
    assert [j.status for j in shuffled] == [j.status for j in expected]
    assert [j.fate for j in shuffled] == ["live"] * 50
    np.testing.assert_allclose(
        [NAN if j.score is None else j.score for j in shuffled], [NAN if j.score is None else j.score for j in expected]
    )
    states = plant.store.read_blocking(
        lambda c: [assets.asset_row(c, name).state["alarm"] for name in ("press", "saw")]
    )
    assert [state["recent"] for state in states] == [states[0]["recent"]] * 2


def test_a_batch_is_taken_whole_or_not_at_all(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0, at=NOW)
    before = plant.asset()
    with pytest.raises(TimestampOutOfRange, match="row 2: "):
        plant.post(batch([[1, 1], [2, 2]], [NOW + 1, NOW + 10**9]))
    with pytest.raises(ConflictingReading, match="row 3: "):
        plant.post(batch([[1, 1], [2, 2], [9, 9]], [NOW - 5, NOW + 1, NOW]))
    assert plant.asset() == before
    assert len(plant.rows()) == 1
    assert plant.one(3, 0, at=NOW + 1).score == 2


def test_a_batch_may_hold_every_fate(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0, at=NOW)
    judged = plant.post(
        batch(
            [[5, 0], [1, 0], [3, 0], [3, 0], [1, 0]],
            [NOW + 2000, NOW, NOW + 1000, NOW + 1000, NOW - 1000],
        )
    )
    assert [j.fate for j in judged] == ["live", "duplicate", "live", "duplicate", "late"]
    assert [j.score for j in judged] == [4, None, 2, 2, None]
    assert len(plant.rows()) == 4


def test_an_alarm_opens_one_alert_and_wakes_the_delivery(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model(), alarm={"m": 2, "n": 3})
    for value in (1, 9, 9, 9, 20, 9):
        plant.one(value, 0)
    rows = plant.store.read_blocking(lambda c: list(c.execute(sa.select(schema.alerts))))
    assert [(row.kind, row.count, row.peak_score, row.last_score) for row in rows] == [("anomaly", 5, 20, 9)]
    assert plant.alerts == 4
    assert plant.store.read_blocking(lambda c: c.scalar(sa.select(sa.func.count()).select_from(schema.deliveries))) == 1


def test_an_alert_is_the_same_from_a_batch_as_from_single_readings(plant: Plant, make_model: MakeModel) -> None:
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


def test_another_version_answers_from_the_next_reading_on(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0)
    plant.install(make_model(window=2, threshold=0.5))
    judged = plant.one(3, 0)
    assert (judged.version, judged.status, judged.score) == (2, "anomaly", 2)  # the window is kept


def test_a_model_of_other_sensors_begins_a_new_window(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0)
    plant.install(make_model(window=2, sensors=(Sensor("x", "", None, None), Sensor("y", "", None, None))))
    assert plant.one(3, 0).reason == "warming_up"


def test_two_replicas_tell_one_truth(postgresql_url: str, clock: Callable[[], int], make_model: MakeModel) -> None:
    stores = [Store(postgresql_url) for _ in range(2)]
    ledgers = [Ledger(store, clock) for store in stores]
    for ledger in ledgers:
        ledger.start()
    plants = [Plant(store, ledger) for store, ledger in zip(stores, ledgers, strict=True)]
    plants[0].install(make_model(window=3))
    values = [float(value) for value in np.random.default_rng(0).integers(0, 9, 40)]
    scores = [plants[i * 7 % 2].one(value, 0, at=NOW + i).score for i, value in enumerate(values)]
    assert scores[2:] == pytest.approx(np.convolve(values, np.ones(3) / 3, "valid").tolist())
    for ledger, store in zip(ledgers, stores, strict=True):
        ledger.stop()
        store.close()


def test_what_was_undone_is_forgotten(plant: Plant, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0, at=NOW)

    def broken(_: object) -> None:
        raise sa.exc.OperationalError("COMMIT", None, ConnectionError("gone"))

    with monkeypatch.context() as patch:
        patch.setattr(plant.store.engine.dialect, "do_commit", broken)
        with pytest.raises(Problem):
            plant.one(100, 0, at=NOW + 1)
    assert plant.one(3, 0, at=NOW + 2).score == 2


def test_an_asset_that_was_deleted_and_made_again_starts_anew(plant: Plant, make_model: MakeModel) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0)
    plant.change(lambda connection: assets.delete(connection, "press", 1, ()))
    with pytest.raises(UnknownAsset):
        plant.one(1, 0)
    plant.install(make_model(window=2))
    assert plant.one(1, 0).reason == "warming_up"

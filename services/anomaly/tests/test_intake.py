from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from anomaly.ingestion import assets
from anomaly.ingestion.readings import Incoming
from anomaly.model import Model, Sensor
from anomaly.preprocess import Array
from anomaly.problems import (
    ConflictingReading,
    TimestampOutOfRange,
)

NOW = 1_767_225_600_000
NAN = np.nan

MakeModel = Callable[..., Model]


def batch(values: Sequence[Sequence[float]] | Array, times: Sequence[int] | None = None) -> Incoming:
    return Incoming(np.array(values, dtype=float), None, times, None, range(1, len(values) + 1))


@pytest.mark.parametrize(
    ("values", "quality", "reason"),
    [((1.0, 2.0), "bad", "bad_quality"), ((11.0, 2.0), "good", "out_of_range"), ((NAN, 2.0), "good", "null_values")],
)
def test_what_cannot_be_judged_is_unknown_and_moves_nothing(
    plant: Any, make_model: MakeModel, values: tuple[float, ...], quality: str, reason: str
) -> None:
    plant.install(make_model(window=2, sensors=(Sensor("a", "", 0, 10), Sensor("b", "", None, None))))
    plant.one(1, 0)
    judged = plant.one(*values, quality=quality)
    assert (judged.score, judged.status, judged.reason) == (None, "unknown", reason)
    assert plant.one(3, 0).score == 2  # the window went on over it
    assert plant.asset().state["alarm"]["recent"] == [0]


def test_an_uncertain_reading_is_scored_and_marked(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model())
    judged = plant.one(1, 0, quality="uncertain")
    assert (judged.score, judged.quality) == (1, "uncertain")


def test_a_window_warms_up(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model(window=3))
    assert [plant.one(x, 0).reason for x in (3, 3)] == ["warming_up"] * 2
    assert plant.one(6, 0).score == 4


def test_a_gap_restarts_the_window(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model(window=2), quality={"max_gap_s": 10})
    plant.one(1, 0, at=NOW)
    assert plant.one(1, 0, at=NOW + 10_000).score == 1
    assert plant.one(1, 0, at=NOW + 20_001).reason == "warming_up"


def test_readings_without_a_time_get_the_servers_and_it_increases(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model())
    assert [plant.one(1, x).at_ms for x in range(3)] == [NOW, NOW + 1, NOW + 2]
    assert [j.at_ms for j in plant.post(batch([[1, 1], [2, 2]]))] == [NOW + 3, NOW + 4]


def test_a_duplicate_gets_the_first_answer_and_is_not_stored(plant: Any, make_model: MakeModel) -> None:
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


def test_other_values_or_quality_at_the_same_time_conflict(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model())
    plant.one(1, NAN, at=NOW)
    assert plant.one(1, NAN, at=NOW).fate == "duplicate"
    for values, quality in (((1, 2), "good"), ((1, NAN), "bad")):
        with pytest.raises(ConflictingReading, match=r"2026-01-01T00:00:00\.000Z"):
            plant.one(*values, at=NOW, quality=quality)


def test_a_late_reading_is_scored_against_what_was_before_it_and_moves_nothing(
    plant: Any, make_model: MakeModel
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


def test_too_old_and_too_far_ahead_are_refused(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model())
    plant.one(1, 0, at=NOW)
    assert plant.one(1, 0, at=NOW - 3_600_000).fate == "late"
    with pytest.raises(TimestampOutOfRange, match="older"):
        plant.one(1, 0, at=NOW - 3_600_001)
    assert plant.one(1, 0, at=NOW + 300_000).fate == "live"
    with pytest.raises(TimestampOutOfRange, match="ahead"):
        plant.one(1, 0, at=NOW + 300_001)


def test_old_readings_of_a_new_asset_are_live_in_their_order(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model())
    assert [plant.one(1, 0, at=at).fate for at in (0, 86_400_000, 10 * 86_400_000)] == ["live"] * 3


def test_a_batch_in_any_order_is_the_same_as_its_rows_in_the_order_of_time(plant: Any, make_model: MakeModel) -> None:
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


def test_a_batch_is_taken_whole_or_not_at_all(plant: Any, make_model: MakeModel) -> None:
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


def test_a_batch_may_hold_every_fate(plant: Any, make_model: MakeModel) -> None:
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

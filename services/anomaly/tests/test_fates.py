from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from anomaly.ingestion import fates
from anomaly.ingestion.fates import Tolerance
from anomaly.ingestion.readings import Incoming, Quality
from anomaly.problems import ConflictingReading, TimestampOutOfRange

NOW = 1_767_225_600_000
TOLERANCE = Tolerance(late_ms=10_000, future_ms=5_000)


def incoming(values: list[float], times: list[int] | None, qualities: list[Quality] | None = None) -> Incoming:
    return Incoming(np.array([[value] for value in values]), None, times, qualities, range(1, len(values) + 1))


def sort(sent: Incoming, newest_ms: int | None, known: Any = None) -> fates.Sorted:
    times = fates.assign(sent, newest_ms, NOW)
    return fates.sort(sent, sent.rows, times, newest_ms, NOW, TOLERANCE, known or {})


def stored(value: float, quality: str = "good") -> Any:
    return SimpleNamespace(_mapping={"values": np.array([value]).tobytes()}, quality=quality)


def test_server_times_increase_past_the_newest_reading() -> None:
    assert list(fates.assign(incoming([1, 2], None), None, NOW)) == [NOW, NOW + 1]
    assert list(fates.assign(incoming([1, 2], None), NOW + 50, NOW)) == [NOW + 51, NOW + 52]


def test_sorts_by_time_into_late_and_live() -> None:
    found = sort(incoming([1, 2, 3, 4], [NOW + 2, NOW - 2, NOW + 1, NOW - 1]), NOW)
    assert (found.late, found.live) == ([1, 3], [2, 0])


def test_the_first_readings_of_an_asset_are_live_however_old() -> None:
    assert sort(incoming([1, 2], [5, 3]), None).live == [1, 0]


def test_the_same_again_is_a_duplicate() -> None:
    first = stored(1.0)
    found = sort(incoming([1, 7, 7], [NOW, NOW + 1, NOW + 1]), NOW, {NOW: first})
    assert found.live == [1]
    assert found.duplicates == {0: first, 2: 1}


def test_null_equals_null() -> None:
    assert sort(incoming([np.nan], [NOW]), NOW, {NOW: stored(np.nan)}).duplicates


@pytest.mark.parametrize(("value", "quality"), [(2.0, "good"), (1.0, "bad"), (np.nan, "good")])
def test_something_else_at_the_same_time_conflicts(value: float, quality: Quality) -> None:
    with pytest.raises(ConflictingReading, match="row 1: "):
        sort(incoming([value], [NOW], [quality]), NOW, {NOW: stored(1.0)})


def test_two_in_one_batch_may_not_conflict_either() -> None:
    with pytest.raises(ConflictingReading, match="row 2: "):
        sort(incoming([1, 2], [NOW, NOW]), None)


def test_the_tolerances_are_inclusive() -> None:
    assert sort(incoming([1, 2], [NOW - 10_000, NOW + 5_000]), NOW).late == [0]
    with pytest.raises(TimestampOutOfRange, match="more than 10 s older"):
        sort(incoming([1], [NOW - 10_001]), NOW)
    with pytest.raises(TimestampOutOfRange, match="more than 5 s ahead"):
        sort(incoming([1], [NOW + 5_001]), NOW)

"""What is over an age or too many bytes goes, oldest first, and nothing else."""

from typing import Any

import pytest

DAY_S = 86_400


@pytest.fixture
def week(depot: Any, clock: Any) -> Any:
    """Seven files of 1,000 bytes, one a day; it is the end of the seventh day."""
    for number in range(1, 8):
        depot.put(number)
        clock.advance(DAY_S)
    return depot


def test_nothing_goes_without_a_limit(week: Any) -> None:
    assert week.expire(0, 0) == []
    assert week.ids() == [7, 6, 5, 4, 3, 2, 1]


def test_what_is_too_old_goes(week: Any) -> None:
    keys = week.expire(5, 0)
    assert week.ids() == [7, 6, 5, 4, 3]
    assert week.removals(10) == sorted(keys, key=keys.index)
    assert week.expire(5, 0) == []


@pytest.mark.parametrize(("most", "left"), [(7000, 7), (6999, 6), (3000, 3), (2500, 2), (1, 0)])
def test_the_oldest_go_where_there_are_too_many_bytes(week: Any, most: int, left: int) -> None:
    keys = week.expire(0, most)
    assert len(keys) == 7 - left
    assert week.ids() == list(range(7, 7 - left, -1))
    assert week.stats().size_bytes == left * 1000


def test_goes_by_little_steps(week: Any) -> None:
    assert [len(week.expire(1.5, 1000, limit=4)) for _ in range(3)] == [4, 2, 0]
    assert week.ids() == [7]


def test_both_limits_hold(week: Any) -> None:
    assert len(week.expire(5, 3000)) == 4
    assert week.ids() == [7, 6, 5]


def test_a_file_that_is_being_recognised_goes_too(week: Any) -> None:
    lease = week.claim(1)
    week.expire(6.5, 0)
    assert week.finish(lease, week.recognition(week.candidate())) is None
    assert week.stats().by_status["processing"] == 0

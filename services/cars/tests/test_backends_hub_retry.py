"""Attempts again, with pauses that the test sees."""

import asyncio

import pytest
from cars.backends.hub_fate import RemoteError, failing
from cars.backends.hub_retry import Retries
from cars.problems import BackendRefused, BackendUnavailable
from hypothesis import given
from hypothesis import strategies as st


class Remote:
    """Fails with what it is given, then succeeds."""

    def __init__(self, *failures: RemoteError) -> None:
        self.failures = list(failures)
        self.attempts = 0

    async def attempt(self, ends: float) -> str:
        assert ends > asyncio.get_running_loop().time()
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


def quick(times: int = 3, within_s: float = 10.0) -> Retries:
    return Retries(times, within_s, base_s=0.001)


def down(retry_after_s: float = 0.0) -> RemoteError:
    return failing(BackendUnavailable, "it is down", retry_after_s)


def test_a_failure_that_may_pass_is_tried_again() -> None:
    remote = Remote(down(), down(), down())
    assert asyncio.run(quick().run(remote.attempt)) == "done"
    assert remote.attempts == 4


def test_no_more_often_than_allowed() -> None:
    remote = Remote(*[down() for _ in range(9)])
    with pytest.raises(RemoteError, match="it is down"):
        asyncio.run(quick(times=2).run(remote.attempt))
    assert remote.attempts == 3


def test_a_failure_that_does_not_pass_is_final() -> None:
    remote = Remote(RemoteError(BackendRefused, "no picture"))
    with pytest.raises(RemoteError, match="no picture"):
        asyncio.run(quick().run(remote.attempt))
    assert remote.attempts == 1


def test_who_is_asked_to_wait_longer_than_there_is_time_gives_up_at_once() -> None:
    remote = Remote(down(retry_after_s=20.0))
    with pytest.raises(RemoteError) as raised:
        asyncio.run(quick(within_s=10.0).run(remote.attempt))
    assert remote.attempts == 1
    assert raised.value.retry_after_s == 20


def test_a_pause_can_be_cancelled() -> None:
    async def cancelled() -> int:
        remote = Remote(down(retry_after_s=500.0))
        task = asyncio.create_task(quick(within_s=600.0).run(remote.attempt))
        while not remote.attempts:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return remote.attempts

    assert asyncio.run(cancelled()) == 1


@given(st.integers(0, 10), st.floats(0, 3600))
def test_a_pause_is_never_shorter_than_asked_and_never_longer_than_the_most(attempt: int, asked_s: float) -> None:
    retries = Retries(10, 60.0, base_s=0.5, most_s=8.0)
    assert asked_s <= retries.pause_s(attempt, asked_s) <= asked_s + min(8.0, 0.5 * 2**attempt)


def test_the_jitter_is_full_and_its_bound_doubles() -> None:
    longest = Retries(10, 60.0, base_s=0.5, most_s=8.0, jitter=lambda _low, high: high)
    shortest = Retries(10, 60.0, jitter=lambda low, _high: low)
    assert [longest.pause_s(attempt, 0.0) for attempt in range(6)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert shortest.pause_s(9, 0.0) == 0.0

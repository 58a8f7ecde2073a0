"""The circuit breaker, against a clock that the test turns."""

import asyncio

import pytest
from cars.backends.hub_breaker import Breaker
from cars.backends.hub_fate import RemoteError, failing
from cars.problems import BackendRefused, BackendUnavailable


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, open_s=30.0, clock=clock)


def fail(breaker: Breaker, retry_after_s: float = 0.0) -> None:
    with pytest.raises(RemoteError, match="it is down"), breaker.passing():
        raise failing(BackendUnavailable, "it is down", retry_after_s)


def succeed(breaker: Breaker) -> None:
    with breaker.passing():
        pass


def opened(breaker: Breaker) -> Breaker:
    for _ in range(3):
        fail(breaker)
    return breaker


def test_opens_after_failures_in_a_row(breaker: Breaker) -> None:
    for _ in range(2):
        fail(breaker)
    succeed(breaker)
    for _ in range(2):
        fail(breaker)
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "open"
    assert breaker.opened == 1


def test_open_it_refuses_at_once_and_says_when_and_why(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now_s += 12
    with pytest.raises(RemoteError, match="3 attempts in a row failed, the last one so: it is down") as refused:
        succeed(breaker)
    assert refused.value.retry_after_s == 18
    assert not refused.value.passes
    assert not refused.value.counts


def test_half_open_one_success_closes_it(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now_s += 30
    assert breaker.state == "half-open"
    succeed(breaker)
    assert breaker.state == "closed"
    assert breaker.retry_after_s == 0


def test_half_open_one_failure_opens_it_again(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now_s += 31
    fail(breaker)
    assert breaker.state == "open"
    assert breaker.opened == 2
    assert breaker.retry_after_s == 30


def test_half_open_only_one_passes_at_a_time(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now_s += 30
    with breaker.passing():
        assert breaker.state == "half-open"
        with pytest.raises(RemoteError) as refused:
            succeed(breaker)
        assert refused.value.retry_after_s == 1
    assert breaker.state == "closed"


def test_a_trial_that_is_cancelled_makes_room_for_another(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now_s += 30
    with pytest.raises(asyncio.CancelledError), breaker.passing():
        raise asyncio.CancelledError
    assert breaker.state == "half-open"
    succeed(breaker)
    assert breaker.state == "closed"


def test_stays_open_as_long_as_the_remote_asked_for(breaker: Breaker) -> None:
    for _ in range(3):
        fail(breaker, retry_after_s=300.0)
    assert breaker.retry_after_s == 300


def test_a_refusal_says_that_the_remote_is_alive(breaker: Breaker) -> None:
    for _ in range(2):
        fail(breaker)
    with pytest.raises(RemoteError), breaker.passing():
        raise RemoteError(BackendRefused, "no picture")
    fail(breaker)
    assert breaker.state == "closed"


def test_an_answer_from_before_it_opened_does_not_close_it(breaker: Breaker) -> None:
    with breaker.passing():
        opened(breaker)
    assert breaker.state == "open"


def test_failures_from_before_it_opened_do_not_open_it_twice(breaker: Breaker) -> None:
    late = breaker.passing()
    late.__enter__()
    opened(breaker)
    failure = failing(BackendUnavailable, "late")
    assert not late.__exit__(RemoteError, failure, None)
    assert breaker.opened == 1

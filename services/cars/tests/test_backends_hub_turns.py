"""So many at once, the others wait."""

import asyncio

import pytest
from cars.backends.hub_fate import RemoteError
from cars.backends.hub_turns import Turns
from cars.problems import BackendUnavailable


def later(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def test_who_gets_no_turn_in_time_is_told_the_limit() -> None:
    async def crowded() -> RemoteError:
        turns = Turns(1)
        async with turns.taken(later(60)):
            with pytest.raises(RemoteError, match="1 other pictures were being answered") as raised:
                async with turns.taken(later(0.01)):
                    raise AssertionError("the only turn was taken twice")
        assert turns.waiting == 0
        async with turns.taken(later(60)):  # it is free again
            return raised.value

    failure = asyncio.run(crowded())
    assert failure.problem is BackendUnavailable
    assert not failure.counts  # the remote is well


def test_who_is_cancelled_while_waiting_leaves_no_trace() -> None:
    async def left() -> None:
        turns = Turns(1)
        async with turns.taken(later(60)):
            waiting = asyncio.create_task(turns.taken(later(60)).__aenter__())
            while not turns.waiting:
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert turns.waiting == 0
        async with turns.taken(later(60)):
            assert turns.waiting == 0

    asyncio.run(left())


def test_the_others_take_their_turns_in_order() -> None:
    async def queue() -> list[int]:
        turns, done = Turns(1), []

        async def one(number: int) -> None:
            async with turns.taken(later(60)):
                await asyncio.sleep(0)
                done.append(number)

        await asyncio.gather(*[one(number) for number in range(5)])
        return done

    assert asyncio.run(queue()) == [0, 1, 2, 3, 4]

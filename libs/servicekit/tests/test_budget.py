import asyncio

import pytest
from servicekit.budget import Budget


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_what_is_left_is_taken_at_once() -> None:
    async def scenario() -> None:
        budget = Budget(100)
        assert await budget.take(60) == 60
        assert await budget.take(40) == 40
        assert budget.left_bytes == 0

    asyncio.run(scenario())


def test_who_needs_more_than_is_left_waits_in_order() -> None:
    async def scenario() -> None:
        budget = Budget(100)
        order: list[str] = []

        async def use(name: str, amount: int) -> None:
            taken = await budget.take(amount)
            order.append(name)
            await asyncio.sleep(0)
            budget.give(taken)

        await budget.take(50)
        large = asyncio.create_task(use("large", 80))
        await settled()
        small = asyncio.create_task(use("small", 10))  # there would be room, but it came later
        await settled()
        assert order == []
        budget.give(50)
        await asyncio.gather(large, small)
        assert order == ["large", "small"]
        assert budget.left_bytes == 100

    asyncio.run(scenario())


def test_more_than_there_is_takes_all_of_it() -> None:
    async def scenario() -> None:
        budget = Budget(100)
        assert await budget.take(1000) == 100
        assert budget.left_bytes == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("granted", [False, True])
def test_who_is_cancelled_takes_nothing_and_lets_the_next_one_pass(granted: bool) -> None:
    async def scenario() -> None:
        budget = Budget(100)
        taken = await budget.take(50)
        gone = asyncio.create_task(budget.take(80))
        await settled()
        following = asyncio.create_task(budget.take(30))
        await settled()
        if granted:
            budget.give(taken)  # the turn of the one that is cancelled has come, and it does not know yet
        gone.cancel()
        await settled()
        assert await following == 30
        assert budget.left_bytes == (70 if granted else 20)

    asyncio.run(scenario())

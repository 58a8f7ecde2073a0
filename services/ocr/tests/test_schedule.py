import asyncio

import pytest
from ocr.schedule import Turns, in_order


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_document_of_many_pages_makes_a_single_picture_wait_for_one_page() -> None:
    async def scenario() -> list[str]:
        turns, read = Turns(1), []

        async def page(request: str) -> None:
            await turns.take(request)
            read.append(request)
            turns.leave()

        await turns.take("first")
        work = [asyncio.create_task(page("document")) for _ in range(5)]
        await settle()
        work.append(asyncio.create_task(page("picture")))
        await settle()
        turns.leave()
        await asyncio.gather(*work)
        assert turns.free == 1
        return read

    assert asyncio.run(scenario()) == ["document", "picture", *["document"] * 4]


@pytest.mark.parametrize("granted", [False, True])
def test_who_is_cancelled_while_waiting_keeps_no_place(granted: bool) -> None:
    async def scenario() -> None:
        turns = Turns(1)
        await turns.take("a")
        waiting = asyncio.create_task(turns.take("b"))
        await settle()
        if granted:
            turns.leave()  # its turn comes in the moment in which it is cancelled
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        if not granted:
            turns.leave()
        assert turns.free == 1

    asyncio.run(scenario())


def test_results_keep_their_order_and_only_so_many_are_begun() -> None:
    async def scenario() -> None:
        at_once = most = 0

        async def piece(number: int) -> int:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            for _ in range(10 - number):
                await asyncio.sleep(0)
            at_once -= 1
            return number

        assert [number async for number in in_order(map(piece, range(10)), 3)] == list(range(10))
        assert most == 3

    asyncio.run(scenario())


def test_what_fails_ends_the_rest_and_begins_no_more() -> None:
    async def scenario() -> None:
        begun: list[int] = []
        ended: list[int] = []

        async def piece(number: int) -> int:
            begun.append(number)
            try:
                if number == 0:
                    raise ValueError("the first")
                await asyncio.Event().wait()
            finally:
                ended.append(number)
            return number

        with pytest.raises(ValueError, match="the first"):
            [number async for number in in_order(map(piece, range(10)), 3)]
        assert begun == ended == [0, 1, 2]

    asyncio.run(scenario())

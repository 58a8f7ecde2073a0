import asyncio

from gateway.kept import Kept


class Counting:
    def __init__(self) -> None:
        self.made = 0

    async def make(self) -> int:
        await asyncio.sleep(0.02)
        self.made += 1
        return self.made


def test_makes_once_for_all_who_ask_meanwhile_and_again_when_it_is_old() -> None:
    async def ask(keep_s: float) -> list[int]:
        kept = Kept(Counting().make, keep_s)
        first = await asyncio.gather(*(kept.get() for _ in range(5)))
        return [*first, await kept.get()]

    assert asyncio.run(ask(60)) == [1, 1, 1, 1, 1, 1]
    assert asyncio.run(ask(0)) == [1, 1, 1, 1, 1, 2]

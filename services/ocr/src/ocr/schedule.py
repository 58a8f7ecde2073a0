"""Who reads next where more wait than can be read at once, and work that keeps its order.

Each request comes in its turn, one page at a time: a document of a thousand pages makes others wait as long as a single
picture does (fair queueing by request: Nagle, RFC 970).
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Coroutine, Hashable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


class Turns:
    """At most `places` are taken at once; a free one goes to the request that has waited longest for its next page."""

    def __init__(self, places: int) -> None:
        self.free = places
        self.waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    async def take(self, request: Hashable) -> None:
        """Waits for a place; `leave` gives it back."""
        if self.free:
            self.free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(request, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.leave()  # the place was given just before
            raise

    def leave(self) -> None:
        """Hands the place on."""
        while self.waiting:
            request, turns = self.waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self.waiting[request] = turns  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1


async def in_order(work: Iterable[Coroutine[Any, Any, T]], ahead: int) -> AsyncGenerator[T, None]:
    """Yields the results in the order of the work, of which `ahead` pieces are done side by side.

    No further piece is begun when the iterator is closed; those that were begun are cancelled and waited for.
    """
    running: deque[asyncio.Task[T]] = deque()
    try:
        for piece in work:
            running.append(asyncio.create_task(piece))
            if len(running) >= ahead:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

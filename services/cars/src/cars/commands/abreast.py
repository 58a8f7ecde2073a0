"""Work on many things, some at once, whose results come in their order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def in_order(items: Iterable[T], work: Callable[[T], Awaitable[R]], most: int) -> AsyncGenerator[tuple[T, R]]:
    """Yields each thing with what the work on it returned; at most so many are under way, and an error ends them all.

    The caller closes it (`contextlib.aclosing`) where it leaves before the end.
    """
    running: deque[tuple[T, asyncio.Future[R]]] = deque()
    try:
        for item in items:
            if len(running) == most:
                yield running[0][0], await running[0][1]
                running.popleft()
            running.append((item, asyncio.ensure_future(work(item))))
        while running:
            yield running[0][0], await running[0][1]
            running.popleft()
    finally:
        for _, future in running:
            future.cancel()
        await asyncio.gather(*(future for _, future in running), return_exceptions=True)

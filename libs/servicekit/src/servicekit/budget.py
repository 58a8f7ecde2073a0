"""Memory that all requests share: who needs more than is left waits, in order."""

import asyncio
from collections import deque


class Budget:
    """So many bytes may be in use at once. `take` before they are used, `give` back what it returned."""

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self.left_bytes = total_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, amount: int) -> int:
        """Waits until the bytes are left and nobody waits longer; returns what was taken, never more than the total."""
        amount = min(amount, self.total_bytes)
        if amount <= self.left_bytes and not self._waiting:
            self.left_bytes -= amount
            return amount
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.left_bytes += amount  # its turn had just come
            self._hand_on()
            raise
        return amount

    def give(self, amount: int) -> None:
        self.left_bytes += amount
        self._hand_on()

    def _hand_on(self) -> None:
        while self._waiting:
            amount, turn = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
            elif amount <= self.left_bytes:
                self._waiting.popleft()
                self.left_bytes -= amount
                turn.set_result(None)
            else:
                return

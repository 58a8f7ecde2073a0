"""The writer of readings, models and alerts: locks their assets, and keeps the answer of an Idempotency-Key."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from servicekit.database import ledger
from servicekit.database.store import Store

from anomaly.storage import schema
from anomaly.storage.idempotency import Idempotency, KeysInUse, recall, remember
from anomaly.storage.reply import Reply

__all__ = ["Idempotency", "Ledger", "Operation", "Reply"]

Operation = Callable[[sa.Connection], Reply]


class _Call(ledger.Change[Reply]):
    """An operation on some assets, at most one for each Idempotency-Key."""

    __slots__ = ("_clock", "_keys", "assets", "idempotency")

    def __init__(
        self,
        operation: Operation,
        assets: Sequence[str],
        idempotency: Idempotency | None,
        keys: KeysInUse,
        clock: Callable[[], int],
    ) -> None:
        super().__init__(operation)
        self.assets = assets
        self.idempotency = idempotency
        self._keys = keys
        self._clock = clock

    def admit(self) -> None:
        self._keys.take(self.idempotency)

    def perform(self, connection: sa.Connection) -> Reply:
        reply = recall(connection, self.idempotency)
        if reply is None:
            reply = self.operation(connection)
            remember(connection, self.idempotency, reply, self._clock())
        return reply

    def rescue(self, connection: sa.Connection, error: Exception) -> Reply:
        """A replica may have stored the same key between our look and our insert."""
        if isinstance(error, sa.exc.IntegrityError) and (reply := recall(connection, self.idempotency)):
            return reply
        raise error

    def committed(self, reply: Reply) -> None:
        if reply.after:
            reply.after()

    def release(self) -> None:
        self._keys.give_back(self.idempotency)


class Ledger(ledger.Ledger):
    """A 2xx leaves only after its commit."""

    advice = "send the same request again with the same Idempotency-Key or timestamp"

    def __init__(self, store: Store, clock: Callable[[], int], max_queue: int = 1024) -> None:
        super().__init__(store, clock, max_queue)
        self._keys = KeysInUse()

    async def write(
        self, operation: Operation, *, assets: Sequence[str] = (), idempotency: Idempotency | None = None
    ) -> Reply:
        """Returns the operation's reply once it is on disk; raises its Problem, Overloaded or a storage problem."""
        return await self.submit(_Call(operation, assets, idempotency, self._keys, self.clock))

    def write_blocking(
        self, operation: Operation, *, assets: Sequence[str] = (), idempotency: Idempotency | None = None
    ) -> Reply:
        """The same for worker threads; never call it from an event loop or from an operation."""
        return self.submit_blocking(_Call(operation, assets, idempotency, self._keys, self.clock))

    def lock(self, connection: sa.Connection, changes: Sequence[_Call]) -> None:
        """Holds the concerned assets against other replicas, in the order of their ids."""
        names = {name for change in changes for name in change.assets}
        if names:
            assets = schema.assets
            connection.execute(
                sa.select(assets.c.id).where(assets.c.name.in_(names)).order_by(assets.c.id).with_for_update()
            )

"""The single writer: every change waits here, shares a commit with its neighbours, and is answered after it."""

import asyncio
import contextlib
import logging
import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import sqlalchemy as sa
from servicekit.problems import NotReady, Overloaded, Problem

from anomaly.problems import StorageUnavailable
from anomaly.storage import schema
from anomaly.storage.idempotency import Idempotency, KeysInUse, recall, remember
from anomaly.storage.reply import Reply
from anomaly.storage.store import RETRY_AFTER, Store, storage_problem

__all__ = ["Idempotency", "Ledger", "Operation", "Reply"]

logger = logging.getLogger(__name__)

MAX_GROUP = 256  # operations in one commit
EWMA_WEIGHT = 0.1


Operation = Callable[[sa.Connection], Reply]
Outcome = Reply | BaseException


@dataclass(slots=True, eq=False)
class _Entry:
    operation: Operation
    assets: Sequence[str]
    idempotency: Idempotency | None
    future: "asyncio.Future[Reply] | Future[Reply]"
    loop: asyncio.AbstractEventLoop | None


class Ledger:
    """One thread that writes; a 2xx leaves only after its commit. `clock` tells epoch milliseconds."""

    def __init__(self, store: Store, clock: Callable[[], int], max_queue: int = 1024) -> None:
        self.clock = clock
        self.max_queue = max_queue
        self._store = store
        self._queue: deque[_Entry] = deque()
        self._changed = threading.Condition()
        self._keys = KeysInUse()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._operation_s = 0.001  # moving average, for Retry-After
        self._rollback_callbacks: list[Callable[[], None]] = []

    @property
    def depth(self) -> int:
        """How many operations wait for their commit."""
        return len(self._queue)

    def on_rollback(self, callback: Callable[[], None]) -> None:
        """Runs `callback` in the writer thread whenever a whole transaction is undone: caches forget what they saw."""
        self._rollback_callbacks.append(callback)

    def start(self) -> None:
        self._stopping = False
        # A daemon, so that a start that fails half-way ends: what was answered is on disk, whenever the thread dies.
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Commits what is queued and ends the thread; later writes are refused."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    async def write(
        self, operation: Operation, *, assets: Sequence[str] = (), idempotency: Idempotency | None = None
    ) -> Reply:
        """Returns the operation's reply once it is on disk; raises its Problem, Overloaded or a storage problem."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        self._submit(_Entry(operation, assets, idempotency, future, loop))
        return await future

    def write_blocking(
        self, operation: Operation, *, assets: Sequence[str] = (), idempotency: Idempotency | None = None
    ) -> Reply:
        """The same for worker threads; never call it from an event loop or from an operation."""
        future: Future[Reply] = Future()
        self._submit(_Entry(operation, assets, idempotency, future, None))
        return future.result()

    def _submit(self, entry: _Entry) -> None:
        with self._changed:
            if self._stopping or self._thread is None:
                raise NotReady("the service is stopping and stores nothing more", headers=RETRY_AFTER)
            if len(self._queue) >= self.max_queue:
                seconds = math.ceil(len(self._queue) * self._operation_s)
                raise Overloaded(
                    f"{len(self._queue)} writes wait, the limit is {self.max_queue}",
                    headers={"Retry-After": str(max(1, seconds))},
                )
            self._keys.take(entry.idempotency)
            self._queue.append(entry)
            self._changed.notify()

    def _run(self) -> None:
        while entries := self._next_group():
            started = time.perf_counter()
            outcomes = self._commit(entries)
            spent_s = (time.perf_counter() - started) / len(entries)
            self._operation_s += EWMA_WEIGHT * (spent_s - self._operation_s)
            self._settle(entries, outcomes)

    def _next_group(self) -> list[_Entry]:
        with self._changed:
            while not self._queue and not self._stopping:
                self._changed.wait()
            return [self._queue.popleft() for _ in range(min(len(self._queue), MAX_GROUP))]

    def _commit(self, entries: Sequence[_Entry]) -> Sequence[Outcome]:
        committing = False
        try:
            with self._store.begin() as connection:
                self._lock(connection, entries)
                outcomes = [self._perform(connection, entry) for entry in entries]
                committing = True
                connection.commit()
        except Exception as error:  # noqa: BLE001 the fan-out: this thread outlives whatever happens
            return [self._failed(error, committing=committing)] * len(entries)
        for outcome in outcomes:
            if isinstance(outcome, Reply) and outcome.after:
                _call(outcome.after)
        return outcomes

    def _lock(self, connection: sa.Connection, entries: Sequence[_Entry]) -> None:
        """Holds the concerned assets against other replicas, in the order of their ids; SQLite has one writer."""
        if self._store.is_sqlite:
            return
        names = {name for entry in entries for name in entry.assets}
        if names:
            assets = schema.assets
            connection.execute(
                sa.select(assets.c.id).where(assets.c.name.in_(names)).order_by(assets.c.id).with_for_update()
            )

    def _perform(self, connection: sa.Connection, entry: _Entry) -> Outcome:
        """Runs one operation in its own savepoint: what it refuses undoes nothing but itself."""
        connection.exec_driver_sql("SAVEPOINT operation")  # SQLAlchemy's own compiles anew each time
        try:
            reply = recall(connection, entry.idempotency)
            if reply is None:
                reply = entry.operation(connection)
                remember(connection, entry.idempotency, reply, self.clock())
            connection.exec_driver_sql("RELEASE SAVEPOINT operation")
        except Exception as error:
            if isinstance(error, sa.exc.SQLAlchemyError) and storage_problem(error):
                raise
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT operation")
            connection.exec_driver_sql("RELEASE SAVEPOINT operation")
            return self._refused(connection, entry, error)
        return reply

    def _refused(self, connection: sa.Connection, entry: _Entry, error: Exception) -> Outcome:
        if isinstance(error, sa.exc.IntegrityError) and entry.idempotency:
            try:  # a replica stored the same key between our look and our insert
                if reply := recall(connection, entry.idempotency):
                    return reply
            except Problem as problem:
                return problem
        if not isinstance(error, Problem):
            self._undone()  # the operation may have been through, and its caches with it
            logger.error("an operation failed", exc_info=error)
        return error

    def _failed(self, error: Exception, *, committing: bool) -> Exception:
        """Returns what everybody in a failed transaction is told."""
        self._undone()
        problem = storage_problem(error) if isinstance(error, sa.exc.SQLAlchemyError) else None
        if problem is None or committing:
            logger.error("a transaction failed", exc_info=error)
        if problem is None:
            return error
        return _ambiguous(problem) if committing and isinstance(problem, StorageUnavailable) else problem

    def _undone(self) -> None:
        for callback in self._rollback_callbacks:
            _call(callback)

    def _settle(self, entries: Sequence[_Entry], outcomes: Sequence[Outcome]) -> None:
        """Answers everybody, with one wake-up for each event loop."""
        with self._changed:
            for entry in entries:
                self._keys.give_back(entry.idempotency)
        by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[_Entry, Outcome]]] = defaultdict(list)
        for entry, outcome in zip(entries, outcomes, strict=True):
            by_loop[entry.loop].append((entry, outcome))
        for loop, pairs in by_loop.items():
            if loop is None:
                _resolve(pairs)
            else:
                with contextlib.suppress(RuntimeError):  # the loop has closed, nobody waits any more
                    loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: Sequence[tuple[_Entry, Outcome]]) -> None:
    for entry, outcome in pairs:
        if entry.future.done():  # the client has gone; what it asked for is stored
            continue
        if isinstance(outcome, Reply):
            entry.future.set_result(outcome)
        else:
            entry.future.set_exception(outcome)


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # the transaction stands whatever a listener does
        logger.exception("a callback of the ledger failed")


def _ambiguous(problem: Problem) -> Problem:
    return StorageUnavailable(
        "the database failed while it committed, it is not known whether this was stored: send the same request again "
        "with the same Idempotency-Key or timestamp",
        headers=problem.headers,
    )

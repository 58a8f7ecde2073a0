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
from typing import Any, ClassVar, Generic, TypeVar

import sqlalchemy as sa

from servicekit.database.failures import storage_problem
from servicekit.database.problems import RETRY_AFTER, StorageUnavailable
from servicekit.database.store import Store
from servicekit.problems import NotReady, Overloaded, Problem

logger = logging.getLogger(__name__)

MAX_GROUP = 256  # changes in one commit
EWMA_WEIGHT = 0.1

T = TypeVar("T")
Operation = Callable[[sa.Connection], T]


class Change(Generic[T]):
    """One operation on its way to the disk; a service derives from it to do more around the operation."""

    __slots__ = ("future", "loop", "operation")

    def __init__(self, operation: Operation[T]) -> None:
        self.operation = operation
        self.future: asyncio.Future[T] | Future[T]
        self.loop: asyncio.AbstractEventLoop | None = None

    def admit(self) -> None:
        """Runs under the ledger's lock before the change is queued; a Problem refuses it."""

    def perform(self, connection: sa.Connection) -> T:
        """Runs in the writer thread in a savepoint of its own."""
        return self.operation(connection)

    def rescue(self, _connection: sa.Connection, error: Exception) -> T:
        """Returns the result of a change that failed and was undone all the same, or raises what its caller is told."""
        raise error

    def committed(self, _result: T) -> None:
        """Runs in the writer thread once the transaction is on disk, before anybody is answered."""

    def release(self) -> None:
        """Runs under the ledger's lock before the change is answered, whatever came of it."""


class _Failed:
    """What a change's caller is told in place of a result."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class Ledger:
    """One thread that writes; a call returns only after its commit. `clock` tells epoch milliseconds."""

    advice: ClassVar[str] = "look whether it was, or send the same request again"  # after a commit that failed

    def __init__(self, store: Store, clock: Callable[[], int], max_queue: int = 1024) -> None:
        self.clock = clock
        self.max_queue = max_queue
        self._store = store
        self._queue: deque[Change[Any]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._change_s = 0.001  # moving average, for Retry-After
        self._rollback_callbacks: list[Callable[[], None]] = []

    @property
    def depth(self) -> int:
        """How many changes wait for their commit."""
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

    async def submit(self, change: Change[T]) -> T:
        """Returns the change's result once it is on disk; raises its Problem, Overloaded or a storage problem."""
        change.loop = asyncio.get_running_loop()
        change.future = change.loop.create_future()
        self._enqueue(change)
        return await change.future

    def submit_blocking(self, change: Change[T]) -> T:
        """The same for worker threads; never call it from an event loop or from an operation."""
        change.future = Future()
        self._enqueue(change)
        return change.future.result()

    def lock(self, connection: sa.Connection, changes: Sequence[Any]) -> None:
        """Holds what the changes concern against other replicas; SQLite has one writer and does not ask."""

    def _enqueue(self, change: Change[Any]) -> None:
        with self._changed:
            if self._stopping or self._thread is None:
                raise NotReady("the service is stopping and stores nothing more", headers=RETRY_AFTER)
            if len(self._queue) >= self.max_queue:
                seconds = math.ceil(len(self._queue) * self._change_s)
                raise Overloaded(
                    f"{len(self._queue)} writes wait, the limit is {self.max_queue}",
                    headers={"Retry-After": str(max(1, seconds))},
                )
            change.admit()
            self._queue.append(change)
            self._changed.notify()

    def _run(self) -> None:
        while changes := self._next_group():
            started = time.perf_counter()
            outcomes = self._commit(changes)
            spent_s = (time.perf_counter() - started) / len(changes)
            self._change_s += EWMA_WEIGHT * (spent_s - self._change_s)
            self._settle(changes, outcomes)

    def _next_group(self) -> list[Change[Any]]:
        with self._changed:
            while not self._queue and not self._stopping:
                self._changed.wait()
            return [self._queue.popleft() for _ in range(min(len(self._queue), MAX_GROUP))]

    def _commit(self, changes: Sequence[Change[Any]]) -> Sequence[Any]:
        committing = False
        try:
            with self._store.begin() as connection:
                if not self._store.is_sqlite:
                    self.lock(connection, changes)
                outcomes = [self._perform(connection, change) for change in changes]
                committing = True
                connection.commit()
        except Exception as error:  # noqa: BLE001 the fan-out: this thread outlives whatever happens
            return [_Failed(self._failed(error, committing=committing))] * len(changes)
        for change, outcome in zip(changes, outcomes, strict=True):
            if not isinstance(outcome, _Failed):
                _call(change.committed, outcome)
        return outcomes

    def _perform(self, connection: sa.Connection, change: Change[Any]) -> Any:
        """Runs one change in its own savepoint: what it refuses undoes nothing but itself."""
        connection.exec_driver_sql("SAVEPOINT operation")  # SQLAlchemy's own compiles anew each time
        try:
            result = change.perform(connection)
            connection.exec_driver_sql("RELEASE SAVEPOINT operation")
        except Exception as error:
            if isinstance(error, sa.exc.SQLAlchemyError) and storage_problem(error):
                raise
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT operation")
            connection.exec_driver_sql("RELEASE SAVEPOINT operation")
            return self._refused(connection, change, error)
        return result

    def _refused(self, connection: sa.Connection, change: Change[Any], error: Exception) -> Any:
        try:
            return change.rescue(connection, error)
        except Problem as problem:
            return _Failed(problem)
        except Exception as same:
            if same is not error:
                raise
            self._undone()  # the operation may have been through, and its caches with it
            logger.error("an operation failed", exc_info=error)
            return _Failed(error)

    def _failed(self, error: Exception, *, committing: bool) -> Exception:
        """Returns what everybody in a failed transaction is told."""
        self._undone()
        problem = storage_problem(error) if isinstance(error, sa.exc.SQLAlchemyError) else None
        if problem is None or committing:
            logger.error("a transaction failed", exc_info=error)
        if problem is None:
            return error
        return self._ambiguous(problem) if committing and isinstance(problem, StorageUnavailable) else problem

    def _ambiguous(self, problem: Problem) -> Problem:
        return StorageUnavailable(
            f"the database failed while it committed, it is not known whether this was stored: {self.advice}",
            headers=problem.headers,
        )

    def _undone(self) -> None:
        for callback in self._rollback_callbacks:
            _call(callback)

    def _settle(self, changes: Sequence[Change[Any]], outcomes: Sequence[Any]) -> None:
        """Answers everybody, with one wake-up for each event loop."""
        with self._changed:
            for change in changes:
                change.release()
        by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[Change[Any], Any]]] = defaultdict(list)
        for change, outcome in zip(changes, outcomes, strict=True):
            by_loop[change.loop].append((change, outcome))
        for loop, pairs in by_loop.items():
            if loop is None:
                _resolve(pairs)
            else:
                with contextlib.suppress(RuntimeError):  # the loop has closed, nobody waits any more
                    loop.call_soon_threadsafe(_resolve, pairs)


class Writer(Ledger):
    """A ledger of plain operations: whatever one returns is what its caller gets."""

    async def write(self, operation: Operation[T]) -> T:
        return await self.submit(Change(operation))

    def write_blocking(self, operation: Operation[T]) -> T:
        return self.submit_blocking(Change(operation))


def _resolve(pairs: Sequence[tuple[Change[Any], Any]]) -> None:
    for change, outcome in pairs:
        if change.future.done():  # the client has gone; what it asked for is stored
            continue
        if isinstance(outcome, _Failed):
            change.future.set_exception(outcome.error)
        else:
            change.future.set_result(outcome)


def _call(callback: Callable[..., None], *arguments: Any) -> None:
    try:
        callback(*arguments)
    except Exception:  # the transaction stands whatever a listener does
        logger.exception("a callback of the ledger failed")

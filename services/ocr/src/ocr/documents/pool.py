"""Processes that are kept warm: each reads for one document at a time, and a spent one is replaced."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from ocr.documents.process import Process

MAX_ANSWERS = 500  # of one process: what leaks in a library stays small


@dataclass(slots=True)
class Lease:
    """One document's claim to processes."""

    key: int
    closed: bool = False


@dataclass(slots=True)
class _Idle:
    process: Process
    key: int  # of the document that it has open


class DocumentClosed(Exception):  # noqa: N818 - nothing went wrong
    """The document, or all of the service, was closed while it was being read: nobody waits for it."""


class Pool:
    """Up to `size` processes out of `start`; who finds none free waits. Thread-safe."""

    def __init__(self, start: Callable[[], Process], size: int, most_bytes: int) -> None:
        """A process that has taken more than `most_bytes` of address space is replaced after its answer."""
        self._start, self._size, self._most_bytes = start, size, most_bytes
        self.idle: list[_Idle] = []
        self.restarts = 0  # processes that died or were killed
        self._count = 0  # of processes that run or are being started
        self._closed = False
        self._changed = threading.Condition()
        self._busy: list[tuple[Lease, Process]] = []
        # A process ends with the thread that started it (PR_SET_PDEATHSIG): one thread starts all, and lives on.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="pdf-starter")

    def warm_up(self) -> None:
        """Starts a process; raises what `start` raises."""
        with self.process(Lease(-1)):
            pass

    @property
    def busy(self) -> list[Process]:
        """The processes that work now."""
        with self._changed:
            return [process for _, process in self._busy]

    @contextmanager
    def process(self, lease: Lease) -> Iterator[Process]:
        """Lends a process, preferably one that has the document open. One that was killed does not come back."""
        process = self._take(lease)
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            self._give(lease, process)

    def _take(self, lease: Lease) -> Process:
        with self._changed:
            self._changed.wait_for(lambda: self.idle or self._count < self._size or self._closed or lease.closed)
            if self._closed or lease.closed:
                raise DocumentClosed
            if self.idle:
                chosen = next((idle for idle in self.idle if idle.key == lease.key), self.idle[-1])
                self.idle.remove(chosen)
                self._busy.append((lease, chosen.process))
                return chosen.process
            self._count += 1
            started = self._starter.submit(self._start)
        return self._begun(lease, started)

    def _begun(self, lease: Lease, started: Future[Process]) -> Process:
        try:
            process = started.result()
        except BaseException:
            self._lost()
            raise
        with self._changed:
            self._busy.append((lease, process))
            if self._closed or lease.closed:
                process.kill()
        return process

    def _give(self, lease: Lease, process: Process) -> None:
        spent = process.answered >= MAX_ANSWERS or not 0 < process.memory_bytes <= self._most_bytes
        with self._changed:
            self._busy.remove((lease, process))
            self.restarts += process.killed
            if not (spent or process.killed or lease.closed or self._closed):
                self.idle.append(_Idle(process, lease.key))
                self._changed.notify()
                return
        process.close()
        self._lost()

    def _lost(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify()

    def end(self, lease: Lease, message: bytes) -> None:
        """Kills what works for this lease; tells those that have its document open to let it go."""
        with self._changed:
            lease.closed = True
            for process in [process for holder, process in self._busy if holder is lease]:
                process.kill()
            for idle in self.idle:
                if idle.key == lease.key:
                    idle.process.tell(message)
            self._changed.notify_all()

    def close(self) -> None:
        """Ends all processes, idle or not."""
        with self._changed:
            self._closed = True
            idle, self.idle = self.idle, []
            self._count -= len(idle)
            for lease, process in self._busy:
                lease.closed = True
                process.kill()
            self._changed.notify_all()
        for each in idle:
            each.process.close()
        self._starter.shutdown()

"""Load on a running service: so many requests at once, for a bounded time or number, and what came of them.

Threads and the standard library's client: against a constant answer they sent 8,000 requests a second from one core,
several times what a load on pictures needs.
"""

import http.client
import itertools
import json
import math
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from digit.commands import pictures
from digit.commands.tally import OK, Tally
from digit.commands.target import Target, form

MAX_LOADED_BYTES = 256 * 1024 * 1024  # of pictures, in memory while the load lasts
MAX_ANSWER_BYTES = 1024 * 1024
REST_S = 0.1  # after a request without an answer, so that a dead server is not hammered
WATCH_S = 0.1
REFUSED_PICTURE = 422
# The address, the path or the key is wrong: asking again does not help.
HOPELESS = (301, 302, 303, 307, 308, 401, 403, 404, 405)

Watch = Callable[[float, str], None]  # the share done and a word


@dataclass(frozen=True)
class Bounds:
    """A load ends with the first that is reached; `timeout_s` is the longest wait for a server that says nothing."""

    concurrency: int
    requests: float = math.inf
    duration_s: float = math.inf
    timeout_s: float = 30.0

    def share(self, elapsed_s: float, sent: int) -> float:
        return min(1.0, max(elapsed_s / self.duration_s, sent / self.requests))


@dataclass(frozen=True)
class Shot:
    """A picture, ready to be sent."""

    name: str
    body: bytes


@dataclass(frozen=True)
class Outcome:
    tally: Tally
    seconds: float
    interrupted: bool


def shots_of(place: Path) -> list[Shot]:
    """Reads the pictures of a folder, as many as fit into the memory that a load may take."""
    shots: list[Shot] = []
    size = 0
    for path in pictures.find(place):
        size += path.stat().st_size
        if size > MAX_LOADED_BYTES and shots:
            break
        name = pictures.name_below(place, path)
        shots.append(Shot(name, form(name.rpartition("/")[2], path.read_bytes())))
    return shots


def run(target: Target, shots: Sequence[Shot], bounds: Bounds, watch: Watch) -> Outcome:
    """Sends the pictures in turn, each connection its next one when the last is answered, until a bound is reached.

    Ctrl+C ends it early. Raises OSError where nobody answers, ValueError where the first answer says that asking
    again is no use.
    """
    _try_once(target, shots[0], bounds.timeout_s)
    stop, turns = Event(), itertools.count()
    clients = [_Client(target, shots, turns, stop, bounds) for _ in range(bounds.concurrency)]
    started = time.perf_counter()
    interrupted = False
    try:
        for client in clients:
            client.begin(started)
        _watch(clients, started, bounds, watch)
    except KeyboardInterrupt:
        interrupted = True
    stop.set()
    total = Tally()
    for client in clients:
        client.end()
        total.add(client.tally)
    return Outcome(total, max(client.ended_at for client in clients) - started, interrupted)


def _try_once(target: Target, shot: Shot, timeout_s: float) -> None:
    connection = target.connect(timeout_s)
    try:
        status, answer = _ask(connection, target, shot)
    except http.client.HTTPException as error:
        raise ConnectionError(f"{target.url}: the answer is no HTTP: {error!r}") from error
    finally:
        connection.close()
    if status in HOPELESS:
        raise ValueError(f"{target.url} answered {status}: {answer[:200].decode(errors='replace')}")


def _watch(clients: Sequence["_Client"], started: float, bounds: Bounds, watch: Watch) -> None:
    while any(client.thread.is_alive() for client in clients):
        elapsed_s = time.perf_counter() - started
        if elapsed_s > bounds.duration_s + bounds.timeout_s:
            return
        time.sleep(WATCH_S)
        sent = sum(client.tally.sent for client in clients)
        failed = sum(client.tally.failed for client in clients)
        watch(bounds.share(elapsed_s, sent), f"{sent:,} requests, {failed:,} failed")


class _Client:
    """One connection and the thread that uses it; it opens before the clock starts."""

    def __init__(
        self, target: Target, shots: Sequence[Shot], turns: Iterator[int], stop: Event, bounds: Bounds
    ) -> None:
        self.target, self.shots, self.turns, self.stop, self.bounds = target, shots, turns, stop, bounds
        self.tally = Tally()
        self.connection = target.connect(bounds.timeout_s)
        self.thread = Thread(target=self._run, daemon=True)
        self.until = self.ended_at = time.perf_counter()

    def begin(self, started: float) -> None:
        self.until = started + self.bounds.duration_s
        self.thread.start()

    def end(self) -> None:
        """Ends the thread though it may wait for an answer."""
        if self.thread.is_alive() and self.connection.sock:
            with suppress(OSError):
                self.connection.sock.shutdown(socket.SHUT_RDWR)
        if self.thread.ident:
            self.thread.join()
        self.connection.close()

    def _run(self) -> None:
        while not self.stop.is_set() and time.perf_counter() < self.until:
            turn = next(self.turns)
            if turn >= self.bounds.requests:
                break
            self._send(self.shots[turn % len(self.shots)])
        self.ended_at = time.perf_counter()

    def _send(self, shot: Shot) -> None:
        sent_at = time.perf_counter()
        try:
            status, answer = _ask(self.connection, self.target, shot)
        except (OSError, http.client.HTTPException) as error:
            self._note_silence(error)
            return
        if status == OK:
            self.tally.latencies_s.append(time.perf_counter() - sent_at)
        self.tally.statuses[status] += 1
        if status in (OK, REFUSED_PICTURE):
            self.tally.accuracy.count(shot.name, _prediction(answer))

    def _note_silence(self, error: Exception) -> None:
        self.connection.close()  # the next request opens it again
        if not self.stop.is_set():  # else it was we who cut it off
            self.tally.failures[_reason(error)] += 1
            self.stop.wait(REST_S)


def _ask(connection: http.client.HTTPConnection, target: Target, shot: Shot) -> tuple[int, bytes]:
    connection.request("POST", target.path, shot.body, target.headers)
    response = connection.getresponse()
    answer = response.read(MAX_ANSWER_BYTES + 1)
    if len(answer) > MAX_ANSWER_BYTES:
        raise http.client.HTTPException("answer too large")
    return response.status, answer


def _prediction(answer: bytes) -> int | None:
    try:
        found = json.loads(answer)["prediction"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError):  # http.client's RemoteDisconnected is one
        return "connection closed"
    return str(error) or type(error).__name__

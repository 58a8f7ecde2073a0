"""The worker against real servers on loopback: retries, restarts, receivers that hang, two workers side by side."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from anomaly.alerting import delivery, outbox, receivers
from anomaly.alerting.delivery import Delivery, backoff_s
from anomaly.alerting.notices import Notice, new_id
from anomaly.alerting.outbox import LEASE_MS
from anomaly.alerting.webhook import Outcome
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from pydantic import SecretStr
from servicekit.database.store import Store


@dataclass
class Settings:
    """What delivery needs of the settings."""

    webhook_urls: list[str]
    webhook_secret: SecretStr | None = None
    webhook_allow: list[str] = field(default_factory=lambda: ["127.0.0.1"])
    smtp_url: SecretStr | None = None
    mail_from: str = "lineside@localhost"
    mail_to: list[str] = field(default_factory=list)
    public_url: str = ""
    delivery_max_attempts: int = 3


class Hook(ThreadingHTTPServer):
    """A webhook receiver; `answers` are given in turn, the last one for ever."""

    daemon_threads = True

    def __init__(self, answers: list[int], port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answers = answers
        self.gate: threading.Event | None = None
        self.requests: list[tuple[str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.headers["webhook-id"], body))
        if self.server.gate is not None:
            self.server.gate.wait(10)
        answers = self.server.answers
        with suppress(OSError):
            self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
            self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Says nothing."""


@contextmanager
def serving(*answers: int, port: int = 0) -> Iterator[Hook]:
    hook = Hook(list(answers), port)
    thread = threading.Thread(target=hook.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hook
    finally:
        if hook.gate is not None:
            hook.gate.set()
        hook.shutdown()
        thread.join()
        hook.server_close()


@pytest.fixture
def clock() -> Callable[[], int]:
    """Real time: these tests wait for what the worker does by itself."""
    return lambda: time.time_ns() // 1_000_000


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_DELAY_S", 0.05)
    monkeypatch.setattr(delivery, "POLL_S", 0.2)


def queue(ledger: Ledger, *names: str) -> list[int]:
    ids: list[int] = []

    def operation(connection: Any) -> Reply:
        notice = Notice(new_id(), "firing", "press-4", "anomaly", "minor", 1_767_225_600_000)
        ids.extend(outbox.enqueue(connection, notice, names, ledger.clock()))
        return Reply(204)

    ledger.write_blocking(operation)
    return ids


def statuses(store: Store) -> Sequence[tuple[str, int]]:
    """Returns status and attempts of every delivery, oldest first."""
    return [(found.status, found.attempts) for found in store.read_blocking(lambda c: outbox.page(c, None, None, 100))][
        ::-1
    ]


def work(worker: Delivery, until: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Runs the worker until something is true."""

    async def scenario() -> None:
        running = asyncio.create_task(worker.run())
        async with asyncio.timeout(timeout_s):
            while not await asyncio.to_thread(until):
                await asyncio.sleep(0.02)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(scenario())


def done(store: Store) -> Callable[[], bool]:
    return lambda: all(status != "pending" for status, _ in statuses(store))


def test_what_is_queued_is_delivered_once(ledger: Ledger, store: Store) -> None:
    with serving(200) as hook:
        worker = Delivery(store, ledger, Settings([hook.url]))
        for _ in range(20):
            queue(ledger, *worker.names)
        work(worker, done(store))
        assert len({identifier for identifier, _ in hook.requests}) == 20
        assert len(hook.requests) == 20
    assert worker.outcomes == {("webhook", "delivered"): 20}


@pytest.mark.usefixtures("quick")
def test_a_failure_is_tried_again_under_the_same_id_and_body(ledger: Ledger, store: Store) -> None:
    with serving(500, 503, 200) as hook:
        worker = Delivery(store, ledger, Settings([hook.url]))
        queue(ledger, *worker.names)
        work(worker, done(store))
        assert statuses(store) == [("delivered", 3)]
        assert len(hook.requests) == 3
        assert hook.requests[0] == hook.requests[1] == hook.requests[2]
    assert worker.outcomes == {("webhook", "retried"): 2, ("webhook", "delivered"): 1}


@pytest.mark.usefixtures("quick")
def test_after_the_last_attempt_it_is_failed_and_a_retry_delivers_it(ledger: Ledger, store: Store) -> None:
    with serving(500, 500, 500, 200) as hook:
        worker = Delivery(store, ledger, Settings([hook.url]))
        (delivery_id,) = queue(ledger, *worker.names)
        work(worker, done(store))
        assert statuses(store) == [("failed", 3)]

        def again(connection: Any) -> Reply:
            outbox.retry(connection, delivery_id, ledger.clock())
            return Reply(204)

        ledger.write_blocking(again)
        work(worker, done(store))
        assert statuses(store) == [("delivered", 1)]


def test_a_final_answer_is_not_tried_again(ledger: Ledger, store: Store) -> None:
    with serving(410) as hook:
        worker = Delivery(store, ledger, Settings([hook.url]))
        queue(ledger, *worker.names)
        work(worker, done(store))
        assert statuses(store) == [("failed", 1)]
        assert len(hook.requests) == 1


@pytest.mark.usefixtures("quick")
def test_a_receiver_that_hangs_delays_no_other(ledger: Ledger, store: Store) -> None:
    with serving(200) as slow, serving(200) as fast:
        slow.gate = threading.Event()
        worker = Delivery(store, ledger, Settings([slow.url, fast.url]))
        queue(ledger, *worker.names)
        work(worker, lambda: ("delivered", 1) in statuses(store), timeout_s=5)
        assert len(fast.requests) == 1


@pytest.mark.usefixtures("quick")
def test_a_receiver_that_is_down_is_reached_when_it_comes_back(ledger: Ledger, store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/hook"
    worker = Delivery(store, ledger, Settings([url], delivery_max_attempts=100))
    queue(ledger, *worker.names)
    work(worker, lambda: worker.outcomes["webhook", "retried"] >= 2)
    with serving(200, port=port) as hook:
        work(worker, done(store))
        assert len(hook.requests) == 1


@dataclass
class Stuck:
    """A receiver whose sending never ends, as in a process that is killed meanwhile."""

    name: str
    kind: str = "webhook"
    attempts: int = 0

    async def send(self, notice: Notice, attempt: int) -> Outcome:
        self.attempts = attempt
        await asyncio.sleep(3600)
        return Outcome()


def test_a_worker_that_dies_while_sending_loses_nothing(
    store: Store, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim was on disk, the success was not: after the lease the next worker sends it, under the same id."""
    monkeypatch.setattr(outbox, "LEASE_MS", 300)
    monkeypatch.setattr(delivery, "POLL_S", 0.1)
    with serving(200) as hook:
        settings = Settings([hook.url])
        stuck = Stuck(receivers.of(settings)[0].name)
        queue(ledger, stuck.name)
        work(Delivery(store, ledger, settings, made=[stuck]), lambda: stuck.attempts == 1)
        assert statuses(store) == [("pending", 1)]
        work(Delivery(store, ledger, settings), done(store))
        assert statuses(store) == [("delivered", 2)]
        assert len(hook.requests) == 1


CHILD = """
import asyncio, json, sys, time
job = json.loads(sys.argv[1])
sys.path[:] = job["path"]
from anomaly.alerting import delivery, outbox
from anomaly.storage.ledger import Ledger
from anomaly.settings import Settings
from servicekit.database.store import Store
outbox.LEASE_MS, delivery.POLL_S = 500, 0.1
settings = Settings(database_url=job["url"], webhook_urls=[job["hook"]], webhook_allow=["127.0.0.1"])
store = Store(job["url"])
ledger = Ledger(store, lambda: time.time_ns() // 1_000_000)
ledger.start()
asyncio.run(delivery.Delivery(store, ledger, settings).run())
"""


def wait_for(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_process_killed_while_sending_loses_nothing(sqlite_url: str, clock: Callable[[], int]) -> None:
    store = Store(sqlite_url)
    ledger = Ledger(store, clock)
    ledger.start()
    with serving(200) as hook:
        hook.gate = threading.Event()
        queue(ledger, receivers.names(Settings([hook.url]))[0])
        job = json.dumps({"path": sys.path, "url": sqlite_url, "hook": hook.url})
        with subprocess.Popen([sys.executable, "-c", CHILD, job]) as first:
            wait_for(lambda: len(hook.requests) == 1)
            first.kill()
        assert statuses(store) == [("pending", 1)]
        hook.gate.set()
        with subprocess.Popen([sys.executable, "-c", CHILD, job]) as second:
            wait_for(done(store))
            second.kill()
        assert statuses(store) == [("delivered", 2)]
        assert hook.requests[0] == hook.requests[1]  # the receiver can tell that it is the same
    ledger.stop()
    store.close()


def test_the_lease_outlasts_every_attempt() -> None:
    from anomaly.alerting import mail, webhook

    assert max(webhook.TIMEOUT_S, mail.TIMEOUT_S + mail.CONNECT_TIMEOUT_S) * 1000 < LEASE_MS


def test_two_workers_side_by_side_send_each_notice_once(postgresql_url: str, clock: Callable[[], int]) -> None:
    stores = [Store(postgresql_url), Store(postgresql_url)]
    ledgers = [Ledger(store, clock) for store in stores]
    with serving(200) as hook:
        workers = [Delivery(s, led, Settings([hook.url])) for s, led in zip(stores, ledgers, strict=True)]
        for ledger in ledgers:
            ledger.start()
        for _ in range(50):
            queue(ledgers[0], *workers[0].names)

        async def scenario() -> None:
            running = [asyncio.create_task(worker.run()) for worker in workers]
            async with asyncio.timeout(20):
                while not await asyncio.to_thread(done(stores[0])):
                    await asyncio.sleep(0.02)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

        asyncio.run(scenario())
        assert len(hook.requests) == 50
        assert len({identifier for identifier, _ in hook.requests}) == 50
    for ledger in ledgers:
        ledger.stop()
    for store in stores:
        store.close()


def test_a_wake_is_heard_at_once(ledger: Ledger, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "POLL_S", 30.0)
    with serving(200) as hook:
        worker = Delivery(store, ledger, Settings([hook.url]))

        async def scenario() -> None:
            running = asyncio.create_task(worker.run())
            await asyncio.sleep(0.2)
            await asyncio.to_thread(queue, ledger, *worker.names)
            await asyncio.to_thread(worker.wake)
            async with asyncio.timeout(5):
                while not hook.requests:
                    await asyncio.sleep(0.02)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        asyncio.run(scenario())
    worker.wake()  # after the end as well: nobody listens, nothing breaks


def test_notices_to_receivers_that_are_gone_are_given_up(ledger: Ledger, store: Store) -> None:
    queue(ledger, "mail:gone@factory.example")
    work(Delivery(store, ledger, Settings([])), done(store))
    assert statuses(store) == [("failed", 0)]


@pytest.mark.usefixtures("quick")
def test_a_ledger_that_refuses_for_a_while_is_waited_for(ledger: Ledger, store: Store) -> None:
    with serving(200) as hook:
        worker = Delivery(store, ledger, Settings([hook.url]))
        queue(ledger, *worker.names)
        ledger.stop()

        async def scenario() -> None:
            running = asyncio.create_task(worker.run())
            await asyncio.sleep(0.5)
            assert hook.requests == []
            ledger.start()
            async with asyncio.timeout(5):
                while not await asyncio.to_thread(done(store)):
                    await asyncio.sleep(0.02)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        asyncio.run(scenario())
        assert len(hook.requests) == 1


def test_the_wait_doubles_up_to_an_hour_and_half_of_it_is_chance() -> None:
    assert [backoff_s(attempt, spread=lambda: 1.0) for attempt in (1, 2, 3, 10, 11, 100)] == [
        5,
        10,
        20,
        2560,
        3600,
        3600,
    ]
    assert backoff_s(1, spread=lambda: 0.0) == 2.5
    assert backoff_s(1, retry_after_s=60.0) == 60.0


def test_check_refuses_what_delivery_could_not_use() -> None:
    delivery.check(Settings([]))
    with pytest.raises(ValueError, match="ANOMALY_WEBHOOK_URLS"):
        delivery.check(Settings(["ftp://x"]))

"""The service is killed with SIGKILL at random moments under load: what it had acknowledged is there, once.

`LINESIDE_KILLS=50` makes it the full trial; the default fits into everyday tests.
"""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.alerting import alarms
from anomaly.ingestion import assets
from anomaly.model import Model
from anomaly.storage import schema
from servicekit.database.store import Store

KILLS = int(os.environ.get("LINESIDE_KILLS", "4"))
ASSETS = ("press", "saw", "mill")
CLIENTS = 8
BATCH_ROWS = 20
START_S = 60.0
UNIT = 1e9  # a row's identity, in units too small to matter to its score


@dataclass
class Server:
    """The service as its own process; `kill` gives it no chance to say goodbye."""

    database_url: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
        environment |= {"ANOMALY_DATABASE_URL": self.database_url, "ANOMALY_PORT": str(self.port)}
        environment |= {"ANOMALY_ACCESS_LOG": "false"}
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "anomaly", "serve"]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while not self._ready():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _ready(self) -> bool:
        try:
            return self.request("GET", "/assets", b"")[0] == 200
        except OSError:
            return False

    def request(self, method: str, path: str, body: bytes, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()


@dataclass
class Client:
    """Posts until told to stop; what is not answered is sent again as it was, until it is answered.

    The first value of each row is unique, so that a row stored twice is seen whatever its timestamp. Some clients give
    timestamps, some rely on their Idempotency-Key alone, one posts batches.
    """

    server: Server
    number: int
    stop: threading.Event
    acknowledged: dict[str, tuple[str, list[int], Any]] = field(default_factory=dict)  # key → path, rows, answer
    refused: Counter[int] = field(default_factory=Counter)
    repeated: int = 0
    count: int = 0

    def run(self) -> None:
        while not self.stop.is_set():
            path, rows, body = self._next()
            key = f"{self.number}-{self.count}"
            first = True
            give_up = time.monotonic() + START_S
            while (answer := self._post(path, body, key)) is None:
                assert time.monotonic() < give_up, f"no answer for {START_S} s: {self.refused}"
                self.repeated += first
                first = False
                time.sleep(0.05)
            self.acknowledged[key] = (path, rows, json.loads(answer))

    def _next(self) -> tuple[str, list[int], bytes]:
        self.count += 1
        asset = ASSETS[(self.number + self.count) % len(ASSETS)]
        first = (self.number * 1_000_000 + self.count) * 100
        if self.number == 0:
            rows = list(range(first, first + BATCH_ROWS))
            return f"/assets/{asset}/batch", rows, json.dumps({"rows": [self._row(i) for i in rows]}).encode()
        reading: dict[str, Any] = {"values": self._row(first)}
        if self.number % 2:
            reading["timestamp"] = time.time_ns() // 1_000_000
        return f"/assets/{asset}", [first], json.dumps(reading).encode()

    def _row(self, identity: int) -> list[float]:
        return [identity / UNIT, 9.0 if identity // 100 % 40 < 8 else 0.0]

    def _post(self, path: str, body: bytes, key: str) -> bytes | None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        try:
            status, answer, _ = self.server.request("POST", path, body, **headers)
        except (OSError, http.client.HTTPException):
            return None
        if status == 409 and b"conflicting-reading" in answer:  # another client was there in the same millisecond
            return b"null"
        self.refused[status] += status != 200
        return answer if status == 200 else None


def free_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    server = Server(database_url, free_port(), tmp_path)
    server.start()
    yield server
    server.kill()


def test_nothing_acknowledged_is_lost_and_nothing_counted_twice(
    server: Server, make_model: Callable[..., Model]
) -> None:
    install(server, make_model())
    stop = threading.Event()
    clients = [Client(server, number, stop) for number in range(CLIENTS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    try:
        for number in range(KILLS):
            time.sleep(random.Random(number).uniform(0.05, 0.8))
            server.kill()
            server.start()
        time.sleep(0.3)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    check_answers_again(server, clients)
    server.kill()
    store = Store(server.database_url)
    check_rows(store, clients)
    check_states(store)
    store.close()


def install(server: Server, model: Model) -> None:
    for asset in ASSETS:
        assert server.request("PUT", f"/assets/{asset}", b"")[0] == 201
        settings = b'{"drift":{"enabled":false},"alarm":{"m":3,"n":5}}'
        typed = {"Content-Type": "application/json"}
        assert server.request("PUT", f"/assets/{asset}/settings", settings, **typed)[0] == 200
        typed = {"Content-Type": "application/octet-stream"}
        assert server.request("PUT", f"/models/{asset}?activate=true", model.dump(), **typed)[0] == 201


def check_answers_again(server: Server, clients: list[Client]) -> None:
    """A key that was answered gets the same answer after any number of restarts."""
    for client in clients:
        assert len(client.acknowledged) > KILLS, "there was no load"
        key, (_, _, answer) = next(pair for pair in client.acknowledged.items() if pair[1][2] is not None)
        again = Client(server, client.number, client.stop)
        again.count = int(key.partition("-")[2]) - 1
        path, _, body = again._next()
        if client.number % 2 == 0:  # without a timestamp the request can be made again as it was
            headers = {"Content-Type": "application/json", "Idempotency-Key": key}
            status, found, sent = server.request("POST", path, body, **headers)
            assert (status, json.loads(found), sent["idempotency-replayed"]) == (200, answer, "true")


def check_rows(store: Store, clients: list[Client]) -> None:
    """Every acknowledged row is stored once with the score of its answer, and no other row is."""
    table = schema.readings
    with store.engine.connect() as connection:
        rows = list(connection.execute(sa.select(table.c["values"], table.c.score)))
    identities = [round(np.frombuffer(values, "<f8")[0] * UNIT) for values, _ in rows]
    stored = Counter(identities)
    scores = dict(zip(identities, (score for _, score in rows), strict=True))
    assert max(stored.values()) == 1, "a reading was counted twice"
    expected: dict[int, float] = {}
    for client in clients:
        for _, sent, answer in client.acknowledged.values():
            if answer is not None:
                expected |= dict(zip(sent, answer.get("scores") or [answer["score"]], strict=True))
    assert set(expected) - set(stored) == set(), "an acknowledged reading is missing"
    assert set(stored) - set(expected) == set(), "a reading is there that nobody was answered for"
    assert scores == expected
    repeated = sum(client.repeated for client in clients)
    print(f"{KILLS} kills, {len(expected)} readings, {repeated} requests sent again")


def check_states(store: Store) -> None:
    """The alarm of each asset is what its stored readings make of it: no reading moved it without being stored."""
    for name in ASSETS:
        with store.engine.connect() as connection:
            row = assets.asset_row(connection, name)
            table = schema.readings
            query = sa.select(table).where(table.c.asset_id == row.id, table.c.fate == "live").order_by(table.c.id)
            state, count = alarms.AlarmState(), 0
            for reading in connection.execute(query):
                state, transition = alarms.step(
                    assets.settings_of(row).alarm,
                    state,
                    reading.at_ms,
                    reading.score,
                    reading.threshold,
                    reading.status,
                )
                count += transition.exceedances if transition else 0
            alerts = schema.alerts
            counted = connection.scalar(sa.select(sa.func.sum(alerts.c.count)).where(alerts.c.asset_id == row.id))
        assert alarms.load(row.state["alarm"]) == state
        assert (counted or 0) == count

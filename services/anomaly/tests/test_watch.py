"""The periodic check: silence, shelvings that end, rows that are too old."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import pytest
import sqlalchemy as sa
from anomaly.alerting import alerts, operators, outbox, watch
from anomaly.alerting.alarms import Transition
from anomaly.alerting.alerts import Evidence
from anomaly.alerting.delivery import Delivery
from anomaly.alerting.watch import Watch
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from anomaly.storage.schema import alerts as table
from anomaly.storage.schema import assets
from pydantic import SecretStr
from servicekit.database.store import Store

T = TypeVar("T")
DAY_S = 86_400


class Clock(Protocol):
    """conftest's clock."""

    now_ms: int

    def advance(self, seconds: float) -> None: ...


@dataclass
class Settings:
    """What delivery and the watch need of the settings."""

    webhook_urls: list[str] = field(default_factory=lambda: ["http://127.0.0.1:9/a"])
    webhook_secret: SecretStr | None = None
    webhook_allow: list[str] = field(default_factory=lambda: ["127.0.0.1"])
    smtp_url: SecretStr | None = None
    mail_from: str = "lineside@localhost"
    mail_to: list[str] = field(default_factory=list)
    public_url: str = ""
    delivery_max_attempts: int = 3
    history_max_age_days: float = 365.0


def write(ledger: Ledger, change: Callable[[sa.Connection], T]) -> T:
    found: list[T] = []

    def operation(connection: sa.Connection) -> Reply:
        found.append(change(connection))
        return Reply(204)

    ledger.write_blocking(operation)
    return found[0]


@dataclass
class Line:
    """One asset that is listened for, and the watch."""

    ledger: Ledger
    store: Store
    clock: Clock
    watch: Watch

    def add(self, name: str, alarm: dict[str, Any], newest_ms: int | None) -> None:
        row = {"name": name, "created_ms": self.clock.now_ms, "settings": {"alarm": alarm}, "newest_ms": newest_ms}
        write(self.ledger, lambda c: c.execute(sa.insert(assets).values(**row)).rowcount)

    def change(self, **values: Any) -> None:
        write(self.ledger, lambda c: c.execute(sa.update(assets).values(**values)).rowcount)

    def check(self, *, prune: bool = False) -> None:
        asyncio.run(self.watch.check(prune=prune))

    def states(self) -> list[tuple[str, str]]:
        rows = self.store.read_blocking(lambda c: alerts.page(c, "all", None, None, None, 100))
        return [(row.kind, alerts.shown(row, self.clock.now_ms).state) for row in rows]

    def told(self) -> list[str]:
        return [found.notice for found in self.store.read_blocking(lambda c: outbox.page(c, None, None, 100))][::-1]


@pytest.fixture
def line(ledger: Ledger, store: Store, clock: Clock) -> Line:
    settings = Settings()
    return Line(ledger, store, clock, Watch(store, ledger, settings, Delivery(store, ledger, settings)))


def test_an_asset_that_falls_silent_raises_one_alert_and_clears_it_when_heard(line: Line) -> None:
    line.add("press-4", {"silence_s": 60}, line.clock.now_ms)
    line.clock.advance(60)
    line.check()
    assert line.states() == []
    line.clock.advance(1)
    line.check()
    line.check()
    assert line.states() == [("silent", "active")]
    line.change(newest_ms=line.clock.now_ms)
    line.check()
    assert line.states() == [("silent", "cleared")]
    assert line.told() == ["firing", "resolved"]


def test_the_alert_says_for_how_long(line: Line) -> None:
    line.add("press-4", {"silence_s": 60}, line.clock.now_ms)
    line.clock.advance(90)
    line.check()
    (row,) = line.store.read_blocking(lambda c: alerts.page(c, "all", None, None, None, 1))
    assert (row.last_score, row.threshold, row.severity) == (90.0, 60.0, "major")


def test_an_asset_that_never_spoke_counts_from_its_making(line: Line) -> None:
    line.add("press-4", {"silence_s": 60}, None)
    line.clock.advance(61)
    line.check()
    assert line.states() == [("silent", "active")]


@pytest.mark.parametrize("alarm", [{}, {"silence_s": None}, {"silence_s": 60, "enabled": False}])
def test_an_asset_that_nobody_listens_for_is_never_silent(line: Line, alarm: dict[str, Any]) -> None:
    line.add("press-4", alarm, line.clock.now_ms)
    line.clock.advance(10 * DAY_S)
    line.check()
    assert line.states() == []


def test_an_asset_without_any_settings_is_never_silent(line: Line) -> None:
    line.add("press-4", {}, line.clock.now_ms)
    line.change(settings={})
    line.clock.advance(10 * DAY_S)
    line.check()
    assert line.states() == []


def test_taking_silence_s_back_clears_the_alert(line: Line) -> None:
    line.add("press-4", {"silence_s": 60}, line.clock.now_ms)
    line.clock.advance(61)
    line.check()
    line.change(settings={"alarm": {"silence_s": None}})
    line.check()
    assert line.states() == [("silent", "cleared")]


def open_anomaly(line: Line) -> int:
    line.add("press-4", {}, line.clock.now_ms)

    def make(connection: sa.Connection) -> int:
        asset = connection.execute(sa.select(assets)).one()
        transition = Transition("anomaly", "opened", line.clock.now_ms, line.clock.now_ms, 1)
        alerts.apply(connection, asset, transition, Evidence(2.0, 1.0), line.clock.now_ms, ["mail:a@b.example"])
        return int(connection.execute(sa.select(table.c.id)).scalar_one())

    return write(line.ledger, make)


def test_a_shelving_ends_by_itself_and_the_alarm_is_told_again(line: Line) -> None:
    alert_id = open_anomaly(line)
    write(line.ledger, lambda c: operators.shelve(c, alert_id, 60, line.clock.now_ms))
    line.clock.advance(59)
    line.check()
    assert line.states() == [("anomaly", "shelved")]
    line.clock.advance(1)
    line.check()
    assert line.states() == [("anomaly", "active")]
    assert line.told() == ["firing", "firing"]
    line.check()
    assert line.told() == ["firing", "firing"]


def test_a_round_without_anything_to_change_writes_nothing(line: Line) -> None:
    line.add("press-4", {"silence_s": 60}, line.clock.now_ms)
    assert line.store.read_blocking(lambda c: watch.concerned(c, line.clock.now_ms)) == []
    line.ledger.stop()
    line.check()


def test_counts_open_alerts_and_the_queue(line: Line) -> None:
    open_anomaly(line)
    line.check()
    assert line.watch.open_alerts == {"anomaly": 1}
    assert line.watch.queue_length == 1


def test_prunes_cleared_alerts_after_their_age_and_keeps_open_ones(line: Line) -> None:
    alert_id = open_anomaly(line)
    line.clock.advance(400 * DAY_S)
    line.check(prune=True)
    assert line.states() == [("anomaly", "active")]
    row = line.store.read_blocking(lambda c: operators.row_of(c, alert_id))
    write(line.ledger, lambda c: alerts.clear(c, row, line.clock.now_ms, []))
    line.clock.advance(366 * DAY_S)
    line.check(prune=True)
    assert line.states() == []


def test_it_runs_until_cancelled_and_survives_a_database_that_is_away(line: Line) -> None:
    async def scenario() -> None:
        line.ledger.stop()  # every write is refused from here on
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await line.watch.run()

    asyncio.run(scenario())

"""What people do to alerts, and what receivers hear of it."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from anomaly.alerting import alarms, alerts, operators, outbox
from anomaly.alerting.alarms import AlarmSettings, AlarmState, Event, Kind, Transition
from anomaly.alerting.alerts import Alert, Evidence
from anomaly.alerting.operators import Person
from anomaly.problems import AlertCleared, UnknownAlert
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from anomaly.storage.schema import assets
from servicekit.database.store import Store

T = TypeVar("T")
NOW = 1_767_225_600_000
HOOK = "webhook:https://hooks.example/a"
KIM = Person("Kim", "on my way")


def write(ledger: Ledger, change: Callable[[sa.Connection], T]) -> T:
    found: list[T] = []

    def operation(connection: sa.Connection) -> Reply:
        found.append(change(connection))
        return Reply(204)

    ledger.write_blocking(operation)
    return found[0]


class Line:
    """One asset with an alarm, and the calls of an operator."""

    def __init__(self, ledger: Ledger, store: Store) -> None:
        self.ledger, self.store = ledger, store

        def make(connection: sa.Connection) -> Any:
            connection.execute(sa.insert(assets).values(name="press-4", created_ms=NOW))
            return connection.execute(sa.select(assets)).one()

        self.asset = write(ledger, make)

    def apply(self, event: Event, now_ms: int = NOW, kind: Kind = "anomaly") -> None:
        transition = Transition(kind, event, now_ms, now_ms, 1)
        evidence = Evidence(3.0, 1.0, 1)
        write(self.ledger, lambda c: alerts.apply(c, self.asset, transition, evidence, now_ms, [HOOK]))

    def acknowledge(self, now_ms: int = NOW, person: Person = KIM) -> None:
        write(self.ledger, lambda c: operators.acknowledge(c, self.newest().id, person, now_ms, [HOOK]))

    def shelve(self, seconds: float, now_ms: int = NOW) -> None:
        write(self.ledger, lambda c: operators.shelve(c, self.newest().id, seconds, now_ms))

    def unshelve(self, now_ms: int = NOW) -> None:
        write(self.ledger, lambda c: operators.unshelve(c, self.newest().id, now_ms, [HOOK]))

    def newest(self, now_ms: int = NOW) -> Alert:
        rows = self.store.read_blocking(lambda c: alerts.page(c, "all", None, None, None, 1))
        return alerts.shown(rows[0], now_ms)

    def told(self) -> list[str]:
        found = self.store.read_blocking(lambda c: outbox.page(c, None, None, 100))
        return [delivery.notice for delivery in found][::-1]

    def state(self) -> tuple[AlarmState, int]:
        row = self.store.read_blocking(lambda c: c.execute(sa.select(assets)).one())
        return alarms.load(row.state.get("alarm")), row.revision

    def remember(self, state: AlarmState) -> None:
        stored = {"alarm": alarms.dump(state), "drift": "kept"}
        write(self.ledger, lambda c: c.execute(sa.update(assets).values(state=stored)).rowcount)


@pytest.fixture
def line(ledger: Ledger, store: Store) -> Line:
    return Line(ledger, store)


def test_the_first_acknowledgement_counts_and_nobody_is_told(line: Line) -> None:
    line.apply("opened")
    line.acknowledge()
    line.acknowledge(NOW + 1000, Person("Jo"))
    alert = line.newest()
    assert alert.state == "acknowledged"
    assert alert.acknowledged == {"by": "Kim", "at": "2026-01-01T00:00:00.000Z", "note": "on my way"}
    assert line.told() == ["firing"]


def test_an_acknowledged_alert_still_tells_that_it_is_resolved(line: Line) -> None:
    line.apply("opened")
    line.acknowledge()
    line.apply("updated")
    line.apply("cleared")
    assert line.told() == ["firing", "resolved"]


def test_acknowledging_clears_a_latched_alarm_and_bumps_the_assets_revision(line: Line) -> None:
    settings = AlarmSettings(m=1, n=1, latch=True)
    state, _ = alarms.step(settings, AlarmState(), NOW, 2.0, 1.0, "anomaly")
    state, _ = alarms.step(settings, state, NOW + 1, 0.0, 1.0, "normal")
    line.remember(state)
    line.apply("opened")
    line.acknowledge(NOW + 2)
    assert line.newest().state == "cleared"
    assert line.told() == ["firing", "resolved"]
    after, revision = line.state()
    assert after.phase == "normal"
    assert revision == line.asset.revision + 1


def test_acknowledging_a_standing_alarm_is_kept_in_the_assets_state(line: Line) -> None:
    state, _ = alarms.step(AlarmSettings(m=1, n=1, latch=True), AlarmState(), NOW, 2.0, 1.0, "anomaly")
    line.remember(state)
    line.apply("opened")
    line.acknowledge()
    assert line.state()[0].acknowledged
    row = line.store.read_blocking(lambda c: c.execute(sa.select(assets.c.state)).scalar_one())
    assert row["drift"] == "kept"


def test_drift_is_acknowledged_without_touching_the_alarm(line: Line) -> None:
    line.apply("opened", kind="input_drift")
    line.acknowledge()
    assert line.newest().state == "acknowledged"
    assert line.state()[1] == line.asset.revision


def test_a_shelved_alarm_is_quiet_and_tells_that_it_is_resolved_when_shelving_ends(line: Line) -> None:
    line.apply("opened")
    line.shelve(3600)
    assert (line.newest().state, line.newest().shelved_until) == ("shelved", "2026-01-01T01:00:00.000Z")
    line.apply("cleared", NOW + 1000)
    assert line.told() == ["firing"]
    line.unshelve(NOW + 2000)
    assert line.told() == ["firing", "resolved"]


def test_what_comes_back_while_shelved_is_shelved_too(line: Line) -> None:
    line.apply("opened")
    line.shelve(3600)
    line.apply("cleared", NOW + 1000)
    line.apply("opened", NOW + 2000)
    assert line.newest(NOW + 2000).state == "shelved"
    line.apply("cleared", NOW + 3000)
    assert line.told() == ["firing"]


def test_another_kind_is_not_shelved_with_it(line: Line) -> None:
    line.apply("opened")
    line.shelve(3600)
    line.apply("opened", kind="input_drift")
    assert line.newest().state == "active"
    assert line.told() == ["firing", "firing"]


def test_unshelving_tells_again_of_an_alarm_that_stands(line: Line) -> None:
    line.apply("opened")
    line.shelve(3600)
    line.unshelve(NOW + 1000)
    assert line.newest().state == "active"
    assert line.told() == ["firing", "firing"]


def test_unshelving_an_acknowledged_alarm_tells_nobody(line: Line) -> None:
    line.apply("opened")
    line.acknowledge()
    line.shelve(3600)
    line.unshelve(NOW + 1000)
    assert line.newest().state == "acknowledged"
    assert line.told() == ["firing"]


def test_unshelving_ends_it_for_every_occurrence(line: Line) -> None:
    line.apply("opened")
    line.shelve(3600)
    line.apply("cleared", NOW + 1000)
    line.apply("opened", NOW + 2000)
    line.unshelve(NOW + 3000)
    assert line.told() == ["firing", "resolved", "firing"]
    line.apply("cleared", NOW + 4000)
    line.apply("opened", NOW + 5000)
    assert line.newest(NOW + 5000).state == "active"


def test_unshelving_what_is_not_shelved_changes_nothing(line: Line) -> None:
    line.apply("opened")
    before = line.newest()
    line.unshelve(NOW + 1000)
    assert line.newest() == before
    assert line.told() == ["firing"]


def test_feedback_is_taken_after_clearing_and_the_last_word_counts(line: Line) -> None:
    line.apply("opened")
    line.apply("cleared")
    alert_id = line.newest().id
    write(line.ledger, lambda c: operators.give_feedback(c, alert_id, "true_alarm", KIM, NOW))
    write(line.ledger, lambda c: operators.give_feedback(c, alert_id, "false_alarm", Person("Jo"), NOW + 1000))
    alert = line.newest()
    assert alert.state == "cleared"
    assert alert.feedback == {"verdict": "false_alarm", "by": "Jo", "at": "2026-01-01T00:00:01.000Z", "note": ""}


def test_what_has_cleared_can_be_neither_acknowledged_nor_shelved(line: Line) -> None:
    line.apply("opened")
    line.apply("cleared")
    with pytest.raises(AlertCleared, match="cleared at 2026-01-01"):
        line.acknowledge()
    with pytest.raises(AlertCleared, match="nothing to shelve"):
        line.shelve(60)


def test_an_alert_that_does_not_exist_is_unknown(line: Line) -> None:
    with pytest.raises(UnknownAlert, match="there is no alert 99"):
        line.store.read_blocking(lambda c: operators.row_of(c, 99))

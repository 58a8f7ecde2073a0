"""The queue on disk, on SQLite and PostgreSQL."""

from collections.abc import Callable
from typing import TypeVar

import pytest
import sqlalchemy as sa
from anomaly.alerting import outbox
from anomaly.alerting.notices import Notice, new_id, probe
from anomaly.alerting.outbox import LEASE_MS, Claim
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from anomaly.storage.schema import alerts, assets, deliveries
from servicekit.database.store import Store

T = TypeVar("T")
NOW = 1_767_225_600_000
HOOK, MAIL = "webhook:https://hooks.example/a", "mail:kim@factory.example"


def write(ledger: Ledger, change: Callable[[sa.Connection], T]) -> T:
    found: list[T] = []

    def operation(connection: sa.Connection) -> Reply:
        found.append(change(connection))
        return Reply(204)

    ledger.write_blocking(operation)
    return found[0]


@pytest.fixture
def alert_id(ledger: Ledger) -> int:
    def make(connection: sa.Connection) -> int:
        asset = connection.execute(sa.insert(assets).values(name="press-4", created_ms=NOW)).inserted_primary_key
        assert asset is not None
        times = {"opened_ms": NOW, "updated_ms": NOW}
        row = {"asset_id": asset[0], "kind": "anomaly", "state": "active", "severity": "minor", "count": 1}
        made = connection.execute(sa.insert(alerts).values(**row, **times)).inserted_primary_key
        assert made is not None
        return int(made[0])

    return write(ledger, make)


def queue(ledger: Ledger, *receivers: str, alert_id: int | None = None, status: str = "firing") -> list[int]:
    assert status in ("firing", "resolved")
    notice = Notice(new_id(), status, "press-4", "anomaly", "minor", NOW, alert_id)  # type: ignore[arg-type]  # checked
    return write(ledger, lambda c: outbox.enqueue(c, notice, receivers, NOW))


def claim(ledger: Ledger, receiver: str = HOOK, now_ms: int = NOW, limit: int = 8) -> list[Claim]:
    return write(ledger, lambda c: outbox.claim(c, receiver, now_ms, limit))


def status_of(store: Store, delivery_id: int) -> tuple[str, int, str | None]:
    found = store.read_blocking(lambda c: outbox.find(c, delivery_id))
    assert found is not None
    return found.status, found.attempts, found.last_error


def test_a_notice_is_queued_once_for_each_receiver(ledger: Ledger) -> None:
    ids = queue(ledger, HOOK, MAIL)
    assert [claimed.id for claimed in claim(ledger, HOOK)] == ids[:1]
    assert [claimed.id for claimed in claim(ledger, MAIL)] == ids[1:]


def test_a_claimed_notice_is_nobody_elses_until_its_lease_ends(ledger: Ledger, store: Store) -> None:
    (delivery_id,) = queue(ledger, HOOK)
    (first,) = claim(ledger)
    assert first.attempt == 1
    assert claim(ledger) == []
    assert store.read_blocking(lambda c: outbox.next_due_ms(c, HOOK)) == NOW + LEASE_MS
    (second,) = claim(ledger, now_ms=NOW + LEASE_MS)
    assert (second.id, second.attempt) == (delivery_id, 2)
    assert second.notice.id == first.notice.id


def test_a_delivered_notice_is_done(ledger: Ledger, store: Store) -> None:
    (delivery_id,) = queue(ledger, HOOK)
    (claimed,) = claim(ledger)
    write(ledger, lambda c: outbox.delivered(c, claimed, NOW + 5))
    assert status_of(store, delivery_id) == ("delivered", 1, None)
    assert store.read_blocking(lambda c: outbox.next_due_ms(c, HOOK)) is None
    assert claim(ledger, now_ms=NOW + 10**9) == []


def test_a_failed_attempt_is_due_again_later(ledger: Ledger, store: Store) -> None:
    (delivery_id,) = queue(ledger, HOOK)
    (claimed,) = claim(ledger)
    write(ledger, lambda c: outbox.failed(c, claimed, "answered 500", NOW + 5000))
    assert status_of(store, delivery_id) == ("pending", 1, "answered 500")
    assert claim(ledger, now_ms=NOW + 4999) == []
    assert len(claim(ledger, now_ms=NOW + 5000)) == 1


def test_a_given_up_notice_stays_visible_and_can_be_tried_again(ledger: Ledger, store: Store) -> None:
    (delivery_id,) = queue(ledger, HOOK)
    (claimed,) = claim(ledger)
    write(ledger, lambda c: outbox.failed(c, claimed, "x" * 2000, None))
    assert status_of(store, delivery_id) == ("failed", 1, "x" * 512)
    write(ledger, lambda c: outbox.retry(c, delivery_id, NOW + 10))
    assert status_of(store, delivery_id)[:2] == ("pending", 0)
    assert len(claim(ledger, now_ms=NOW + 10)) == 1


def test_trying_again_leaves_alone_what_is_being_sent_or_has_arrived(ledger: Ledger, store: Store) -> None:
    (delivery_id,) = queue(ledger, HOOK)
    (claimed,) = claim(ledger)
    write(ledger, lambda c: outbox.retry(c, delivery_id, NOW))
    assert claim(ledger) == []
    write(ledger, lambda c: outbox.delivered(c, claimed, NOW))
    write(ledger, lambda c: outbox.retry(c, delivery_id, NOW))
    assert status_of(store, delivery_id)[0] == "delivered"


def test_a_worker_whose_lease_has_ended_cannot_undo_the_next_ones_work(ledger: Ledger, store: Store) -> None:
    (delivery_id,) = queue(ledger, HOOK)
    (slow,) = claim(ledger)
    (other,) = claim(ledger, now_ms=NOW + LEASE_MS)
    write(ledger, lambda c: outbox.failed(c, slow, "too late", None))
    assert status_of(store, delivery_id)[0] == "pending"
    write(ledger, lambda c: outbox.delivered(c, other, NOW))
    write(ledger, lambda c: outbox.failed(c, other, "contradiction", None))
    assert status_of(store, delivery_id) == ("delivered", 2, None)


def test_a_resolve_never_overtakes_its_alarm(ledger: Ledger, alert_id: int) -> None:
    (firing,) = queue(ledger, HOOK, alert_id=alert_id)
    (resolved,) = queue(ledger, HOOK, alert_id=alert_id, status="resolved")
    (other,) = queue(ledger, HOOK)
    first = claim(ledger)
    assert [claimed.id for claimed in first] == [firing, other]
    write(ledger, lambda c: outbox.failed(c, first[0], "answered 500", NOW + 5000))
    assert claim(ledger) == []
    (again,) = claim(ledger, now_ms=NOW + 5000)
    write(ledger, lambda c: outbox.delivered(c, again, NOW + 5000))
    assert [claimed.id for claimed in claim(ledger, now_ms=NOW + 5000)] == [resolved]


def test_a_receiver_that_the_settings_no_longer_name_is_given_up(ledger: Ledger, store: Store) -> None:
    (hook_id, mail_id) = queue(ledger, HOOK, MAIL)
    assert write(ledger, lambda c: outbox.give_up_on_strangers(c, [HOOK])) == 1
    assert status_of(store, mail_id) == ("failed", 0, "the settings no longer name this receiver")
    assert status_of(store, hook_id)[0] == "pending"
    assert write(ledger, lambda c: outbox.give_up_on_strangers(c, [])) == 1


def test_a_notice_that_another_release_wrote_holds_nobody_up(ledger: Ledger, store: Store) -> None:
    (strange, good) = queue(ledger, HOOK)[0], queue(ledger, HOOK)[0]
    change = sa.update(deliveries).where(deliveries.c.id == strange).values(payload={"kind": "new"})
    write(ledger, lambda c: c.execute(change).rowcount)
    assert [claimed.id for claimed in claim(ledger)] == [good]
    status, attempts, error = status_of(store, strange)
    assert (status, attempts) == ("failed", 1)
    assert str(error).startswith("not readable")


def test_lists_newest_first_in_pages(ledger: Ledger, store: Store) -> None:
    ids = [queue(ledger, HOOK)[0] for _ in range(5)]
    write(ledger, lambda c: outbox.enqueue(c, probe(NOW), [MAIL], NOW))
    page = store.read_blocking(lambda c: outbox.page(c, None, None, 3))
    assert [delivery.notice for delivery in page] == ["test", "firing", "firing"]
    rest = store.read_blocking(lambda c: outbox.page(c, "pending", page[-1].id, 10))
    assert [delivery.id for delivery in rest] == ids[2::-1]
    assert store.read_blocking(lambda c: outbox.page(c, "failed", None, 10)) == []


def test_prunes_what_ended_long_ago_and_nothing_that_waits(ledger: Ledger, store: Store) -> None:
    (done, waiting) = queue(ledger, HOOK, MAIL)
    (claimed,) = claim(ledger)
    write(ledger, lambda c: outbox.delivered(c, claimed, NOW))
    assert write(ledger, lambda c: outbox.prune(c, NOW)) == 0
    assert write(ledger, lambda c: outbox.prune(c, NOW + 1)) == 1
    assert store.read_blocking(lambda c: outbox.find(c, done)) is None
    assert store.read_blocking(lambda c: outbox.find(c, waiting)) is not None


def test_two_writers_never_claim_the_same_notice(postgresql_url: str) -> None:
    """Two replicas on one PostgreSQL, each in a transaction of its own at the same time."""
    left, right = Store(postgresql_url), Store(postgresql_url)
    with left.begin() as connection:
        outbox.enqueue(connection, probe(NOW), [HOOK], NOW)
        connection.commit()
    with left.begin() as first, right.begin() as second:
        second.execute(sa.text("SET LOCAL lock_timeout = '200ms'"))
        assert len(outbox.claim(first, HOOK, NOW, 8)) == 1
        with pytest.raises(sa.exc.OperationalError):  # it waits for the first one's row
            outbox.claim(second, HOOK, NOW, 8)
        first.commit()
    with right.begin() as second:
        assert outbox.claim(second, HOOK, NOW, 8) == []
    left.close()
    right.close()

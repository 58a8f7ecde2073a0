import asyncio
import threading
import time
from collections.abc import Callable
from typing import Protocol

import pytest
import sqlalchemy as sa
from anomaly.problems import ConflictingReading, IdempotencyKeyInUse, IdempotencyKeyReused
from anomaly.storage import schema
from anomaly.storage.ledger import Idempotency, Ledger, Operation, Reply
from servicekit.database.problems import StorageFull, StorageUnavailable
from servicekit.database.store import Store
from servicekit.problems import NotReady, Overloaded


class Server(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


KEY = Idempotency("mes", "k1", "f1")
COUNT = sa.select(sa.func.count()).select_from(schema.assets)


def insert(name: str, after: Callable[[], None] | None = None) -> Operation:
    def operation(connection: sa.Connection) -> Reply:
        connection.execute(sa.insert(schema.assets).values(name=name, created_ms=1))
        return Reply.of({"name": name}, 201, after=after)

    return operation


def count(store: Store) -> int:
    return store.read_blocking(lambda connection: connection.scalar(COUNT) or 0)


def test_an_answer_comes_after_its_commit(ledger: Ledger, store: Store) -> None:
    async def scenario() -> None:
        reply = await ledger.write(insert("press"))
        assert reply.status == 201
        assert await store.read(lambda connection: connection.scalar(COUNT)) == 1

    asyncio.run(scenario())


def test_writes_that_wait_share_a_commit(ledger: Ledger, store: Store) -> None:
    commits: list[int] = []
    sa.event.listen(store.engine, "commit", lambda _: commits.append(1))

    async def scenario() -> None:
        await asyncio.gather(*(ledger.write(insert(f"a{number}")) for number in range(200)))

    asyncio.run(scenario())
    assert count(store) == 200
    assert len(commits) < 20


def test_what_one_operation_refuses_undoes_nothing_but_itself(ledger: Ledger, store: Store) -> None:
    def refuse(connection: sa.Connection) -> Reply:
        insert("half")(connection)
        raise ConflictingReading("another reading has this timestamp")

    async def scenario() -> list[object]:
        operations = (insert("a"), refuse, insert("b"))
        return await asyncio.gather(*map(ledger.write, operations), return_exceptions=True)

    first, second, third = asyncio.run(scenario())
    assert isinstance(first, Reply)
    assert isinstance(second, ConflictingReading)
    assert isinstance(third, Reply)
    assert count(store) == 2


def test_an_operation_that_breaks_fails_alone_and_the_thread_lives(ledger: Ledger, store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        ledger.write_blocking(lambda connection: insert("a")(connection) and insert("a")(connection))
    with pytest.raises(ZeroDivisionError):
        ledger.write_blocking(lambda _: Reply(1 // 0))
    assert ledger.write_blocking(insert("a")).status == 201
    assert count(store) == 1


def test_after_runs_once_on_disk_and_before_the_answer(ledger: Ledger, store: Store) -> None:
    seen: list[int] = []
    ledger.write_blocking(insert("a", after=lambda: seen.append(count(store))))
    assert seen == [1]


def test_after_that_fails_spoils_nothing(ledger: Ledger) -> None:
    assert ledger.write_blocking(insert("a", after=lambda: [].pop())).status == 201
    assert ledger.write_blocking(insert("b")).status == 201


def test_a_repeated_key_gets_the_first_answer_and_no_second_effect(ledger: Ledger, store: Store) -> None:
    first = ledger.write_blocking(insert("a"), idempotency=KEY)
    second = ledger.write_blocking(insert("b"), idempotency=KEY)
    assert (second.status, second.body) == (first.status, first.body)
    assert second.headers == {"Idempotency-Replayed": "true"}
    assert count(store) == 1


def test_a_key_is_the_clients_own(ledger: Ledger, store: Store) -> None:
    ledger.write_blocking(insert("a"), idempotency=KEY)
    ledger.write_blocking(insert("b"), idempotency=Idempotency("other", "k1", "f1"))
    assert count(store) == 2


def test_a_key_for_another_request_is_refused(ledger: Ledger) -> None:
    ledger.write_blocking(insert("a"), idempotency=KEY)
    with pytest.raises(IdempotencyKeyReused):
        ledger.write_blocking(insert("a"), idempotency=Idempotency("mes", "k1", "f2"))


def test_a_refused_request_leaves_its_key_free(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError):
        ledger.write_blocking(lambda _: Reply(1 // 0), idempotency=KEY)
    assert ledger.write_blocking(insert("a"), idempotency=KEY).headers == {}


def test_a_key_whose_request_still_runs_is_refused(ledger: Ledger) -> None:
    release = threading.Event()

    async def scenario() -> None:
        first = asyncio.create_task(ledger.write(waiting(release), idempotency=KEY))
        await asyncio.sleep(0)
        with pytest.raises(IdempotencyKeyInUse):
            await ledger.write(insert("a"), idempotency=KEY)
        release.set()
        assert (await first).status == 200

    asyncio.run(scenario())


def waiting(release: threading.Event) -> Operation:
    return lambda _: Reply(200 if release.wait(10) else 500)


def test_a_replica_that_stored_the_key_first_answers_for_both(postgresql_url: str, clock: Callable[[], int]) -> None:
    stores = [Store(postgresql_url) for _ in range(2)]
    ledgers = [Ledger(store, clock) for store in stores]
    for ledger in ledgers:
        ledger.start()

    async def scenario() -> list[Reply]:
        return await asyncio.gather(*(ledger.write(insert("a"), idempotency=KEY) for ledger in ledgers))

    replies = asyncio.run(scenario())
    assert {reply.status for reply in replies} == {201}
    assert count(stores[0]) == 1
    for ledger, store in zip(ledgers, stores, strict=True):
        ledger.stop()
        store.close()


def test_a_full_queue_refuses_with_a_time_to_come_back(store: Store, clock: Callable[[], int]) -> None:
    ledger = Ledger(store, clock, max_queue=2)
    ledger.start()
    release = threading.Event()

    async def scenario() -> None:
        running = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wait(_: sa.Connection) -> Reply:
            loop.call_soon_threadsafe(running.set)
            return Reply(200 if release.wait(10) else 500)

        first = asyncio.create_task(ledger.write(wait))
        await running.wait()
        waiters = [asyncio.create_task(ledger.write(insert(name))) for name in "ab"]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as caught:
            await ledger.write(insert("c"))
        assert int((caught.value.headers or {})["Retry-After"]) >= 1
        release.set()
        await asyncio.gather(first, *waiters)

    asyncio.run(scenario())
    ledger.stop()
    assert count(store) == 2


def test_stopping_commits_what_waits_and_takes_nothing_more(store: Store, clock: Callable[[], int]) -> None:
    ledger = Ledger(store, clock)
    ledger.start()
    threads = [threading.Thread(target=ledger.write_blocking, args=(insert(f"a{n}"),)) for n in range(5)]
    for thread in threads:
        thread.start()
        time.sleep(0.01)
    ledger.stop()
    for thread in threads:
        thread.join()
    assert count(store) == 5
    with pytest.raises(NotReady):
        ledger.write_blocking(insert("b"))


def test_a_client_that_left_does_not_undo_what_it_asked_for(ledger: Ledger, store: Store) -> None:
    async def scenario() -> None:
        task = asyncio.create_task(ledger.write(insert("a")))
        await asyncio.sleep(0)
        task.cancel()
        await ledger.write(insert("b"))

    asyncio.run(scenario())
    assert count(store) == 2


def test_a_commit_that_fails_is_said_to_be_unknown_and_caches_are_told(
    ledger: Ledger, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    ledger.on_rollback(lambda: told.append(1))

    def broken(_: object) -> None:
        raise sa.exc.OperationalError("COMMIT", None, ConnectionError("gone"))

    with monkeypatch.context() as patch:
        patch.setattr(store.engine.dialect, "do_commit", broken)
        with pytest.raises(StorageUnavailable, match="not known"):
            ledger.write_blocking(insert("a"))
    assert told == [1]
    assert ledger.write_blocking(insert("a")).status == 201


def test_a_full_disk_is_refused_and_forgotten_once_there_is_room(sqlite_url: str, clock: Callable[[], int]) -> None:
    store = Store(sqlite_url)
    ledger = Ledger(store, clock)
    ledger.start()
    pages = "40"

    def limit(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    sa.event.listen(store.engine, "begin", limit)

    def fill(connection: sa.Connection) -> Reply:
        connection.execute(sa.insert(schema.idempotency), [row(number) for number in range(100)])
        return Reply(200)

    with pytest.raises(StorageFull):
        ledger.write_blocking(fill)
    pages = "1000000"
    ledger.write_blocking(fill)
    kept = sa.select(sa.func.count()).select_from(schema.idempotency)
    assert store.read_blocking(lambda connection: connection.scalar(kept)) == 100
    ledger.stop()
    store.close()


def row(number: int) -> dict[str, object]:
    texts = {"client": "mes", "key": str(number), "fingerprint": "", "media_type": "", "headers": {}}
    return {**texts, "status": 200, "body": bytes(10_000), "created_ms": 1}


def test_a_database_that_comes_back_needs_no_restart(
    postgresql: Server, postgresql_url: str, clock: Callable[[], int]
) -> None:
    store = Store(postgresql_url)
    ledger = Ledger(store, clock)
    ledger.start()
    ledger.write_blocking(insert("a"))
    postgresql.stop()
    with pytest.raises(StorageUnavailable) as caught:
        ledger.write_blocking(insert("b"))
    assert (caught.value.headers or {})["Retry-After"]
    postgresql.start()
    assert ledger.write_blocking(insert("c")).status == 201
    assert count(store) == 2
    ledger.stop()
    store.close()


def test_two_replicas_lock_the_same_assets_without_deadlock(postgresql_url: str, clock: Callable[[], int]) -> None:
    stores = [Store(postgresql_url) for _ in range(2)]
    ledgers = [Ledger(store, clock) for store in stores]
    for ledger in ledgers:
        ledger.start()
    for name in ("a", "b"):
        ledgers[0].write_blocking(insert(name))

    def bump(name: str) -> Operation:
        def operation(connection: sa.Connection) -> Reply:
            table = schema.assets
            revision = connection.scalar(sa.select(table.c.revision).where(table.c.name == name)) or 0
            connection.execute(sa.update(table).where(table.c.name == name).values(revision=revision + 1))
            return Reply(200)

        return operation

    async def scenario() -> None:
        writes = [
            ledger.write(bump(name), assets=(name,))
            for _ in range(100)
            for ledger, names in zip(ledgers, ("ab", "ba"), strict=True)
            for name in names
        ]
        await asyncio.gather(*writes)

    asyncio.run(scenario())
    revisions = stores[0].read_blocking(
        lambda connection: connection.scalars(sa.select(schema.assets.c.revision)).all()
    )
    assert list(revisions) == [200, 200]  # no update was lost
    for ledger, store in zip(ledgers, stores, strict=True):
        ledger.stop()
        store.close()

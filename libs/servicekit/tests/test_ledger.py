"""The writer: what a service may hook around a change, and what becomes of a change that fails."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from servicekit.database.ledger import Change, Writer
from servicekit.database.store import Store
from servicekit.problems import InvalidInput, NotReady


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/test.db")
    with store.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE words (word TEXT PRIMARY KEY)")
        connection.commit()
    yield store
    store.close()


@pytest.fixture
def writer(store: Store) -> Iterator[Writer]:
    writer = Writer(store, lambda: 1)
    writer.start()
    yield writer
    writer.stop()


def words(store: Store) -> list[str]:
    query = sa.text("SELECT word FROM words ORDER BY word")
    return store.read_blocking(lambda connection: list(connection.scalars(query)))


def insert(connection: sa.Connection, word: str) -> str:
    connection.execute(sa.text("INSERT INTO words VALUES (:word)"), {"word": word})
    return word.upper()


class Heard(Change[str]):
    """A change that tells what happens to it, and is rescued from a word that is there."""

    def __init__(self, word: str, heard: list[str], store: Store) -> None:
        super().__init__(lambda connection: insert(connection, word))
        self.heard = heard
        self.store = store

    def admit(self) -> None:
        self.heard.append("admit")

    def rescue(self, connection: sa.Connection, error: Exception) -> str:
        if isinstance(error, sa.exc.IntegrityError):
            return "THERE"
        raise error

    def committed(self, result: str) -> None:
        self.heard.append(f"committed {result} {len(words(self.store))}")

    def release(self) -> None:
        self.heard.append("release")


def test_whatever_an_operation_returns_is_what_its_caller_gets(writer: Writer, store: Store) -> None:
    assert asyncio.run(writer.write(lambda connection: insert(connection, "a"))) == "A"
    assert writer.write_blocking(lambda connection: insert(connection, "b")) == "B"
    assert writer.write_blocking(lambda _: None) is None
    assert words(store) == ["a", "b"]


def test_the_hooks_run_in_their_order_and_see_what_is_on_disk(writer: Writer, store: Store) -> None:
    heard: list[str] = []
    assert writer.submit_blocking(Heard("a", heard, store)) == "A"
    assert heard == ["admit", "committed A 1", "release"]


def test_a_change_may_be_rescued_from_its_own_failure(writer: Writer, store: Store) -> None:
    heard: list[str] = []
    writer.write_blocking(lambda connection: insert(connection, "a"))
    assert writer.submit_blocking(Heard("a", heard, store)) == "THERE"
    assert words(store) == ["a"]


def test_a_change_that_is_not_admitted_is_neither_run_nor_released(writer: Writer, store: Store) -> None:
    class Refused(Heard):
        def admit(self) -> None:
            raise InvalidInput("not this one")

    heard: list[str] = []
    with pytest.raises(InvalidInput):
        writer.submit_blocking(Refused("a", heard, store))
    assert heard == []
    assert words(store) == []


def test_a_problem_undoes_its_own_change_alone(writer: Writer, store: Store) -> None:
    def refuse(connection: sa.Connection) -> str:
        insert(connection, "half")
        raise InvalidInput("not this one")

    async def scenario() -> list[object]:
        good = writer.write(lambda connection: insert(connection, "a"))
        return await asyncio.gather(good, writer.write(refuse), return_exceptions=True)

    first, second = asyncio.run(scenario())
    assert first == "A"
    assert isinstance(second, InvalidInput)
    assert words(store) == ["a"]


def test_a_writer_that_is_not_started_takes_nothing(store: Store) -> None:
    with pytest.raises(NotReady):
        Writer(store, lambda: 1).write_blocking(lambda _: None)

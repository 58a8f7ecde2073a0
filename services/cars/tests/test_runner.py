import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cars import choice, runner
from cars.archive import Archive
from cars.problems import PicturesUnavailable, UnknownFile
from cars.services import Services
from cars.settings import Settings
from painted import BLUE, RED, Painted, picture
from servicekit.database.problems import StorageUnavailable
from servicekit.problems import NotReady
from servicekit.spool import Spool
from servicekit.uploads import Upload

Scene = Callable[[Services, Painted], Awaitable[None]]
Play = Callable[[Scene], None]


def upload(data: bytes, name: str = "car.png") -> Upload:
    file = Upload(name, "image/png", Spool())
    file.keep(data)
    return file


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=sqlite_url, storage_url=str(tmp_path / "pictures"))


@pytest.fixture
def opened(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Opens the service's parts with one stored picture: `async with opened() as (services, backend):`."""

    @asynccontextmanager
    async def open_() -> AsyncIterator[tuple[Services, Painted]]:
        backend = Painted()
        monkeypatch.setattr(choice, "backend", lambda _settings, _pool: backend)
        monkeypatch.setattr(runner, "POLL_S", 0.01)
        services = Services(settings)
        async with services.opened():
            await services.keeper.keep(upload(picture(RED)))
            yield services, backend

    return open_


@pytest.fixture
def play(opened: Callable[[], Any]) -> Play:
    def play(scene: Scene) -> None:
        async def main() -> None:
            async with opened() as (services, backend):
                await scene(services, backend)

        asyncio.run(main())

    return play


def test_who_asks_while_it_is_recognised_gets_that_result(play: Play) -> None:
    async def scene(services: Services, backend: Painted) -> None:
        backend.gate.clear()
        waiting = [asyncio.create_task(services.runner.infer(1, force=force)) for force in (False, False, True)]
        await until(lambda: backend.asked == 1)
        backend.gate.set()
        results = await asyncio.gather(*waiting)
        assert {result.status for result in results} == {"recognized"}
        assert backend.asked == 1

    play(scene)


def test_another_replicas_recognition_is_waited_for(play: Play) -> None:
    async def scene(services: Services, backend: Painted) -> None:
        lease = await services.archive.claim(1)
        assert lease
        waiting = asyncio.create_task(services.runner.infer(1))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        found = await services.recogniser.recognise(picture(BLUE), "image/png")
        await services.archive.finish(lease, found)
        record = await waiting
        assert record.make
        assert record.make.value == "Tesla"
        assert backend.asked == 1

    play(scene)


def test_a_file_that_is_deleted_meanwhile_is_unknown(play: Play) -> None:
    async def scene(services: Services, backend: Painted) -> None:
        backend.gate.clear()
        waiting = asyncio.create_task(services.runner.infer(1))
        await until(lambda: backend.asked == 1)
        await services.keeper.drop(1)
        backend.gate.set()
        with pytest.raises(UnknownFile):
            await waiting

    play(scene)


def test_a_file_that_is_reset_meanwhile_is_recognised_anew(play: Play) -> None:
    async def scene(services: Services, backend: Painted) -> None:
        backend.gate.clear()
        waiting = asyncio.create_task(services.runner.infer(1))
        await until(lambda: backend.asked == 1)
        assert (await services.archive.reset(1)).status == "pending"
        backend.gate.set()
        assert (await waiting).status == "recognized"
        assert backend.asked == 2

    play(scene)


def test_who_leaves_does_not_take_the_result_along(play: Play) -> None:
    async def scene(services: Services, backend: Painted) -> None:
        backend.gate.clear()
        leaving = asyncio.create_task(services.runner.infer(1))
        await until(lambda: backend.asked == 1)
        leaving.cancel()
        await asyncio.wait((leaving,))
        backend.gate.set()
        assert (await services.runner.infer(1)).status == "recognized"
        assert backend.asked == 1

    play(scene)


@pytest.mark.parametrize(
    "problem",
    [PicturesUnavailable("away"), StorageUnavailable("away"), NotReady("not yet")],
    ids=lambda each: each.slug,
)
def test_what_says_nothing_of_the_picture_leaves_it_pending(play: Play, problem: Exception) -> None:
    async def scene(services: Services, backend: Painted) -> None:
        backend.failure = problem
        with pytest.raises(type(problem)):
            await services.runner.infer(1)
        assert (await services.archive.get(1)).status == "pending"

    play(scene)


def test_nothing_stays_in_processing_when_the_service_stops(opened: Callable[[], Any], settings: Settings) -> None:
    async def main() -> None:
        async with opened() as (services, backend):
            backend.gate.clear()
            waiting = asyncio.create_task(services.runner.infer(1))
            await until(lambda: backend.asked == 1)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with opened() as (services, _):
            assert (await services.archive.get(1)).status == "pending"

    asyncio.run(main())


def test_a_lease_is_renewed_as_long_as_the_recognition_takes(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "RENEW_S", 0.01)

    async def scene(services: Services, backend: Painted) -> None:
        renewed: list[bool] = []
        renew = services.archive.renew

        async def noted(lease: Any) -> bool:
            renewed.append(await renew(lease))
            return renewed[-1]

        monkeypatch.setattr(services.archive, "renew", noted)
        backend.gate.clear()
        waiting = asyncio.create_task(services.runner.infer(1))
        await until(lambda: len(renewed) > 2)
        backend.gate.set()
        assert (await waiting).status == "recognized"
        assert all(renewed)

    play(scene)


def test_two_uploads_of_one_picture_at_once_are_one_file_with_one_picture(play: Play) -> None:
    async def scene(services: Services, backend: Painted) -> None:
        kept = await asyncio.gather(*(services.keeper.keep(upload(picture(BLUE))) for _ in range(6)))
        assert {record.id for record, _ in kept} == {2}
        assert [duplicate for _, duplicate in kept].count(False) == 1
        assert len(list(services.storage.keys())) == 2

    play(scene)


def test_a_duplicate_whose_second_picture_cannot_be_removed_is_answered_all_the_same(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(services: Services, backend: Painted) -> None:
        async def find(_self: Archive, _sha256: str) -> None:
            """The other upload's row comes right after this one has looked for it."""

        def delete(_key: str) -> None:
            raise PicturesUnavailable("away")

        with monkeypatch.context() as patched:
            patched.setattr(Archive, "find", find)
            patched.setattr(services.storage, "delete", delete)
            record, duplicate = await services.keeper.keep(upload(picture(RED)))
        assert (record.id, duplicate) == (1, True)
        assert await services.keeper.sweep.sweep(datetime.now(UTC) + timedelta(minutes=1)) == 1
        assert await services.keeper.content(record) == picture(RED)

    play(scene)


def test_a_row_that_could_not_be_written_is_nobodys_file_and_a_repetition_stores_it(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(services: Services, backend: Painted) -> None:
        async def add(_self: Archive, _new: Any) -> Any:
            raise StorageUnavailable("away")

        with monkeypatch.context() as patched:
            patched.setattr(Archive, "add", add)
            with pytest.raises(StorageUnavailable):
                await services.keeper.keep(upload(picture(BLUE)))
        record, duplicate = await services.keeper.keep(upload(picture(BLUE)))
        assert not duplicate
        assert await services.keeper.content(record) == picture(BLUE)
        assert await services.keeper.sweep.sweep(datetime.now(UTC) + timedelta(minutes=1)) == 1
        assert await services.keeper.content(record) == picture(BLUE)

    play(scene)


def test_a_picture_that_cannot_be_removed_at_once_is_removed_later(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(services: Services, backend: Painted) -> None:
        def delete(_key: str) -> None:
            raise PicturesUnavailable("away")

        with monkeypatch.context() as patched:
            patched.setattr(services.storage, "delete", delete)
            await services.keeper.drop(1)
        assert len(list(services.storage.keys())) == 1
        await services.keeper.sweep.tidy()
        assert list(services.storage.keys()) == []

    play(scene)

"""The registry: the built-in model, swaps, followers, and files that are broken."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.learning.training import TrainingOptions, train
from anomaly.lifecycle import registry, versions
from anomaly.lifecycle.registry import Registry
from anomaly.model import Model
from anomaly.problems import ModelDamaged, NoModel, UnknownVersion
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from servicekit.database.store import Store


def model_file(level: float) -> bytes:
    rows = np.random.default_rng(0).normal(level, 1.0, (400, 3))
    return train(rows, TrainingOptions(kind="pca"), lambda _share, _message: None).dump()


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return [model_file(0.0), model_file(5.0)]


@pytest.fixture
def folder(tmp_path: Path, files: list[bytes]) -> Path:
    write_weights(tmp_path, files[0])
    return tmp_path


def write_weights(folder: Path, file: bytes) -> None:
    (folder / "default.safetensors").write_bytes(file)
    entry = {"default.safetensors": {"sha256": sha256(file).hexdigest()}}
    (folder / "weights.json").write_text(json.dumps(entry))


def opened(
    store: Store, ledger: Ledger, folder: Path, use: Callable[[Registry], Awaitable[None]], file: Path | None = None
) -> None:
    async def main() -> None:
        opened = Registry(store, ledger, poll_s=0.05, folder=folder, file=file)
        await opened.open()
        try:
            await use(opened)
        finally:
            await opened.close()

    asyncio.run(main())


def put(ledger: Ledger, file: bytes, follower: Registry | None = None) -> int:
    """Adds a version to `default` and activates it."""
    numbers: list[int] = []

    def operation(connection: sa.Connection) -> Reply:
        numbers.append(versions.add_version(connection, "default", file, "uploaded", None, 1))
        versions.activate(connection, "default", numbers[-1], None, 2)
        return Reply(204, after=follower.change(connection, "default") if follower else None)

    ledger.write_blocking(operation)
    return numbers[-1]


def test_the_built_in_model_is_there_from_the_start(store: Store, ledger: Ledger, folder: Path) -> None:
    async def use(opened: Registry) -> None:
        active = opened.require_default()
        assert (active.version, active.model.n_sensors) == (1, 3)
        assert opened.failure is None

    opened(store, ledger, folder, use)
    opened(store, ledger, folder, use)  # and not added again


def test_a_newer_built_in_model_replaces_an_older_one(
    store: Store, ledger: Ledger, folder: Path, files: list[bytes]
) -> None:
    async def is_version(number: int, opened: Registry) -> None:
        assert opened.require_default().version == number

    opened(store, ledger, folder, lambda opened: is_version(1, opened))
    write_weights(folder, files[1])
    opened(store, ledger, folder, lambda opened: is_version(2, opened))


def test_a_newer_built_in_model_leaves_a_chosen_one_active(
    store: Store, ledger: Ledger, folder: Path, files: list[bytes]
) -> None:
    async def choose(opened: Registry) -> None:
        put(ledger, files[1], opened)

    async def is_chosen(opened: Registry) -> None:
        assert opened.require_default().version == 2

    opened(store, ledger, folder, choose)
    write_weights(folder, model_file(9.0))
    opened(store, ledger, folder, is_chosen)


def test_an_operators_own_file_is_activated(store: Store, ledger: Ledger, folder: Path, files: list[bytes]) -> None:
    own = folder / "own.safetensors"

    async def is_active(file: bytes, opened: Registry) -> None:
        assert opened.require_default().sha256 == sha256(file).hexdigest()

    for file in (files[1], files[0], files[1]):  # the setting changes, and changes back
        own.write_bytes(file)
        opened(store, ledger, folder, lambda opened, file=file: is_active(file, opened), file=own)  # type: ignore[misc]


def test_what_was_chosen_after_an_operators_file_outlives_a_start(
    store: Store, ledger: Ledger, folder: Path, files: list[bytes]
) -> None:
    own = folder / "own.safetensors"
    own.write_bytes(files[0])

    async def choose(opened: Registry) -> None:
        put(ledger, files[1], opened)

    async def is_chosen(opened: Registry) -> None:
        assert opened.require_default().sha256 == sha256(files[1]).hexdigest()

    opened(store, ledger, folder, choose, file=own)
    opened(store, ledger, folder, is_chosen, file=own)


@pytest.mark.parametrize("content", [None, b"\x80\x04rubbish"])
def test_an_operators_file_that_is_no_model_is_refused_at_the_start(
    store: Store, ledger: Ledger, tmp_path: Path, content: bytes | None
) -> None:
    if content:
        (tmp_path / "own").write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read"):
        Registry(store, ledger, file=tmp_path / "own")


def test_without_a_built_in_model_the_service_says_so(
    store: Store, ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def use(opened: Registry) -> None:
        with pytest.raises(NoModel, match="the asset default"):
            opened.require_default()

    with caplog.at_level(logging.ERROR):
        opened(store, ledger, tmp_path, use)
    assert "there is no built-in model" in caplog.text


def test_a_change_shows_when_it_is_committed(store: Store, ledger: Ledger, folder: Path, files: list[bytes]) -> None:
    async def use(opened: Registry) -> None:
        number = await asyncio.to_thread(put, ledger, files[1], opened)
        assert opened.require_default().version == number

    opened(store, ledger, folder, use)


def test_a_replica_follows_the_database(store: Store, ledger: Ledger, folder: Path, files: list[bytes]) -> None:
    async def use(opened: Registry) -> None:
        number = await asyncio.to_thread(put, ledger, files[1])  # as another process would: nobody tells this one
        async with asyncio.timeout(5):
            while opened.require_default().version != number:
                await asyncio.sleep(0.01)

    opened(store, ledger, folder, use)


def test_a_poll_that_read_before_a_change_does_not_undo_it(
    store: Store, ledger: Ledger, folder: Path, files: list[bytes]
) -> None:
    async def use(opened: Registry) -> None:
        before = store.read_blocking(opened._look)
        number = await asyncio.to_thread(put, ledger, files[1], opened)
        opened._show(*before)
        assert opened.require_default().version == number

    opened(store, ledger, folder, use)


@pytest.mark.parametrize("damage", [b"", b"\x00" * 100])
def test_a_damaged_file_is_told_and_does_not_stop_the_service(
    store: Store, ledger: Ledger, folder: Path, files: list[bytes], damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def use(opened: Registry) -> None:
        put(ledger, files[1])

        def harm(connection: sa.Connection) -> Reply:
            connection.execute(sa.update(schema.versions).where(schema.versions.c.number == 2).values(file=damage))
            connection.execute(sa.update(schema.assets).values(revision=schema.assets.c.revision + 1))
            return Reply(204, after=opened.change(connection, "default"))

        ledger.write_blocking(harm)
        with pytest.raises(ModelDamaged, match="version 2"):
            opened.require_default()

        def heal(connection: sa.Connection) -> Reply:
            versions.roll_back(connection, "default", 3)
            return Reply(204, after=opened.change(connection, "default"))

        ledger.write_blocking(heal)
        assert opened.require_default().version == 1

    with caplog.at_level(logging.ERROR):
        opened(store, ledger, folder, use)
    assert "sha256" in caplog.text


def test_models_are_loaded_once_and_the_cache_is_bounded(
    store: Store, ledger: Ledger, folder: Path, files: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "CACHE_BYTES", 1)

    async def use(opened: Registry) -> None:
        put(ledger, files[1], opened)

        def load(number: int) -> Model:
            return store.read_blocking(lambda c: opened.load(c, versions.find_asset(c, "default").id, number))

        assert load(2) is load(2)
        assert load(2) is not load(1) is load(1)
        with pytest.raises(UnknownVersion):
            load(3)

    opened(store, ledger, folder, use)


def test_an_asset_without_a_model_has_none(store: Store, ledger: Ledger, folder: Path) -> None:
    async def use(opened: Registry) -> None:
        with pytest.raises(NoModel, match="press"):
            store.read_blocking(lambda c: opened.active(c, "press"))

    opened(store, ledger, folder, use)

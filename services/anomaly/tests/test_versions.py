"""Versions as rows, on both kinds of database."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.learning.training import TrainingOptions, train
from anomaly.lifecycle import versions
from anomaly.problems import (
    ModelFileInvalid,
    NothingToRollBack,
    TooManyAssets,
    TooManyVersions,
    UnknownAsset,
    UnknownVersion,
    VersionActive,
)
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply

Do = Callable[[Callable[[sa.Connection], Any]], Any]


def model_file(level: float = 0.0) -> bytes:
    rows = np.random.default_rng(0).normal(level, 1.0, (400, 3))
    return train(rows, TrainingOptions(kind="pca"), lambda _share, _message: None).dump()


@pytest.fixture(scope="module")
def file() -> bytes:
    return model_file()


@pytest.fixture
def do(ledger: Ledger) -> Do:
    """Runs a change in a transaction of the ledger and returns what it returned."""

    def run(change: Callable[[sa.Connection], Any]) -> Any:
        results: list[Any] = []

        def operation(connection: sa.Connection) -> Reply:
            results.append(change(connection))
            return Reply(204)

        ledger.write_blocking(operation)
        return results[-1]

    return run


@pytest.fixture
def press(do: Do, file: bytes) -> Callable[..., int]:
    """Adds versions to the asset `press`, which has the versions 1 to 3, and 1 and then 2 active."""
    do(lambda c: versions.ensure_asset(c, "press", 1).id)

    def add(origin: str = "uploaded", max_versions: int = 200) -> int:
        number: int = do(lambda c: versions.add_version(c, "press", file, origin, None, 1, max_versions))
        return number

    for _ in range(3):
        add()
    for number in (1, 2):
        do(partial(versions.activate, asset="press", number=number, by="me", now_ms=2))
    return add


def active(c: sa.Connection) -> int | None:
    number: int | None = versions.find_asset(c, "press").active_version
    return number


def test_an_asset_is_made_once(do: Do) -> None:
    first = do(lambda c: versions.ensure_asset(c, "press", 1).id)
    assert do(lambda c: versions.ensure_asset(c, "press", 2).id) == first


def test_no_asset_is_made_over_the_limit(do: Do) -> None:
    do(lambda c: versions.ensure_asset(c, "press", 1, max_assets=1).id)
    with pytest.raises(TooManyAssets, match="the limit is 1"):
        do(lambda c: versions.ensure_asset(c, "lathe", 1, max_assets=1).id)


@pytest.mark.usefixtures("press")
def test_a_version_is_the_file_that_came(do: Do, file: bytes) -> None:
    assert do(lambda c: versions.read_file(c, versions.find_asset(c, "press"), 2)) == file
    assert do(lambda c: versions.find_file(c, versions.find_asset(c, "press"), file)) == 3
    assert do(lambda c: versions.find_file(c, versions.find_asset(c, "press"), b"")) is None


def test_a_file_that_is_no_model_is_refused(do: Do) -> None:
    do(lambda c: versions.ensure_asset(c, "press", 1).id)
    with pytest.raises(ModelFileInvalid):
        do(lambda c: versions.add_version(c, "press", b"\x80\x04rubbish", "uploaded", None, 1))
    with pytest.raises(ModelFileInvalid, match="the limit is 4194304"):
        versions.read_model(bytes(4 * 1024 * 1024 + 1))


@pytest.mark.usefixtures("press")
def test_unknown_assets_and_versions_are_told(do: Do) -> None:
    with pytest.raises(UnknownAsset):
        do(partial(versions.activate, asset="lathe", number=1, by=None, now_ms=1))
    with pytest.raises(UnknownVersion):
        do(partial(versions.activate, asset="press", number=9, by=None, now_ms=1))


@pytest.mark.usefixtures("press")
def test_activating_the_active_version_leaves_the_history_as_it_is(do: Do) -> None:
    do(partial(versions.activate, asset="press", number=2, by="me", now_ms=3))
    count = sa.select(sa.func.count()).select_from(schema.activations)
    assert do(lambda c: c.execute(count).scalar_one()) == 2


@pytest.mark.usefixtures("press")
def test_a_change_of_the_active_version_changes_the_revision(do: Do) -> None:
    before = do(lambda c: versions.find_asset(c, "press").revision)
    do(partial(versions.activate, asset="press", number=3, by="me", now_ms=3))
    assert do(lambda c: versions.find_asset(c, "press").revision) > before


@pytest.mark.usefixtures("press")
def test_rolling_back_twice_goes_two_steps_back(do: Do) -> None:
    do(partial(versions.activate, asset="press", number=3, by="me", now_ms=3))
    assert do(lambda c: versions.roll_back(c, "press", 4)) == 2
    assert do(lambda c: versions.roll_back(c, "press", 5)) == 1
    with pytest.raises(NothingToRollBack):
        do(lambda c: versions.roll_back(c, "press", 6))


@pytest.mark.usefixtures("press")
def test_rolling_back_passes_over_versions_that_are_gone(do: Do) -> None:
    do(partial(versions.activate, asset="press", number=3, by="me", now_ms=3))
    do(partial(versions.delete_version, asset="press", number=2))
    assert do(lambda c: versions.roll_back(c, "press", 4)) == 1


@pytest.mark.usefixtures("press")
def test_the_active_version_is_not_deleted(do: Do) -> None:
    with pytest.raises(VersionActive):
        do(partial(versions.delete_version, asset="press", number=2))
    assert do(lambda c: versions.find_version(c, versions.find_asset(c, "press"), 2).number) == 2


def test_a_number_is_never_given_twice(do: Do, press: Callable[..., int]) -> None:
    do(partial(versions.delete_version, asset="press", number=3))
    assert press() == 4
    do(partial(versions.delete_versions, asset="press"))
    assert do(active) is None
    assert press() == 5


@pytest.mark.usefixtures("press")
def test_versions_are_listed_newest_first_in_pages(do: Do) -> None:
    def numbers(before: int | None) -> list[int]:
        found: list[int] = do(
            lambda c: [v.number for v in versions.newest_versions(c, versions.find_asset(c, "press"), 2, before)]
        )
        return found

    assert numbers(None) == [3, 2]
    assert numbers(2) == [1]


def test_the_oldest_versions_made_in_passing_give_way(do: Do, press: Callable[..., int]) -> None:
    assert press("adapted", 5) == 4
    assert press("threshold", 5) == 5
    assert press("adapted", 5) == 6  # instead of 4
    found = do(lambda c: [v.number for v in versions.newest_versions(c, versions.find_asset(c, "press"), 9, None)])
    assert found == [6, 5, 3, 2, 1]


def test_versions_that_somebody_made_are_not_pruned(press: Callable[..., int]) -> None:
    with pytest.raises(TooManyVersions, match="the limit is 3"):
        press("uploaded", 3)

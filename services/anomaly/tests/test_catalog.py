"""What the API shows of models, read from rows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.learning.training import TrainingOptions, train
from anomaly.lifecycle import catalog, versions
from anomaly.lifecycle.registry import Registry
from anomaly.problems import ModelDamaged, UnknownAsset, UnknownVersion
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply
from servicekit.database.store import Store


@pytest.fixture(scope="module")
def file() -> bytes:
    rows = np.random.default_rng(0).normal(size=(400, 2))
    return train(rows, TrainingOptions(kind="pca"), lambda _share, _message: None).dump()


@pytest.fixture
def write(ledger: Ledger, file: bytes) -> Callable[[Callable[[sa.Connection], Any]], None]:
    """Makes the asset `press` with two versions, the first of them active, and returns what changes more."""

    def run(change: Callable[[sa.Connection], Any]) -> None:
        def operation(connection: sa.Connection) -> Reply:
            change(connection)
            return Reply(204)

        ledger.write_blocking(operation)

    def make(connection: sa.Connection) -> None:
        versions.ensure_asset(connection, "press", 1)
        versions.add_version(connection, "press", file, "trained", None, 1_767_225_600_000)
        versions.add_version(connection, "press", file, "threshold", 1, 1_767_225_600_001)
        versions.activate(connection, "press", 1, "kim", 3)

    run(make)
    return run


Write = Callable[[Callable[[sa.Connection], Any]], None]


@pytest.mark.usefixtures("write")
def test_a_version_is_described_with_its_report(store: Store, ledger: Ledger) -> None:
    registry = Registry(store, ledger)
    version = store.read_blocking(lambda c: catalog.describe(registry, c, "press", 1))
    assert (version.origin, version.parent, version.active, version.window) == ("trained", None, True, 1)
    assert version.created_at == "2026-01-01T00:00:00.000Z"
    assert version.report["rows"] == 400
    with pytest.raises(UnknownVersion):
        store.read_blocking(lambda c: catalog.describe(registry, c, "press", 3))
    with pytest.raises(UnknownAsset):
        store.read_blocking(lambda c: catalog.describe(registry, c, "lathe", 1))


@pytest.mark.usefixtures("write")
def test_versions_are_listed_newest_first(store: Store) -> None:
    found = store.read_blocking(lambda c: catalog.list_versions(c, "press", 1, None))
    assert ([item.version for item in found.items], found.next_cursor) == ([2], "2")
    found = store.read_blocking(lambda c: catalog.list_versions(c, "press", 1, 2))
    assert ([(item.version, item.active) for item in found.items], found.next_cursor) == ([(1, True)], None)


def test_only_assets_that_have_models_are_listed(store: Store, write: Write) -> None:
    write(lambda c: versions.ensure_asset(c, "bare", 1))
    found = store.read_blocking(lambda c: catalog.list_assets(c, 10, None))
    assert [(item.asset, item.versions, item.active and item.active.version) for item in found.items] == [
        ("press", 2, 1)
    ]
    assert store.read_blocking(lambda c: catalog.list_assets(c, 10, "press")).items == []


def test_what_is_left_of_a_deleted_asset_is_not_listed(store: Store, write: Write) -> None:
    write(lambda c: c.execute(sa.update(schema.assets).values(name=".deleted-1")))
    assert store.read_blocking(lambda c: catalog.list_assets(c, 10, None)).items == []


def test_a_damaged_version_is_still_listed(store: Store, ledger: Ledger, write: Write) -> None:
    write(lambda c: c.execute(sa.update(schema.versions).values(file=b"rubbish")))
    assert len(store.read_blocking(lambda c: catalog.list_versions(c, "press", 9, None)).items) == 2
    with pytest.raises(ModelDamaged):
        store.read_blocking(lambda c: catalog.describe(Registry(store, ledger), c, "press", 1))

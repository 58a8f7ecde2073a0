from collections.abc import Callable
from functools import partial

import msgspec
import pytest
import sqlalchemy as sa
from anomaly.alerting import alerts
from anomaly.alerting.alarms import Transition
from anomaly.ingestion import assets
from anomaly.ingestion.assets import AssetSettings, QualitySettings
from anomaly.lifecycle import versions
from anomaly.model import Model
from anomaly.problems import AssetProtected, TooManyAssets, UnknownAsset
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger, Reply
from servicekit.database.store import Store

NOW = 1_767_225_600_000


@pytest.fixture
def write(ledger: Ledger) -> Callable[[Callable[[sa.Connection], object]], None]:
    def run(fn: Callable[[sa.Connection], object]) -> None:
        ledger.write_blocking(lambda connection: (fn(connection), Reply(204))[1])

    return run


Write = Callable[[Callable[[sa.Connection], object]], None]


def create(name: str, max_assets: int, connection: sa.Connection) -> bool:
    return assets.create(connection, name, None, NOW, max_assets)


def test_an_asset_is_made_once(store: Store, write: Write) -> None:
    made: list[bool] = []
    for _ in range(2):
        write(lambda c: made.append(assets.create(c, "press", None, NOW, 10)))
    assert made == [True, False]
    state = store.read_blocking(lambda c: assets.state(c, "press"))
    assert (state.asset, state.created_at, state.active_version, state.newest) == (
        "press", "2026-01-01T00:00:00.000Z", None, None,
    )  # fmt: skip
    assert state.alarm["state"] == "normal"
    assert state.settings == AssetSettings()


def test_only_so_many_assets_are_made(write: Write) -> None:
    for name in "ab":
        write(partial(create, name, 2))
    with pytest.raises(TooManyAssets):
        write(lambda c: assets.create(c, "c", None, NOW, 2))
    write(lambda c: assets.create(c, "a", None, NOW, 2))


def test_settings_are_replaced_whole_and_bump_the_revision(store: Store, write: Write) -> None:
    write(lambda c: assets.create(c, "press", AssetSettings(quality=QualitySettings(0.5)), NOW, 10))
    before = store.read_blocking(lambda c: assets.asset_row(c, "press"))
    assert assets.settings_of(before).quality.max_null_share == 0.5
    settings = msgspec.convert({"alarm": {"m": 1}, "quality": {"max_gap_s": 60}}, AssetSettings)
    write(lambda c: assets.replace_settings(c, "press", settings))
    after = store.read_blocking(lambda c: assets.asset_row(c, "press"))
    assert assets.settings_of(after) == settings
    assert assets.settings_of(after).max_gap_ms == 60_000
    assert after.revision == before.revision + 1
    with pytest.raises(UnknownAsset):
        write(lambda c: assets.replace_settings(c, "saw", settings))


@pytest.mark.parametrize(
    "document",
    [{"alarm": {"m": 6, "n": 5}}, {"quality": {"max_null_share": 1}}, {"quality": {"max_gap_s": 0}}, {"alarms": {}},
     {"alarm": {"m": "3"}}, {"drift": {"enabled": 1}}, {"adaptation": {"max_shift": -1}}],
)  # fmt: skip
def test_settings_are_checked(document: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, AssetSettings)


def test_lists_by_name_from_a_place_on(store: Store, write: Write) -> None:
    for name in ("saw", "press-2", "Press-1", "mill"):
        write(partial(create, name, 10))
    first = store.read_blocking(lambda c: assets.states(c, None, 3))
    rest = store.read_blocking(lambda c: assets.states(c, first[-1].asset, 3))
    assert sorted(state.asset for state in [*first, *rest]) == ["Press-1", "mill", "press-2", "saw"]


def test_deleting_takes_everything_along_and_resolves_alerts(
    store: Store, write: Write, make_model: Callable[..., Model]
) -> None:
    def prepare(connection: sa.Connection) -> None:
        assets.create(connection, "press", None, NOW, 10)
        number = versions.add_version(connection, "press", make_model().dump(), "uploaded", None, NOW)
        versions.activate(connection, "press", number, None, NOW)
        transition = Transition("anomaly", "opened", NOW, NOW, 3)
        row = assets.asset_row(connection, "press")
        alerts.apply(connection, row, transition, alerts.Evidence(3.0, 1.0, 1), NOW, ("mail:ops",))

    write(prepare)
    write(lambda c: assets.delete(c, "press", NOW, ("mail:ops",)))
    assert store.read_blocking(lambda c: assets.states(c, None, 10)) == []
    tables = (schema.alerts, schema.versions, schema.activations)
    counts = store.read_blocking(
        lambda c: [c.scalar(sa.select(sa.func.count()).select_from(table)) for table in tables]
    )
    assert counts == [0, 0, 0]
    told = store.read_blocking(lambda c: list(c.scalars(sa.select(schema.deliveries.c.payload))))
    assert [payload["status"] for payload in told] == ["firing", "resolved"]
    with pytest.raises(UnknownAsset):
        write(lambda c: assets.delete(c, "press", NOW, ()))
    write(lambda c: assets.create(c, "press", None, NOW, 10))
    assert store.read_blocking(lambda c: assets.state(c, "press")).active_version is None


def test_the_default_asset_stays(write: Write) -> None:
    write(lambda c: assets.create(c, "default", None, NOW, 10))
    with pytest.raises(AssetProtected):
        write(lambda c: assets.delete(c, "default", NOW, ()))

"""Assets as rows: the machines whose readings, models and alarms are kept apart."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, Meta, UnsetType

from anomaly.alerting import alarms, alerts, drift
from anomaly.alerting.alarms import AlarmSettings, iso
from anomaly.alerting.drift import DriftSettings
from anomaly.lifecycle.adaptation import AdaptationSettings
from anomaly.lifecycle.registry import DEFAULT_ASSET
from anomaly.lifecycle.versions import ensure_asset
from anomaly.lifecycle.versions import find_asset as asset_row
from anomaly.problems import AssetProtected
from anomaly.schemas import Contribution
from anomaly.storage import schema

__all__ = ["asset_row", "ensure_asset"]

Row = sa.Row[Any]

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
# No client's name begins so: it is what a deleted asset is called until its last reading is gone.
DELETED_PREFIX = "."
table = schema.assets


class QualitySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which readings can be judged: the share of nulls that is tolerated, the gap that begins a new window."""

    max_null_share: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    max_gap_s: Annotated[float, Meta(gt=0, le=31_536_000)] | None = None


class AssetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an asset's readings are judged and watched; members that are missing take their defaults."""

    alarm: AlarmSettings = AlarmSettings()
    quality: QualitySettings = QualitySettings()
    drift: DriftSettings = DriftSettings()
    adaptation: AdaptationSettings = AdaptationSettings()

    @property
    def max_gap_ms(self) -> float | None:
        return None if self.quality.max_gap_s is None else self.quality.max_gap_s * 1000


class Newest(msgspec.Struct):
    """The newest reading; what each sensor contributed to its score only where one asset is asked for."""

    timestamp: str
    score: float | None
    status: str
    contributions: list[Contribution] | UnsetType = UNSET


class AssetState(msgspec.Struct):
    """An asset: its model, its newest reading, its alarm and its drift."""

    asset: str
    created_at: str
    active_version: int | None
    newest: Newest | None
    alarm: dict[str, Any]
    drift: dict[str, Any]
    settings: AssetSettings


class AssetList(msgspec.Struct):
    """Assets in the order of their names."""

    items: list[AssetState]
    next_cursor: str | None


def settings_of(row: Row) -> AssetSettings:
    return msgspec.convert(row.settings, AssetSettings)


def state(connection: sa.Connection, name: str) -> AssetState:
    """Returns an asset as the API shows it; raises UnknownAsset."""
    asset_row(connection, name)
    return _shown(connection.execute(_select().where(table.c.name == name)).one())


def states(connection: sa.Connection, after: str | None, limit: int) -> list[AssetState]:
    """Returns assets by name, those after `after`."""
    query = _select().where(table.c.name.not_like(f"{DELETED_PREFIX}%")).order_by(table.c.name).limit(limit)
    if after is not None:
        query = query.where(table.c.name > after)
    return [_shown(row) for row in connection.execute(query)]


def create(connection: sa.Connection, name: str, settings: AssetSettings | None, now_ms: int, max_assets: int) -> bool:
    """Makes the asset where it is new, and sets its settings where they are given; returns whether it is new."""
    before = connection.scalar(sa.select(table.c.id).where(table.c.name == name))
    row = ensure_asset(connection, name, now_ms, max_assets)
    if settings is not None:
        change(connection, row.id, settings=msgspec.to_builtins(settings))
    return before is None


def replace_settings(connection: sa.Connection, name: str, settings: AssetSettings) -> None:
    change(connection, asset_row(connection, name).id, settings=msgspec.to_builtins(settings))


def change(connection: sa.Connection, asset_id: int, **values: Any) -> None:
    """Updates an asset's row; whatever was remembered of it is out of date from then on."""
    connection.execute(sa.update(table).where(table.c.id == asset_id).values(revision=table.c.revision + 1, **values))


def delete(connection: sa.Connection, name: str, now_ms: int, receivers: Sequence[str]) -> None:
    """Takes the asset away with its models and alerts; its readings follow in small pieces, see `Retention`."""
    if name == DEFAULT_ASSET:
        raise AssetProtected(f"the asset {DEFAULT_ASSET} answers the stateless calls and cannot be deleted")
    row = asset_row(connection, name)
    alerts.resolve_all(connection, row, now_ms, receivers)
    for child in (schema.alerts, schema.activations, schema.versions):
        connection.execute(sa.delete(child).where(child.c.asset_id == row.id))
    connection.execute(sa.delete(schema.jobs).where(schema.jobs.c.asset == name))  # one that runs loses its lease
    change(
        connection,
        row.id,
        name=f"{DELETED_PREFIX}{row.id}",
        active_version=None,
        newest_ms=None,
        settings={},
        state={},
    )


def _select() -> sa.Select[Any]:
    """Joins the newest reading and the active version's summary."""
    newest, active = schema.readings, schema.versions
    columns = (newest.c.score, newest.c.status, newest.c.at_ms, active.c.summary)
    joined = table.outerjoin(newest, (newest.c.asset_id == table.c.id) & (newest.c.at_ms == table.c.newest_ms))
    joined = joined.outerjoin(active, (active.c.asset_id == table.c.id) & (active.c.number == table.c.active_version))
    return sa.select(table, *columns).select_from(joined)


def _shown(row: Row) -> AssetState:
    sensors = [sensor["name"] for sensor in (row.summary or {"sensors": []})["sensors"]]
    return AssetState(
        asset=row.name,
        created_at=iso(row.created_ms),
        active_version=row.active_version,
        newest=None if row.at_ms is None else Newest(iso(row.at_ms), row.score, row.status),
        alarm=alarms.view(alarms.load(row.state.get("alarm"))),
        drift=drift.view(drift.load(row.state.get("drift")), sensors),
        settings=settings_of(row),
    )

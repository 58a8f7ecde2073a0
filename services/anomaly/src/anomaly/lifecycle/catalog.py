"""What the API shows of models: assets that have them, versions, and the report of one version."""

from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from anomaly.alerting.alarms import iso
from anomaly.lifecycle import versions
from anomaly.lifecycle.registry import Registry
from anomaly.lifecycle.versions import Row
from anomaly.storage import schema

Origin = Literal["builtin", "trained", "uploaded", "imported", "threshold", "recalibrated", "adapted"]


class SensorView(msgspec.Struct):
    """A sensor of a model and its physical range."""

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None


class VersionSummary(msgspec.Struct):
    """One immutable version of an asset's model."""

    asset: str
    version: int
    origin: Origin
    parent: int | None
    active: bool
    created_at: str
    sha256: str
    size_bytes: int
    kind: Literal["autoencoder", "pca"]
    sensors: list[SensorView]
    window: int
    threshold: float


class Version(VersionSummary):
    """One immutable version of an asset's model, with the report of its training."""

    report: dict[str, Any]


class VersionList(msgspec.Struct):
    """The versions of an asset's model, newest first."""

    items: list[VersionSummary]
    next_cursor: str | None


class AssetModels(msgspec.Struct):
    """An asset that has models: how many versions, and the one that answers."""

    asset: str
    versions: int
    active: VersionSummary | None


class AssetModelsList(msgspec.Struct):
    """Assets that have models, by name."""

    items: list[AssetModels]
    next_cursor: str | None


def list_assets(connection: sa.Connection, limit: int, after: str | None) -> AssetModelsList:
    """Returns at most `limit` assets that have models, with names after `after`."""
    assets, table = schema.assets, schema.versions
    columns = (assets.c.id, assets.c.name, assets.c.active_version)
    query = sa.select(*columns, sa.func.count(table.c.number).label("versions"))
    query = query.join(table, table.c.asset_id == assets.c.id).group_by(*columns).order_by(assets.c.name)
    query = query.where(assets.c.name.not_like(".%"))  # what is left of a deleted asset
    if after is not None:
        query = query.where(assets.c.name > after)
    rows = connection.execute(query.limit(limit + 1)).all()
    items = [AssetModels(row.name, row.versions, _active(connection, row)) for row in rows[:limit]]
    return AssetModelsList(items, rows[limit - 1].name if len(rows) > limit else None)


def list_versions(connection: sa.Connection, name: str, limit: int, before: int | None) -> VersionList:
    """Returns at most `limit` versions of an asset with numbers below `before`; raises UnknownAsset."""
    asset = versions.find_asset(connection, name)
    rows = versions.newest_versions(connection, asset, limit + 1, before)
    items = [VersionSummary(**_fields(asset, row)) for row in rows[:limit]]
    return VersionList(items, str(rows[limit - 1].number) if len(rows) > limit else None)


def describe(registry: Registry, connection: sa.Connection, name: str, number: int) -> Version:
    """Returns a version with its report; raises UnknownAsset, UnknownVersion, or ModelDamaged."""
    asset = versions.find_asset(connection, name)
    row = versions.find_version(connection, asset, number)
    model = registry.load(connection, asset.id, number)
    return Version(**_fields(asset, row), report=dict(model.report))


def _fields(asset: Row, row: Row) -> dict[str, Any]:
    summary = row.summary
    return {
        "asset": asset.name,
        "version": row.number,
        "origin": row.origin,
        "parent": row.parent,
        "active": row.number == asset.active_version,
        "created_at": iso(row.created_ms),
        "sha256": row.sha256,
        "size_bytes": row.size_bytes,
        "kind": summary["kind"],
        "sensors": msgspec.convert(summary["sensors"], list[SensorView]),
        "window": summary["window"],
        "threshold": summary["threshold"],
    }


def _active(connection: sa.Connection, asset: Row) -> VersionSummary | None:
    if asset.active_version is None:
        return None
    return VersionSummary(**_fields(asset, versions.find_version(connection, asset, asset.active_version)))

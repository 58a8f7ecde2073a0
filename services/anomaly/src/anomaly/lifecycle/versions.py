"""The versions of an asset's model as rows: immutable, numbered once, activated and rolled back by history."""

import contextlib
import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from servicekit.problems import quote

from anomaly.model import Model, ModelFileError
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

MAX_FILE_BYTES = 4 * 1024 * 1024
PRUNED_ORIGINS = ("adapted", "threshold")  # made in passing: the oldest give way to new versions
SHOWN = [column for column in schema.versions.c if column.name != "file"]

Row = sa.Row[Any]


def find_asset(connection: sa.Connection, name: str) -> Row:
    """Returns the asset's row; raises UnknownAsset."""
    row = connection.execute(sa.select(schema.assets).where(schema.assets.c.name == name)).first()
    if row is None:
        raise UnknownAsset(f"there is no asset {quote(name)}")
    return row


def ensure_asset(connection: sa.Connection, name: str, now_ms: int, max_assets: int = 10_000) -> Row:
    """Returns the asset's row, made where it is new; raises TooManyAssets."""
    query = sa.select(schema.assets).where(schema.assets.c.name == name)
    row = connection.execute(query).first()
    if row is None:
        count = connection.execute(sa.select(sa.func.count()).select_from(schema.assets)).scalar_one()
        if count >= max_assets:
            raise TooManyAssets(f"there are {count} assets, the limit is {max_assets}")
        with contextlib.suppress(sa.exc.IntegrityError), connection.begin_nested():  # another replica was faster
            connection.execute(sa.insert(schema.assets).values(name=name, created_ms=now_ms))
        row = connection.execute(query).one()
    return row


def find_version(connection: sa.Connection, asset: Row, number: int) -> Row:
    """Returns a version's row without its file; raises UnknownVersion."""
    row = connection.execute(sa.select(*SHOWN).where(_is(asset, number))).first()
    if row is None:
        raise UnknownVersion(f"the asset {asset.name} has no version {number}")
    return row


def read_file(connection: sa.Connection, asset: Row, number: int) -> bytes:
    """Returns a version's safetensors file as it was stored."""
    file: bytes = connection.execute(sa.select(schema.versions.c.file).where(_is(asset, number))).scalar_one()
    return bytes(file)


def find_file(connection: sa.Connection, asset: Row, file: bytes) -> int | None:
    """Returns the number of the newest version with exactly this file."""
    table = schema.versions
    same = (table.c.asset_id == asset.id) & (table.c.sha256 == hashlib.sha256(file).hexdigest())
    number: int | None = connection.scalar(sa.select(sa.func.max(table.c.number)).where(same))
    return number


def newest_versions(connection: sa.Connection, asset: Row, limit: int, before: int | None) -> Sequence[Row]:
    """Returns at most `limit` versions, newest first, with numbers below `before`."""
    query = sa.select(*SHOWN).where(schema.versions.c.asset_id == asset.id)
    if before is not None:
        query = query.where(schema.versions.c.number < before)
    return connection.execute(query.order_by(schema.versions.c.number.desc()).limit(limit)).all()


def add_version(
    connection: sa.Connection,
    asset: str,
    model_bytes: bytes,
    origin: str,
    parent: int | None,
    now_ms: int,
    max_versions: int = 200,
) -> int:
    """Stores a new version of the asset and returns its number; raises ModelFileInvalid or TooManyVersions."""
    row = find_asset(connection, asset)
    model = read_model(model_bytes)
    _make_room(connection, row, max_versions)
    number = int(row.last_version) + 1
    connection.execute(
        sa.insert(schema.versions).values(
            asset_id=row.id,
            number=number,
            created_ms=now_ms,
            origin=origin,
            parent=parent,
            sha256=hashlib.sha256(model_bytes).hexdigest(),
            size_bytes=len(model_bytes),
            summary=model.summary(),
            file=model_bytes,
        )
    )
    _change(connection, row, last_version=number)
    return number


def read_model(file: bytes) -> Model:
    """Reads a client's model file; raises ModelFileInvalid with a sentence that says what is wrong."""
    if len(file) > MAX_FILE_BYTES:
        raise ModelFileInvalid(f"the file has {len(file)} bytes, the limit is {MAX_FILE_BYTES}")
    try:
        return Model.load(file)
    except ModelFileError as error:
        raise ModelFileInvalid(str(error)) from None


def activate(connection: sa.Connection, asset: str, number: int, by: str | None, now_ms: int) -> None:
    """Makes a version the one that answers; activating the active one changes nothing. Raises UnknownVersion."""
    row = find_asset(connection, asset)
    find_version(connection, row, number)
    if row.active_version == number:
        return
    connection.execute(sa.insert(schema.activations).values(asset_id=row.id, number=number, at_ms=now_ms, by=by))
    _change(connection, row, active_version=number)


def roll_back(connection: sa.Connection, asset: str, now_ms: int) -> int:
    """Activates what was active before, as often as asked, and returns its number; raises NothingToRollBack."""
    row = find_asset(connection, asset)
    table = schema.activations
    existing = set(connection.scalars(sa.select(schema.versions.c.number).where(schema.versions.c.asset_id == row.id)))
    mine = (table.c.asset_id == row.id) & table.c.undone_ms.is_(None)
    history = connection.execute(sa.select(table.c.id, table.c.number).where(mine).order_by(table.c.id.desc()))
    target = next((e for e in history if e.number != row.active_version and e.number in existing), None)
    if target is None:
        raise NothingToRollBack(f"no earlier version of the asset {asset} was active and still exists")
    connection.execute(sa.update(table).where(mine, table.c.id > target.id).values(undone_ms=now_ms))
    _change(connection, row, active_version=target.number)
    return int(target.number)


def delete_version(connection: sa.Connection, asset: str, number: int) -> None:
    """Deletes a version and its file; raises UnknownVersion, or VersionActive where it answers."""
    row = find_asset(connection, asset)
    find_version(connection, row, number)
    if row.active_version == number:
        raise VersionActive(f"version {number} of the asset {asset} is active: activate another one first")
    connection.execute(sa.delete(schema.versions).where(_is(row, number)))


def delete_versions(connection: sa.Connection, asset: str) -> None:
    """Deletes all versions of the asset, which has no model until it gets a new one; numbers are not given again."""
    row = find_asset(connection, asset)
    connection.execute(sa.delete(schema.versions).where(schema.versions.c.asset_id == row.id))
    connection.execute(sa.delete(schema.activations).where(schema.activations.c.asset_id == row.id))
    _change(connection, row, active_version=None)


def _make_room(connection: sa.Connection, asset: Row, max_versions: int) -> None:
    table = schema.versions
    query = sa.select(table.c.number, table.c.origin).where(table.c.asset_id == asset.id).order_by(table.c.number)
    rows = connection.execute(query).all()
    surplus = len(rows) - max_versions + 1
    if surplus <= 0:
        return
    passing = [row.number for row in rows if row.origin in PRUNED_ORIGINS and row.number != asset.active_version]
    if len(passing) < surplus:
        raise TooManyVersions(f"the asset {asset.name} has {len(rows)} versions, the limit is {max_versions}")
    connection.execute(sa.delete(table).where(table.c.asset_id == asset.id, table.c.number.in_(passing[:surplus])))


def _change(connection: sa.Connection, asset: Row, **values: Any) -> None:
    table = schema.assets
    connection.execute(sa.update(table).where(table.c.id == asset.id).values(revision=table.c.revision + 1, **values))


def _is(asset: Row, number: int) -> sa.ColumnElement[bool]:
    return sa.and_(schema.versions.c.asset_id == asset.id, schema.versions.c.number == number)

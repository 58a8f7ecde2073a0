"""Reads of the archive, each one statement: what a page shows of a file was true at one moment."""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from servicekit import names

from cars.archive.records import FileRecord, Filters
from cars.archive.rows import record
from cars.archive.schema import corrections, files, predictions, removals

NOTHING: Mapping[str, Any] = MappingProxyType({})
LARGEST_ID = 2**63 - 1  # of a row

_LOADED = (
    sa.select(
        files,
        *(column.label(f"correction_{column.name}") for column in corrections.c),
        *(column.label(f"prediction_{column.name}") for column in predictions.c),
    )
    .select_from(files.outerjoin(corrections).outerjoin(predictions, predictions.c.file_id == files.c.id))
    .order_by(files.c.id.desc(), predictions.c.rank)
)
_BY_ID = _LOADED.where(files.c.id == sa.bindparam("id"))
_BY_SHA256 = _LOADED.where(files.c.sha256 == sa.bindparam("sha256"))
_EXISTS = sa.select(files.c.id).where(files.c.id == sa.bindparam("id"))


def by_id(connection: sa.Connection, file_id: int) -> FileRecord | None:
    """Returns the file, or None; any whole number may be asked for."""
    if not is_id(file_id):
        return None
    return next(iter(_load(connection, _BY_ID, {"id": file_id})), None)


def by_sha256(connection: sa.Connection, sha256: str) -> FileRecord | None:
    return next(iter(_load(connection, _BY_SHA256, {"sha256": sha256})), None)


def exists(connection: sa.Connection, file_id: int) -> bool:
    """Returns whether there is such a file; any whole number may be asked for."""
    return is_id(file_id) and connection.scalar(_EXISTS, {"id": file_id}) is not None


def page(connection: sa.Connection, filters: Filters, limit: int, before: int | None) -> Sequence[FileRecord]:
    """Returns at most `limit` files whose ids lie under `before`, newest first."""
    query = sa.select(files.c.id).where(*_conditions(filters)).order_by(files.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(files.c.id < before)
    return _load(connection, _LOADED.where(files.c.id.in_(query.subquery().select())))


def known_keys(connection: sa.Connection, keys: Collection[str]) -> set[str]:
    """Returns those of the storage keys that a file has, or that stand to be removed."""
    found = sa.select(files.c.key).where(files.c.key.in_(keys))
    removed = sa.select(removals.c.key).where(removals.c.key.in_(keys))
    return set(connection.scalars(found.union(removed)))


def is_id(number: int) -> bool:
    """Returns whether a row could have this id; a database refuses larger numbers with an error."""
    return 0 < number <= LARGEST_ID


def _load(connection: sa.Connection, query: sa.Select[Any], values: Mapping[str, Any] = NOTHING) -> list[FileRecord]:
    rows = connection.execute(query, values).mappings()
    return [record(list(group)) for _, group in groupby(rows, key=lambda row: row["id"])]


def _conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    column = files.c
    found: list[sa.ColumnElement[bool] | None] = [
        None if filters.status is None else column.status == filters.status,
        None if filters.make is None else column.shown_make == names.clean(filters.make),
        None if filters.model is None else column.shown_model == names.clean(filters.model),
        None if filters.uploaded_from_ms is None else column.uploaded_ms >= _bounded(filters.uploaded_from_ms),
        None if filters.uploaded_to_ms is None else column.uploaded_ms < _bounded(filters.uploaded_to_ms),
        None if filters.confidence_min is None else column.confidence >= filters.confidence_min,
        None if filters.confidence_max is None else column.confidence <= filters.confidence_max,
        None if filters.q is None else column.search.contains(names.clean(filters.q).casefold(), autoescape=True),
    ]
    return [condition for condition in found if condition is not None]


def _bounded(time_ms: int) -> int:
    return max(-LARGEST_ID, min(time_ms, LARGEST_ID))

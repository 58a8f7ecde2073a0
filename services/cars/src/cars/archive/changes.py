"""Changes of the archive: each runs in the writer's transaction and moves the counters with the rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from cars.archive import counters, rows
from cars.archive.records import Lease, NewFile
from cars.archive.schema import corrections, files, predictions, removals
from cars.labels import parsed
from cars.recognition import Candidate, Recognition

Condition = sa.ColumnElement[bool]
_BEFORE = [files.c[name] for name in ("id", "key", "filename", "claims", *counters.COUNTED)]
_SAME = sa.select(files.c.id).where(files.c.sha256 == sa.bindparam("sha256"))


def add(connection: sa.Connection, new: NewFile, now_ms: int) -> int | None:
    """Stores a picture's row and returns its id; None where another row has the same bytes."""
    if connection.scalar(_SAME, {"sha256": new.sha256}) is not None:
        return None
    values = rows.file_values(new, now_ms)
    key = connection.execute(sa.insert(files), values).inserted_primary_key
    counters.move(connection, counters.Counts(), counters.counts(values))
    return int(key[0]) if key else None


def claim(connection: sa.Connection, file_id: int, now_ms: int, until_ms: int, *, force: bool) -> Lease | None:
    """Takes a file to recognise it; None where it is recognised already or another holds it."""
    free: Condition = files.c.status != "processing" if force else files.c.status.in_(("pending", "failed"))
    lapsed = (files.c.status == "processing") & (files.c.lease_until_ms <= now_ms)
    where = (files.c.id == file_id) & (free | lapsed)
    before = _forget(connection, where, status="processing", claims=files.c.claims + 1, lease_until_ms=until_ms)
    return None if before is None else Lease(file_id, before["claims"] + 1)


def renew(connection: sa.Connection, lease: Lease, until_ms: int) -> bool:
    return bool(connection.execute(sa.update(files).where(held(lease)).values(lease_until_ms=until_ms)).rowcount)


def release(connection: sa.Connection, where: Condition) -> int:
    """Gives files back that nobody recognises any more, and returns how many; what they knew before is gone."""
    ids = list(connection.scalars(sa.select(files.c.id).where(files.c.status == "processing", where)))
    for file_id in ids:
        _forget(connection, files.c.id == file_id, status="pending")
    return len(ids)


def held(lease: Lease) -> Condition:
    """Which file it is, as long as the lease is good."""
    return (files.c.id == lease.file_id) & (files.c.status == "processing") & (files.c.claims == lease.number)


def finish(connection: sa.Connection, lease: Lease, recognition: Recognition, now_ms: int) -> bool:
    """Stores what a backend said; False where the lease is another's by now."""
    before = _read(connection, held(lease))
    if before is None:
        return False
    values = rows.recognition_values(recognition, now_ms)
    found = [rows.prediction_values(lease.file_id, *pair) for pair in enumerate(recognition.predictions)]
    if not before["corrected"]:  # else what a person says stays what is shown
        values |= rows.shown(before["filename"], found[0] if found and recognition.recognized else None)
    _change(connection, before, values)
    if found:  # there are no others: a claim takes them away
        connection.execute(sa.insert(predictions), found)
    return True


def fail(connection: sa.Connection, lease: Lease, error: Mapping[str, Any]) -> bool:
    """Stores why a file could not be recognised; False where the lease is another's by now."""
    return _forget(connection, held(lease), status="failed", error=dict(error)) is not None


def reset(connection: sa.Connection, file_id: int) -> bool:
    """Makes a file wait for its recognition again, whoever is at it; False where there is none."""
    return _forget(connection, files.c.id == file_id, status="pending", claims=files.c.claims + 1) is not None


def correct(connection: sa.Connection, file_id: int, label: str | None, now_ms: int) -> bool:
    """Keeps, or takes back, what a person says beside what the model said; False where there is no such file."""
    if _update(connection, files.c.id == file_id, corrected=label is not None) is None:
        return False
    connection.execute(sa.delete(corrections).where(corrections.c.file_id == file_id))
    if label is not None:
        car = rows.car_values(Candidate(label, *parsed(label), confidence=1.0))
        connection.execute(sa.insert(corrections).values(file_id=file_id, corrected_ms=now_ms, **car))
    _show(connection, file_id)
    return True


def delete(connection: sa.Connection, where: Condition, now_ms: int, limit: int) -> Sequence[str]:
    """Deletes rows, oldest first, and returns the keys of their pictures, which stand to be removed until `forget`."""
    found = connection.execute(sa.select(*_BEFORE).where(where).order_by(files.c.id).limit(limit)).mappings().all()
    if not found:
        return []
    connection.execute(sa.insert(removals), [{"key": row["key"], "since_ms": now_ms} for row in found])
    connection.execute(sa.delete(files).where(files.c.id.in_([row["id"] for row in found])))
    gone = counters.Counts()
    for row in found:
        gone.update(counters.counts(row))
    counters.move(connection, gone, counters.Counts())
    return [row["key"] for row in found]


def forget(connection: sa.Connection, keys: Sequence[str]) -> None:
    """Notes that these pictures have left the storage."""
    connection.execute(sa.delete(removals).where(removals.c.key.in_(keys)))


def _forget(connection: sa.Connection, where: Condition, **values: Any) -> Mapping[str, Any] | None:
    """Takes away what a model said of at most one file, and sets `values`; returns what it was before, None where none
    is concerned."""
    before = _update(connection, where, **{**rows.UNRECOGNISED, **values})
    if before and before["prediction_count"]:
        connection.execute(sa.delete(predictions).where(predictions.c.file_id == before["id"]))
        _show(connection, before["id"])
    return before


def _show(connection: sa.Connection, file_id: int) -> None:
    """Brings the columns that filters look at up to what is now known of the file."""
    file = connection.execute(sa.select(files.c.filename, files.c.status).where(files.c.id == file_id)).one()
    car = connection.execute(sa.select(corrections).where(corrections.c.file_id == file_id)).mappings().first()
    if car is None and file.status == "recognized":
        first = sa.select(predictions).where(predictions.c.file_id == file_id, predictions.c.rank == 0)
        car = connection.execute(first).mappings().first()
    _update(connection, files.c.id == file_id, **rows.shown(file.filename, car))


def _update(connection: sa.Connection, where: Condition, **values: Any) -> Mapping[str, Any] | None:
    """Changes at most one file and the counters with it; returns what it was before, None where none is concerned."""
    before = _read(connection, where)
    if before is not None:
        _change(connection, before, values)
    return before


def _read(connection: sa.Connection, where: Condition) -> Mapping[str, Any] | None:
    """Returns what `_change` needs to know of at most one file."""
    found = connection.execute(sa.select(*_BEFORE).where(where)).mappings().first()
    return None if found is None else dict(found)


def _change(connection: sa.Connection, before: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Changes one file, and the counters with it."""
    connection.execute(sa.update(files).where(files.c.id == before["id"]).values(**values))
    counters.move(connection, counters.counts(before), counters.counts({**before, **values}))

"""The counts behind the statistics: moved with each change of a file, in its transaction."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from cars.archive.records import CONFIDENCE_STEPS, STATUSES, ModelCount, Stats
from cars.archive.schema import counters as table

Place = tuple[str, str, str]  # kind, name, detail
Counts = Counter[Place]

COUNTED = (
    "uploaded_ms",
    "size_bytes",
    "status",
    "reason",
    "backend",
    "prediction_count",
    "confidence",
    "corrected",
    "shown_make",
    "shown_model",
)  # the columns of a file that `counts` reads

# As text, the same on SQLite and PostgreSQL: a change moves a dozen counters, and to make a statement costs more than
# to run it.
_ADD = sa.text(
    "INSERT INTO counters (kind, name, detail, count) VALUES (:kind, :name, :detail, :count) "
    "ON CONFLICT (kind, name, detail) DO UPDATE SET count = counters.count + excluded.count"
)
_CLEAR = sa.text("DELETE FROM counters WHERE kind = :kind AND name = :name AND detail = :detail AND count = 0")


def counts(file: Mapping[Any, Any]) -> Counts:
    """Returns what one file adds to the counters."""
    found = Counter({("files", "", ""): 1, ("bytes", "", ""): file["size_bytes"], ("status", file["status"], ""): 1})
    found["day", datetime.fromtimestamp(file["uploaded_ms"] / 1000, UTC).date().isoformat(), ""] = 1
    found["predictions", "", ""] = file["prediction_count"]
    found["corrections", "", ""] = int(file["corrected"])
    for kind in ("reason", "backend"):
        if file[kind] is not None:
            found[kind, file[kind], ""] = 1
    if file["confidence"] is not None:
        found["confidence", str(min(int(file["confidence"] * CONFIDENCE_STEPS), CONFIDENCE_STEPS - 1)), ""] = 1
    if file["shown_make"] is not None:
        found["make", file["shown_make"], ""] = 1
    if file["shown_model"] is not None:
        found["model", file["shown_model"], file["shown_make"] or ""] = 1
    return found


def move(connection: sa.Connection, before: Counts, after: Counts) -> None:
    """Takes `before` away and adds `after`; the caller is the only writer."""
    difference = Counter(after)
    difference.subtract(before)
    moved = [_row(place, number) for place, number in difference.items() if number]
    if moved:
        connection.execute(_ADD, moved)
    less = [row for row in moved if row["count"] < 0]
    if less:
        connection.execute(_CLEAR, less)


def read(connection: sa.Connection) -> Stats:
    """Returns the statistics; the cost is that of the different makes and models, not of the files."""
    kinds: dict[str, list[tuple[str, str, int]]] = {}
    largest_first = (table.c.count.desc(), table.c.name, table.c.detail)
    for kind, name, detail, count in connection.execute(sa.select(table).order_by(*largest_first)):
        kinds.setdefault(kind, []).append((name, detail, count))

    def by_name(kind: str) -> dict[str, int]:
        return {name: count for name, _, count in kinds.get(kind, ())}

    statuses, steps = by_name("status"), by_name("confidence")
    return Stats(
        files=by_name("files").get("", 0),
        size_bytes=by_name("bytes").get("", 0),
        predictions=by_name("predictions").get("", 0),
        corrections=by_name("corrections").get("", 0),
        by_status={status: statuses.get(status, 0) for status in STATUSES},
        by_make=by_name("make"),
        by_model=tuple(ModelCount(make or None, model, count) for model, make, count in kinds.get("model", ())),
        by_confidence=tuple(steps.get(str(step), 0) for step in range(CONFIDENCE_STEPS)),
        by_reason=by_name("reason"),
        by_backend=by_name("backend"),
        by_day=dict(sorted(by_name("day").items())),
    )


def stored_bytes(connection: sa.Connection) -> int:
    """Returns the bytes of all pictures."""
    query = sa.select(table.c.count).where(table.c.kind == "bytes", table.c.name == "", table.c.detail == "")
    return connection.scalar(query) or 0


def _row(place: Place, number: int) -> dict[str, Any]:
    kind, name, detail = place
    return {"kind": kind, "name": name, "detail": detail, "count": number}

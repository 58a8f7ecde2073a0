"""Statistics from counters, filled from the files that are there."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME = sa.String(length=255)
DAY_MS = 86_400_000
STEPS = 10  # of the confidence

files = sa.table(
    "files",
    sa.column("uploaded_ms", sa.BigInteger),
    sa.column("size_bytes", sa.BigInteger),
    sa.column("status", NAME),
    sa.column("reason", NAME),
    sa.column("backend", NAME),
    sa.column("prediction_count", sa.Integer),
    sa.column("confidence", sa.Float),
    sa.column("corrected", sa.Boolean),
    sa.column("shown_make", NAME),
    sa.column("shown_model", NAME),
)


def upgrade() -> None:
    table = op.create_table(
        "counters",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("detail", NAME, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "detail", name="pk_counters"),
    )
    rows = [row for row in _counts(op.get_bind()) if row["count"]]
    if rows:
        op.bulk_insert(table, rows)


def downgrade() -> None:
    op.drop_table("counters")


def _counts(connection: sa.Connection) -> list[dict[str, str | int]]:
    column, one = files.c, sa.func.count()
    total = sa.func.coalesce
    return [
        *_group(connection, "files", one),
        *_group(connection, "bytes", total(sa.func.sum(column.size_bytes), 0)),
        *_group(connection, "predictions", total(sa.func.sum(column.prediction_count), 0)),
        *_group(connection, "corrections", one, where=column.corrected),
        *_group(connection, "status", one, column.status),
        *_group(connection, "reason", one, column.reason),
        *_group(connection, "backend", one, column.backend),
        *_group(connection, "make", one, column.shown_make),
        *_group(connection, "model", one, column.shown_model, total(column.shown_make, "")),
        *_confidences(connection),
        *_days(connection),
    ]


def _group(
    connection: sa.Connection,
    kind: str,
    count: sa.ColumnElement[int],
    *names: sa.ColumnElement[str],
    where: sa.ColumnElement[bool] | None = None,
) -> list[dict[str, str | int]]:
    """Returns the counters of a kind: one for each value of the first of `names`, or a single one."""
    query = sa.select(count, *names).select_from(files).group_by(*names)
    if where is not None:
        query = query.where(where)
    if names:
        query = query.where(names[0].is_not(None))
    found = []
    for number, *values in connection.execute(query):
        name, detail, *_ = *values, "", ""
        found.append({"kind": kind, "name": name, "detail": detail, "count": int(number)})
    return found


def _confidences(connection: sa.Connection) -> list[dict[str, str | int]]:
    counts = dict.fromkeys(range(STEPS), 0)
    for value in connection.scalars(sa.select(files.c.confidence).where(files.c.confidence.is_not(None))):
        counts[min(int(value * STEPS), STEPS - 1)] += 1
    return [{"kind": "confidence", "name": str(step), "detail": "", "count": count} for step, count in counts.items()]


def _days(connection: sa.Connection) -> list[dict[str, str | int]]:
    counts: dict[int, int] = {}
    for uploaded_ms in connection.scalars(sa.select(files.c.uploaded_ms)):
        counts[uploaded_ms // DAY_MS] = counts.get(uploaded_ms // DAY_MS, 0) + 1
    return [{"kind": "day", "name": _date(day), "detail": "", "count": count} for day, count in sorted(counts.items())]


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_MS / 1000, UTC).date().isoformat()

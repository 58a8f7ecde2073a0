"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite only numbers rows by itself in a column called INTEGER.
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.String(length=255)
WORD = sa.String(length=64)
TABLES = ("files", "predictions", "corrections", "removals", "jobs")


def upgrade() -> None:
    _create_files()
    _create_predictions()
    _create_corrections()
    _create_removals()
    _create_jobs()


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)


def _create_files() -> None:
    op.create_table(
        "files",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("filename", NAME, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.String(length=32), nullable=False),
        sa.Column("uploaded_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger()),
        sa.Column("recognized_ms", sa.BigInteger()),
        sa.Column("reason", sa.String(length=16)),
        sa.Column("error", sa.JSON()),
        sa.Column("backend", sa.String(length=16)),
        sa.Column("model_name", NAME),
        sa.Column("model_version", NAME),
        sa.Column("region", sa.JSON()),
        sa.Column("shares", sa.JSON()),
        sa.Column("prediction_count", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(precision=53)),
        sa.Column("corrected", sa.Boolean(), nullable=False),
        sa.Column("shown_make", WORD),
        sa.Column("shown_model", WORD),
        sa.Column("search", sa.String(length=1850), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.UniqueConstraint("sha256", name="uq_files_sha256"),
        sa.UniqueConstraint("key", name="uq_files_key"),
        sqlite_autoincrement=True,
    )
    filtered = ["confidence", "uploaded_ms", "search"]
    op.create_index("ix_files_numbers", "files", ["id", "confidence", "uploaded_ms"])
    op.create_index("ix_files_search", "files", ["id", "search"])
    op.create_index("ix_files_status", "files", ["status", "id", "shown_make", "shown_model", *filtered])
    op.create_index("ix_files_shown_make", "files", ["shown_make", "id", "shown_model", "status", *filtered])
    op.create_index("ix_files_shown_model", "files", ["shown_model", "id", "shown_make", "status", *filtered])


def _car() -> list[sa.Column[str] | sa.Column[int]]:
    names = [sa.Column(name, WORD) for name in ("make", "model", "body")]
    return [sa.Column("label", sa.String(length=200), nullable=False), *names, sa.Column("year", sa.Integer())]


def _file(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=f"fk_{table}_file_id_files", ondelete="CASCADE")


def _create_predictions() -> None:
    op.create_table(
        "predictions",
        sa.Column("file_id", ROW_ID, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        *_car(),
        sa.Column("confidence", sa.Float(precision=53), nullable=False),
        _file("predictions"),
        sa.PrimaryKeyConstraint("file_id", "rank", name="pk_predictions"),
    )


def _create_corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("file_id", ROW_ID, nullable=False),
        *_car(),
        sa.Column("corrected_ms", sa.BigInteger(), nullable=False),
        _file("corrections"),
        sa.PrimaryKeyConstraint("file_id", name="pk_corrections"),
    )


def _create_removals() -> None:
    op.create_table(
        "removals",
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_removals"),
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", ROW_ID, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=128)),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("progress", sa.Float(precision=53), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON()),
        sa.Column("error", sa.JSON()),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("started_ms", sa.BigInteger()),
        sa.Column("finished_ms", sa.BigInteger()),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number", name="pk_jobs"),
        sa.UniqueConstraint("id", name="uq_jobs_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_status_number", "jobs", ["status", "number"])

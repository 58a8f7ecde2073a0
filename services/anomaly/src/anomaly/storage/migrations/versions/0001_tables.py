"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite only numbers rows by itself in a column called INTEGER.
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("assets", "idempotency", "jobs", "activations", "alerts", "readings", "versions", "deliveries")


def upgrade() -> None:
    _create_assets()
    _create_idempotency()
    _create_jobs()
    _create_activations()
    _create_alerts()
    _create_readings()
    _create_versions()
    _create_deliveries()


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)


def _create_assets() -> None:
    op.create_table(
        "assets",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("active_version", sa.Integer()),
        sa.Column("last_version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("newest_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_assets"),
        sa.UniqueConstraint("name", name="uq_assets_name"),
    )


def _create_idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("client", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_ms", "idempotency", ["created_ms"])


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("asset", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("progress", sa.Float(precision=53), nullable=False),
        sa.Column("message", sa.String(length=256)),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("started_ms", sa.BigInteger()),
        sa.Column("finished_ms", sa.BigInteger()),
        sa.Column("lease_until_ms", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("input", sa.LargeBinary()),
        sa.Column("error", sa.JSON()),
        sa.Column("result", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_status_created_ms", "jobs", ["status", "created_ms"])


def _create_activations() -> None:
    op.create_table(
        "activations",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("asset_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=128)),
        sa.Column("undone_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_activations_asset_id_assets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_activations"),
    )
    op.create_index("ix_activations_asset_id", "activations", ["asset_id"])


def _create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("asset_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("cleared_ms", sa.BigInteger()),
        sa.Column("first_reading_ms", sa.BigInteger()),
        sa.Column("last_reading_ms", sa.BigInteger()),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("peak_score", sa.Float(precision=53)),
        sa.Column("last_score", sa.Float(precision=53)),
        sa.Column("threshold", sa.Float(precision=53)),
        sa.Column("version", sa.Integer()),
        sa.Column("contributions", sa.JSON()),
        sa.Column("acknowledged", sa.JSON()),
        sa.Column("shelved_until_ms", sa.BigInteger()),
        sa.Column("feedback", sa.JSON()),
        sa.Column("notified", sa.String(length=8)),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_alerts_asset_id_assets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_asset_id_opened_ms", "alerts", ["asset_id", "opened_ms"])
    op.create_index(
        "uq_alerts_open",
        "alerts",
        ["asset_id", "kind"],
        unique=True,
        sqlite_where=sa.text("cleared_ms IS NULL"),
        postgresql_where=sa.text("cleared_ms IS NULL"),
    )


def _create_readings() -> None:
    op.create_table(
        "readings",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("asset_id", ROW_ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("values", sa.LargeBinary(), nullable=False),
        sa.Column("quality", sa.String(length=9), nullable=False),
        sa.Column("score", sa.Float(precision=53)),
        sa.Column("threshold", sa.Float(precision=53)),
        sa.Column("status", sa.String(length=7), nullable=False),
        sa.Column("reason", sa.String(length=16)),
        sa.Column("fate", sa.String(length=4), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_readings_asset_id_assets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_readings"),
        sa.UniqueConstraint("asset_id", "at_ms", name="uq_readings_asset_id_at_ms"),
    )
    op.create_index("ix_readings_asset_id_id", "readings", ["asset_id", "id"])


def _create_versions() -> None:
    op.create_table(
        "versions",
        sa.Column("asset_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("parent", sa.Integer()),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_versions_asset_id_assets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("asset_id", "number", name="pk_versions"),
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("alert_id", ROW_ID),
        sa.Column("receiver", sa.String(length=256), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_ms", sa.BigInteger(), nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger()),
        sa.Column("delivered_ms", sa.BigInteger()),
        sa.Column("last_error", sa.String(length=512)),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_deliveries_alert_id_alerts", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_alert_id", "deliveries", ["alert_id"])
    op.create_index(
        "ix_deliveries_receiver_status_next_attempt_ms", "deliveries", ["receiver", "status", "next_attempt_ms"]
    )

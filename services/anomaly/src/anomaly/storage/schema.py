"""The tables: SQLAlchemy Core only, the same on SQLite and PostgreSQL.

Times are epoch milliseconds. A version's file, a job's input and a delivery's payload live in the database, so that
one backup holds everything and every replica sees it.
"""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite only numbers rows by itself in a column called INTEGER.
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _asset_id(*, index: bool = False) -> sa.Column[int]:
    return sa.Column("asset_id", RowId, sa.ForeignKey("assets.id", ondelete="CASCADE"), nullable=False, index=index)


assets = sa.Table(
    "assets",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("name", sa.String(128), nullable=False, unique=True),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("active_version", sa.Integer),
    sa.Column("last_version", sa.Integer, nullable=False, default=0),  # a number is never given twice
    sa.Column("revision", sa.BigInteger, nullable=False, default=0),  # every write adds one: caches compare it
    sa.Column("settings", sa.JSON, nullable=False, default=dict),
    sa.Column("state", sa.JSON, nullable=False, default=dict),  # alarm, drift and adaptation, after the newest reading
    sa.Column("newest_ms", sa.BigInteger),
)

versions = sa.Table(
    "versions",
    metadata,
    _asset_id(),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("parent", sa.Integer),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("summary", sa.JSON, nullable=False),  # kind, sensors, window, threshold: what a list shows
    sa.Column("file", sa.LargeBinary, nullable=False),  # safetensors
    sa.PrimaryKeyConstraint("asset_id", "number"),
)

activations = sa.Table(
    "activations",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    _asset_id(index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("by", sa.String(128)),
    sa.Column("undone_ms", sa.BigInteger),  # rolled back: the next roll back goes further
)

readings = sa.Table(
    "readings",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    _asset_id(),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("received_ms", sa.BigInteger, nullable=False),
    sa.Column("values", sa.LargeBinary, nullable=False),  # float64 little-endian, NaN for null
    sa.Column("quality", sa.String(9), nullable=False),
    sa.Column("score", sa.Float(53)),
    sa.Column("threshold", sa.Float(53)),
    sa.Column("status", sa.String(7), nullable=False),
    sa.Column("reason", sa.String(16)),
    sa.Column("fate", sa.String(4), nullable=False),  # live or late
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("asset_id", "at_ms"),
    sa.Index("ix_readings_asset_id_id", "asset_id", "id"),  # streams go on after the last id they sent
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    _asset_id(),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("severity", sa.String(8), nullable=False),
    sa.Column("opened_ms", sa.BigInteger, nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    sa.Column("cleared_ms", sa.BigInteger),
    sa.Column("first_reading_ms", sa.BigInteger),
    sa.Column("last_reading_ms", sa.BigInteger),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("peak_score", sa.Float(53)),
    sa.Column("last_score", sa.Float(53)),
    sa.Column("threshold", sa.Float(53)),
    sa.Column("version", sa.Integer),
    sa.Column("contributions", sa.JSON),
    sa.Column("acknowledged", sa.JSON),
    sa.Column("shelved_until_ms", sa.BigInteger),
    sa.Column("feedback", sa.JSON),
    sa.Column("notified", sa.String(8)),  # what receivers were told last: firing or resolved
    sa.Index("ix_alerts_asset_id_opened_ms", "asset_id", "opened_ms"),
)
# One open alert per asset and kind, whatever the number of writers: the partial unique index `uq_alerts_open` stands in
# the migration alone, because naming it here would load PostgreSQL's dialect (2 MB) for SQLite too.

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("alert_id", RowId, sa.ForeignKey("alerts.id", ondelete="SET NULL"), index=True),
    sa.Column("receiver", sa.String(256), nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("status", sa.String(9), nullable=False),  # pending, delivered or failed
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("next_attempt_ms", sa.BigInteger, nullable=False),
    sa.Column("lease_until_ms", sa.BigInteger),  # whoever sends it holds it until then
    sa.Column("delivered_ms", sa.BigInteger),
    sa.Column("last_error", sa.String(512)),
    sa.Index("ix_deliveries_receiver_status_next_attempt_ms", "receiver", "status", "next_attempt_ms"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("asset", sa.String(128), nullable=False),
    sa.Column("status", sa.String(9), nullable=False),
    sa.Column("progress", sa.Float(53), nullable=False, default=0.0),
    sa.Column("message", sa.String(256)),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("started_ms", sa.BigInteger),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("lease_until_ms", sa.BigInteger),  # whoever runs it renews this; a lapsed lease is picked up again
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("parameters", sa.JSON, nullable=False),
    sa.Column("input", sa.LargeBinary),  # the CSV, until the job ends
    sa.Column("error", sa.JSON),
    sa.Column("result", sa.JSON),
    sa.Index("ix_jobs_status_created_ms", "status", "created_ms"),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("client", sa.String(128), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("media_type", sa.String(64), nullable=False),
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False, index=True),
)

"""The tables: SQLAlchemy Core only, the same on SQLite and PostgreSQL. Times are epoch milliseconds, in UTC.

An id is never given twice, not even after its file was deleted: AUTOINCREMENT on SQLite, a sequence on PostgreSQL.
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
# Together at most 2,700 bytes of UTF-8, which is what a row of PostgreSQL's indexes holds.
Name = sa.String(255)
Label = sa.String(200)
Word = sa.String(64)
SEARCH_BYTES = 1850
_FILTERED = ("confidence", "uploaded_ms", "search")


def _car() -> list[sa.Column[str] | sa.Column[int]]:
    """Returns the columns that tell of a car; all but the label may be unknown."""
    return [
        sa.Column("label", Label, nullable=False),
        sa.Column("make", Word),
        sa.Column("model", Word),
        sa.Column("body", Word),
        sa.Column("year", sa.Integer),
    ]


def _file_id() -> sa.Column[int]:
    return sa.Column("file_id", RowId, sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True)


files = sa.Table(
    "files",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("filename", Name, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("key", sa.String(128), nullable=False, unique=True),  # in the storage; of this upload alone
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("content_type", sa.String(32), nullable=False),
    sa.Column("uploaded_ms", sa.BigInteger, nullable=False),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("claims", sa.Integer, nullable=False),  # each claim and reset adds one: a lease names its own
    sa.Column("lease_until_ms", sa.BigInteger),
    sa.Column("recognized_ms", sa.BigInteger),
    sa.Column("reason", sa.String(16)),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("backend", sa.String(16)),
    sa.Column("model_name", Name),
    sa.Column("model_version", Name),
    sa.Column("region", sa.JSON(none_as_null=True)),  # x, y, width, height
    sa.Column("shares", sa.JSON(none_as_null=True)),  # of make, model, body and year: value and confidence
    sa.Column("prediction_count", sa.Integer, nullable=False),
    sa.Column("confidence", sa.Float(53)),  # of the first prediction
    sa.Column("corrected", sa.Boolean, nullable=False),
    sa.Column("shown_make", Word),  # of the correction, else of the first prediction where that counts
    sa.Column("shown_model", Word),
    sa.Column("search", sa.String(SEARCH_BYTES), nullable=False),  # name of the file and label, case folded
    # Filters walk newest first through an index that holds all they look at; rows are read only for the page.
    sa.Index("ix_files_numbers", "id", "confidence", "uploaded_ms"),
    sa.Index("ix_files_search", "id", "search"),
    sa.Index("ix_files_status", "status", "id", "shown_make", "shown_model", *_FILTERED),
    sa.Index("ix_files_shown_make", "shown_make", "id", "shown_model", "status", *_FILTERED),
    sa.Index("ix_files_shown_model", "shown_model", "id", "shown_make", "status", *_FILTERED),
    sqlite_autoincrement=True,
)

predictions = sa.Table(
    "predictions",
    metadata,
    _file_id(),
    sa.Column("rank", sa.Integer, primary_key=True),  # 0 is the most certain
    *_car(),
    sa.Column("confidence", sa.Float(53), nullable=False),
)

corrections = sa.Table(
    "corrections",
    metadata,
    _file_id(),
    *_car(),
    sa.Column("corrected_ms", sa.BigInteger, nullable=False),
)

counters = sa.Table(  # kept in the transaction of what they count, so that statistics read no files
    "counters",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("name", Name, primary_key=True),
    sa.Column("detail", Name, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
)

removals = sa.Table(  # pictures whose rows are gone and which have still to leave the storage
    "removals",
    metadata,
    sa.Column("key", sa.String(128), primary_key=True),
    sa.Column("since_ms", sa.BigInteger, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("number", RowId, primary_key=True),  # the order in which they came
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("owner", sa.String(128)),
    sa.Column("status", sa.String(9), nullable=False),
    sa.Column("progress", sa.Float(53), nullable=False),
    sa.Column("parameters", sa.JSON, nullable=False),
    sa.Column("result", sa.JSON(none_as_null=True)),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("started_ms", sa.BigInteger),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("claims", sa.Integer, nullable=False),
    sa.Column("lease_until_ms", sa.BigInteger),  # whoever runs it renews this; a lapsed lease is picked up again
    sa.Index("ix_jobs_status_number", "status", "number"),
    sqlite_autoincrement=True,
)

"""Alembic's environment: `migrate.upgrade` hands in an engine; everything happens in one locked transaction."""

import sqlalchemy as sa
from alembic import context

from anomaly.storage import schema

LOCK = 0x616E6F6D616C79  # "anomaly"


def run(engine: sa.Engine) -> None:
    """Upgrades under a lock, so that of two processes that start at once the second finds nothing left to do."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        context.configure(
            connection=connection,
            target_metadata=schema.metadata,
            transactional_ddl=True,  # SQLite's too, where the driver does not begin by itself
            render_as_batch=True,
        )
        context.run_migrations()


run(context.config.attributes["engine"])

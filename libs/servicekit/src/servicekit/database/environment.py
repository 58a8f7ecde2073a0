"""What a service's `migrations/env.py` calls: everything happens in one locked transaction. Alembic's child alone."""

import sqlalchemy as sa
from alembic import context


def run(metadata: sa.MetaData, lock: int) -> None:
    """Migrates under a lock of the service's own, so that of two processes that start at once the second finds
    nothing left to do; `lock` is a number of 63 bits."""
    engine: sa.Engine = context.config.attributes["engine"]
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock:d})")
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transactional_ddl=True,  # SQLite's too, where the driver does not begin by itself
            render_as_batch=True,
        )
        context.run_migrations()

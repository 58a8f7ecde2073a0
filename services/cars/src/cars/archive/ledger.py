"""The writer of this service: on PostgreSQL one at a time among all replicas, as on SQLite."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from servicekit.database import ledger

LOCK = 0x63617273_0002  # "cars"; a migration holds another number


class Ledger(ledger.Writer):
    """Counters concern all files, so that replicas that wrote side by side would wait for each other in circles."""

    advice = "send it again, the same picture is stored once"

    def lock(self, connection: sa.Connection, _changes: Sequence[Any]) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK:d})")

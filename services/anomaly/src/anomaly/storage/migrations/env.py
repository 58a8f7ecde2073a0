"""Alembic's environment: the tables, and the number that two processes at once lock."""

from servicekit.database import environment

from anomaly.storage import schema

LOCK = 0x616E6F6D616C79  # "anomaly"

environment.run(schema.metadata, LOCK)

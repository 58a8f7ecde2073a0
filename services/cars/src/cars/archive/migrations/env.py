"""Alembic's environment: the tables, and the number that two processes at once lock."""

from servicekit.database import environment

from cars.archive import schema

LOCK = 0x63617273_0001  # "cars"

environment.run(schema.metadata, LOCK)

"""The revisions of this service's tables."""

from pathlib import Path

from servicekit.database.migrate import MigrationError, Migrations, current

__all__ = ["FOLDER", "REVISIONS", "MigrationError", "current", "ensure"]

REVISIONS = ("0001", "0002")  # oldest first; a test compares them with the files
FOLDER = Path(__file__).parent / "migrations"


def ensure(url: str) -> None:
    """Upgrades the database where it is behind; raises MigrationError, ValueError or StorageUnavailable."""
    Migrations(FOLDER, REVISIONS).ensure(url)

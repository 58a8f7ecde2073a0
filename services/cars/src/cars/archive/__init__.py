"""What is known of the stored pictures: rows, their counters, and the rules by which they come and go."""

from cars.archive.archive import Archive
from cars.archive.ledger import Ledger
from cars.archive.records import (
    Correction,
    FileRecord,
    Filters,
    Lease,
    ModelCount,
    NewFile,
    Stats,
    Status,
)

__all__ = [
    "Archive",
    "Correction",
    "FileRecord",
    "Filters",
    "Lease",
    "Ledger",
    "ModelCount",
    "NewFile",
    "Stats",
    "Status",
]

"""What a storage tells of each file in it."""

from datetime import datetime
from typing import NamedTuple


class StoredFile(NamedTuple):
    """`modified` is in UTC, by the clock of the storage."""

    key: str
    size_bytes: int
    modified: datetime

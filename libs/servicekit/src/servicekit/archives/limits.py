"""What a call takes of archives, and the one error of those that it does not take."""

from dataclasses import dataclass


class ArchiveError(ValueError):
    """An archive that is refused whole; the text says what is wrong, the value and the limit."""


@dataclass(frozen=True)
class ArchiveLimits:
    """How much an archive may hold.

    `max_entries` counts everything in its directory: folders, and what systems leave beside the files, too.
    `max_total_bytes` counts what is unpacked. `max_ratio` is unpacked to packed, and holds from a mebibyte on:
    deflate reaches 1,032.
    """

    max_entries: int
    max_entry_bytes: int
    max_total_bytes: int
    max_ratio: int = 200

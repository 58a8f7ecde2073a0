"""What is to be read: the pictures of a folder, and those in its ZIP files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from servicekit import archives
from servicekit.archives import ArchiveError, ArchiveLimits, EntryError

from digit.commands import pictures

MAX_ENTRIES = 250_000
MAX_UNPACKED_BYTES = 64 * 1024**3  # read one after the other, never kept
CHUNK_ITEMS = 32
CHUNK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """A picture to read: a file's path, or the bytes out of a ZIP, or why there are none."""

    name: str
    share: float  # of all there is to do, done before this one
    path: Path | None = None
    data: bytes = b""
    error: str = ""


def items(place: Path, max_file_bytes: int) -> Iterator[Item]:
    """Returns what is below a folder, by name; or the file itself, or what a ZIP holds.

    Raises OSError where a folder cannot be read, ValueError where it holds no pictures.
    """
    return _items(place, pictures.find(place, (*pictures.PICTURES, *pictures.ARCHIVES)), max_file_bytes)


def chunks(waiting: Iterator[Item]) -> Iterator[list[Item]]:
    """Groups items for one inference; what is in memory at once is bounded."""
    chunk: list[Item] = []
    size = 0
    for item in waiting:
        chunk.append(item)
        size += len(item.data)
        if len(chunk) == CHUNK_ITEMS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _items(place: Path, paths: list[Path], max_file_bytes: int) -> Iterator[Item]:
    for at, path in enumerate(paths):
        name = pictures.name_below(place, path)
        if path.suffix.casefold() in pictures.ARCHIVES:
            prefix = f"{name}/" if place.is_dir() else ""
            for item in _entries(path, name, prefix, max_file_bytes):
                yield Item(item.name, (at + item.share) / len(paths), data=item.data, error=item.error)
        else:
            yield Item(name, at / len(paths), path)


def _entries(path: Path, name: str, prefix: str, max_file_bytes: int) -> Iterator[Item]:
    limits = ArchiveLimits(MAX_ENTRIES, max_file_bytes, MAX_UNPACKED_BYTES)
    try:
        with path.open("rb") as file:
            yield from _walk(file, limits, prefix, path.stat().st_size or 1)
    except ArchiveError as error:
        yield Item(name, 0.0, error=str(error))
    except OSError as error:
        yield Item(name, 0.0, error=error.strerror or str(error))


def _walk(file: BinaryIO, limits: ArchiveLimits, prefix: str, size: int) -> Iterator[Item]:
    for entry in archives.walk(file, limits):
        if not entry.name.casefold().endswith(pictures.PICTURES):
            continue
        share = min(1.0, file.tell() / size)
        if isinstance(entry, EntryError):
            yield Item(prefix + entry.name, share, error=entry.reason)
        else:
            yield Item(prefix + entry.name, share, data=entry.data)

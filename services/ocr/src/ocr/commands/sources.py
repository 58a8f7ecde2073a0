"""What is to be read: the files that are named, and those of folders by the ends of their names."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from servicekit import names

STANDARD_INPUT = "-"
CHUNK_BYTES = 65_536
ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".pdf")
# What systems leave in folders: nothing to read, whatever the names end in.
LITTER = (".", "thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Source:
    """One file; `below` is its path from the folder that was named, which is kept in the output."""

    path: Path
    below: PurePath
    name: str  # as it is told to people
    folder: str = ""  # the name of the folder that was named, empty for a file


@contextmanager
def found(places: Sequence[str], max_bytes: int) -> Iterator[list[Source]]:
    """Gives the files in the order in which they were named, those of a folder sorted.

    Standard input is copied to a temporary file that is gone after the block. Raises ValueError where a folder has
    nothing to read or standard input is named twice or too long, OSError where a folder cannot be read.
    """
    if places.count(STANDARD_INPUT) > 1:
        raise ValueError("standard input can be read only once")
    with tempfile.NamedTemporaryFile(prefix="ocr-") as spool:
        yield [
            source
            for place in places
            for source in ([_copied(Path(spool.name), max_bytes)] if place == STANDARD_INPUT else _below(Path(place)))
        ]


def _copied(path: Path, max_bytes: int) -> Source:
    left = max_bytes
    with path.open("wb") as file:
        while data := sys.stdin.buffer.read(CHUNK_BYTES):
            left -= len(data)
            if left < 0:
                raise ValueError(f"standard input has more than {max_bytes:,} bytes")
            file.write(data)
    return Source(path, PurePath("standard-input"), "standard input")


def _below(place: Path) -> list[Source]:
    if not place.is_dir():
        return [Source(place, PurePath(place.name), names.clean(str(place)))]
    paths = sorted(Path(folder, name) for folder, name in _walk(place) if _readable(name))
    if not paths:
        raise ValueError(f"{place}: no files that end in {', '.join(ENDINGS)}")
    folder = place.resolve().name
    return [Source(path, path.relative_to(place), names.clean(str(path)), folder) for path in paths]


def _walk(place: Path) -> Iterator[tuple[str, str]]:
    def refuse(error: OSError) -> None:
        raise error

    for folder, folders, files in os.walk(place, onerror=refuse):
        folders[:] = [name for name in folders if name != "__MACOSX"]
        yield from ((folder, name) for name in files)


def _readable(name: str) -> bool:
    return name.casefold().endswith(ENDINGS) and not name.casefold().startswith(LITTER)

"""The pictures of a folder, by the ends of their names; what a file really is shows when it is read."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from servicekit import names

ENDINGS = (".png", ".jpg", ".jpeg")
# What systems leave in folders: no pictures, whatever their names end in.
LITTER = ("._", "thumbs.db", "desktop.ini")


def found(places: Sequence[Path]) -> list[Path]:
    """Returns files as they were named, and those of folders sorted.

    Raises OSError where a file or a folder cannot be read, ValueError where a folder holds no pictures.
    """
    return [path for place in places for path in _below(place)]


def name_below(place: Path, path: Path) -> str:
    """Returns a path as it is seen from the folder, with nothing that cannot be shown."""
    parts = path.relative_to(place).parts if place.is_dir() else (path.name,)
    return "/".join(map(names.clean, parts))


def _below(place: Path) -> list[Path]:
    if not place.is_dir():
        place.stat()  # says why there is no such file
        return [place]
    paths = sorted(path for path in _walk(place) if _is_picture(path.name))
    if not paths:
        raise ValueError(f"{place}: no files that end in {', '.join(ENDINGS)}")
    return paths


def _walk(place: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise error

    for folder, folders, files in os.walk(place, onerror=refuse):
        folders[:] = [name for name in folders if name != "__MACOSX"]
        yield from (Path(folder, name) for name in files)


def _is_picture(name: str) -> bool:
    return name.casefold().endswith(ENDINGS) and not name.casefold().startswith(LITTER)

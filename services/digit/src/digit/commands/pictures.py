"""The pictures of a folder, by the ends of their names; what a file really is shows when it is read."""

import os
from pathlib import Path

from servicekit import names

PICTURES = (".png", ".jpg", ".jpeg")
ARCHIVES = (".zip",)
# What macOS and Windows leave in folders: no pictures, whatever their names end in.
LITTER = ("._", ".ds_store", "thumbs.db", "desktop.ini")


def find(place: Path, suffixes: tuple[str, ...] = PICTURES) -> list[Path]:
    """Returns the files below a folder whose names end in one of the suffixes, sorted; or the file itself.

    Raises OSError where a folder cannot be read, ValueError where nothing is found.
    """
    if not place.is_dir():
        place.stat()  # says why there is no such file
        return [place]
    found = [Path(folder, name) for folder, name in _walk(place) if _wanted(name, suffixes)]
    if not found:
        raise ValueError(f"{place}: no files that end in {', '.join(suffixes)}")
    return sorted(found)


def name_below(place: Path, path: Path) -> str:
    """Returns a path as it is seen from the folder, with `/` between its parts and nothing that cannot be shown."""
    parts = path.relative_to(place).parts if place.is_dir() else (path.name,)
    return "/".join(map(names.clean, parts))


def _walk(place: Path) -> list[tuple[str, str]]:
    def refuse(error: OSError) -> None:
        raise error

    found = []
    for folder, folders, files in os.walk(place, onerror=refuse):
        folders[:] = [name for name in folders if name != "__MACOSX"]
        found += [(folder, name) for name in files]
    return found


def _wanted(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.casefold().endswith(suffixes) and not name.casefold().startswith(LITTER)

"""Copies of test pictures, renamed or also varied, whose names tell origin, label and what was done."""

import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from servicekit import images

from digit.commands import pictures, variations
from digit.commands.labels import label_of
from digit.imaging.grey import grey_of

MAX_PIXELS = 25_000_000

Watch = Callable[[float, str], None]  # the share done and a word


@dataclass(frozen=True)
class Origin:
    """A picture to copy, and how its copies' names begin, folders included."""

    path: Path
    name: str  # as seen from the folder, with its suffix
    stem: str  # `img_0_label_6`, or `sixes/scan_label_6`; no two origins have the same


@dataclass(frozen=True)
class Copies:
    """What is wanted."""

    output: Path
    number: int
    seed: int
    plain: bool


def copy(place: Path, copies: Copies, watch: Watch) -> tuple[int, list[str]]:
    """Writes the copies of a folder's pictures; returns how many, and a line for each picture that cannot be read.

    Raises ValueError where the output is not a folder of its own.
    """
    origins = origins_of(place)
    _check(place, copies.output)
    made, refused = 0, []
    for at, origin in enumerate(origins):
        watch(at / len(origins), f"{made:,} copies")
        try:
            made += _rename(origin, copies) if copies.plain else _vary(origin, copies)
        except images.ImageError as error:
            refused.append(f"{origin.name}: {error}")
    return made, refused


def origins_of(place: Path) -> list[Origin]:
    """Returns the pictures below a folder, with stems that tell them and their labels apart."""
    origins: dict[str, Origin] = {}
    for path in pictures.find(place):
        name = pictures.name_below(place, path)
        stem = _stem(path, name)
        while stem in origins:  # a.png and a.jpg
            stem += "+"
        origins[stem] = Origin(path, name, stem)
    return list(origins.values())


def _stem(path: Path, name: str) -> str:
    stem = name.removesuffix(path.suffix)
    folder = path.parent.resolve().name
    is_label = label_of(name) is None and len(folder) == 1 and folder in "0123456789"
    return f"{stem}_label_{folder}" if is_label else stem


def _check(place: Path, output: Path) -> None:
    root = place if place.is_dir() else place.parent
    if output.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"--output is {output}, which lies in {root}: the copies would be copied the next time")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ValueError(f"--output is {output}, expected a folder that is new or empty")


def _rename(origin: Origin, copies: Copies) -> int:
    for number in range(1, copies.number + 1):
        shutil.copyfile(origin.path, _place(origin, copies, number, "", origin.path.suffix))
    return copies.number


def _vary(origin: Origin, copies: Copies) -> int:
    limits = images.Limits(("PNG", "JPEG"), MAX_PIXELS)
    picture = images.decode(origin.path.read_bytes(), limits, bound=variations.LARGEST // 2)
    sketch = variations.sketch_of(grey_of(picture))
    for number in range(1, copies.number + 1):
        # Of seed, origin and number alone, so that one more picture in the folder leaves the others' copies alike.
        random = np.random.default_rng([copies.seed, zlib.crc32(origin.name.encode()), number])
        changed, names = variations.varied(sketch, random)
        suffix = ".jpg" if changed.quality else ".png"
        path = _place(origin, copies, number, f"_{'-'.join(names)}", suffix)
        variations.picture_of(changed, random).save(path, quality=changed.quality or 0)  # PNG has none
    return copies.number


def _place(origin: Origin, copies: Copies, number: int, done: str, suffix: str) -> Path:
    width = len(str(copies.number))
    path = copies.output / f"{origin.stem}_copy_{number:0{width}}{done}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path

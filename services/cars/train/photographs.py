"""Whole photographs, decoded as the service decodes them, and their halves: one to choose by, one to report."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cars.model import Gate, Seen
from cars.preprocess import BOUND, squashed
from numpy.typing import NDArray
from PIL import Image
from servicekit import images

from train.data import Names
from train.figures import probabilities
from train.outputs import Answers, Cars

SETS = ("wholeframe", "unlisted", "notcar")
HALVES = ("choices", "report")
SUFFIXES = (".jpg", ".jpeg", ".png")
LIMITS = images.Limits(("JPEG", "PNG"), 178_000_000)


@dataclass(frozen=True)
class Photograph:
    path: Path
    set: str
    make: str  # "" where none of the 196 can be right

    @property
    def unknown(self) -> bool:
        """Whether it shows a car, and none of the 196."""
        return self.set == "unlisted" or (self.set == "wholeframe" and not self.make)

    def picture(self) -> Image.Image:
        return images.decode(self.path.read_bytes(), LIMITS, bound=BOUND).convert("RGB")


@dataclass(frozen=True, eq=False)
class Judged:
    """What the gate and the network made of photographs."""

    photographs: list[Photograph]
    scores: NDArray[np.float64]  # (n,) of the gate
    answers: Answers

    @property
    def unknown(self) -> NDArray[np.bool_]:
        return np.array([each.unknown for each in self.photographs])

    @property
    def makes(self) -> NDArray[np.str_]:
        return np.array([each.make for each in self.photographs])

    def of(self, name: str) -> NDArray[np.bool_]:
        return np.array([each.set == name for each in self.photographs])


def half(folder: Path, which: str) -> list[Photograph]:
    """Returns every second file of each set by name: `choices` begins with the first, `report` with the second."""
    found = []
    for name in SETS:
        files = sorted(path for path in (folder / name).rglob("*") if path.suffix.lower() in SUFFIXES)
        makes = _listed_makes(folder / name / "index.csv")
        chosen = files[HALVES.index(which) :: 2]
        found += [Photograph(path, name, makes.get(path.relative_to(folder / name).as_posix(), "")) for path in chosen]
    return found


def judged(photographs: list[Photograph], gate: Gate, cars: Cars) -> Judged:
    """Asks the gate for the region of each photograph, and the network for the car in it."""
    seen: list[Seen] = []

    def regions() -> Iterator[NDArray[np.uint8]]:
        for each in photographs:
            picture = each.picture()
            seen.append(gate.look(picture))
            yield squashed(picture, seen[-1].regions[0])

    answers = cars.ask(regions())
    return Judged(photographs, np.array([each.score for each in seen]), answers)


def right_makes(seen: Judged, names: Names, mirrored: bool, temperature: float) -> float:
    """Returns how often the answered make is right, of the photographs whose make is among the 49."""
    makes = names.groups["make"]
    sums = probabilities(seen.answers.taken(mirrored)[0], temperature) @ np.eye(makes.max() + 1)[makes]
    by_number = {number: row["make"] for number, row in zip(makes.tolist(), names.classes, strict=True)}
    answered = np.array([by_number[number] for number in sums.argmax(1).tolist()])
    named = seen.makes != ""
    return float((answered == seen.makes)[named].mean())


def _listed_makes(index: Path) -> dict[str, str]:
    if not index.exists():
        return {}
    with index.open(newline="") as file:
        return {row["file"]: row.get("listed_make", "") for row in csv.DictReader(file)}

"""The 196 cars that the shipped model tells apart, and what a class name tells: make, model, body and year.

The names are those of Stanford Cars (Krause, Stark, Deng and Fei-Fei, 3dRR-13, ICCV 2013): make, model, body where
there is one, year.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent / "weights" / "labels.json"

MAKES = ("AM General", "Alfa Romeo", "Aston Martin", "Land Rover")  # of two words; any other is the first word
BODIES = (
    "Club Cab",
    "Crew Cab",
    "Extended Cab",
    "Quad Cab",
    "Regular Cab",
    "SuperCab",
    "Convertible",
    "Coupe",
    "Hatchback",
    "Minivan",
    "Sedan",
    "SUV",
    "Van",
    "Wagon",
)
FIRST_YEAR, LAST_YEAR = 1886, 2099  # of Benz's patent, to what four digits at the end of a name can mean


class Names(NamedTuple):
    """What a class name tells; all None where it is not a car's."""

    make: str | None = None
    model: str | None = None
    body: str | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """One class of a model; the shipped one's all have a make, a model and a year."""

    index: int
    name: str
    make: str | None
    model: str | None
    body: str | None
    year: int | None


def parsed(name: str) -> Names:
    """Returns what a class name tells, such as "Tesla Model S Sedan 2012"; nothing where it does not end in a year."""
    words, _, last = name.strip().rpartition(" ")
    if not (len(last) == 4 and last.isascii() and last.isdecimal() and FIRST_YEAR <= int(last) <= LAST_YEAR):
        return Names()
    make = next((make for make in MAKES if words.startswith(f"{make} ")), words.partition(" ")[0])
    rest = words[len(make) :].strip()
    if not make or not rest:
        return Names()
    body = next((body for body in BODIES if rest.endswith(f" {body}")), None)
    return Names(make, rest.removesuffix(body or "").strip(), body, int(last))


def labelled(names: list[str]) -> tuple[Label, ...]:
    """Returns the labels of a model whose classes have these names, in the order of its outputs."""
    return tuple(Label(index, name, *parsed(name)) for index, name in enumerate(names))


LABELS: tuple[Label, ...] = labelled(json.loads(FILE.read_text(encoding="utf-8")))

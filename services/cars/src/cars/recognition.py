"""What a backend says of a picture: the values that every layer shares."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

BackendName = Literal["local", "huggingface", "folder"]
Reason = Literal["no_car", "unknown_model", "low_confidence"]


class Box(NamedTuple):
    """A part of a picture, in pixels of the upright picture."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A class that the picture may show; make, model, body and year are None where its label does not tell them."""

    label: str
    make: str | None
    model: str | None
    body: str | None
    year: int | None
    confidence: float  # in [0, 1]


@dataclass(frozen=True, slots=True)
class Share:
    """A make, model, body or year, and the confidence of all classes that share it, in [0, 1]."""

    value: str | int
    confidence: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """What one model says of one picture; `reason` says why it is not recognized, and is None where it is."""

    predictions: tuple[Candidate, ...]  # the most certain first, five at most
    recognized: bool
    reason: Reason | None
    make: Share | None
    model: Share | None
    body: Share | None
    year: Share | None
    region: Box | None  # what was read; None: the whole picture
    backend: BackendName
    model_name: str
    model_version: str

"""The networks: is there a car and where, and which of the 196 it is. Nothing here knows HTTP."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from servicekit import onnx, weights
from servicekit.weights import Weights, WeightsError

from cars import preprocess, refusal, region
from cars.preprocess import Pixels
from cars.recognition import Box
from cars.refusal import Memory, Weighing

FOLDER = Path(__file__).parent / "weights"
CARS, VEHICLE, MEMORY, DESCRIPTION = "cars.onnx", "vehicle.onnx", "memory.npz", "weights.json"
Array = NDArray[np.float64]


class Reading(msgspec.Struct, frozen=True):
    """How `cars.onnx` is asked, and how its answer is judged."""

    name: str
    temperature: float
    threshold: float  # of the first answer's confidence: less is `low_confidence`
    mirrored: bool  # the mean of the region and its mirror image
    refusal: Weighing
    made: str = ""
    provisional: bool = False
    figures: dict[str, Any] = {}


class Looking(msgspec.Struct, frozen=True):
    """How `vehicle.onnx` is asked: what a region is, and from which score on there is a car."""

    threshold: float
    level: float  # of the map's maximum: what is above it belongs to the car
    margin: float  # of the region's sides, on each side
    again: float  # a second look at the region enlarged by so much; 0: none
    mirrored: bool  # the mean of the picture's map and that of its mirror image


@dataclass(frozen=True)
class Seen:
    """How surely there is a vehicle, and the region that it fills; the first of several is the likeliest."""

    score: float
    regions: tuple[Box, ...]


@dataclass(frozen=True, eq=False)
class Outputs:
    """What `cars.onnx` says of regions."""

    logits: Array  # (n, classes)
    features: NDArray[np.float32]  # (n, 1280)


class Gate:
    """`vehicle.onnx`: `pixels` in, `score` (n,) and `map` (n, cells, cells) out."""

    def __init__(self, file: Weights, how: Looking) -> None:
        self.how, self.size_bytes = how, len(file.data)
        self._session = onnx.session(file.data)

    def look(self, picture: Image.Image, most: int = 1) -> Seen:
        """Returns what is seen in a whole picture, and in the region alone where that says more."""
        seen = self._look(picture, region.whole(picture.size), most)
        first = seen.regions[0]
        if self.how.again and first != region.whole(picture.size):
            wider = region.around(first, picture.size, self.how.again)
            closer = self._look(picture, wider, most)
            chosen = closer if closer.score >= seen.score / 2 else seen
            return Seen(max(seen.score, closer.score), chosen.regions)
        if seen.score < self.how.threshold and first != region.whole(picture.size):
            return Seen(max(seen.score, self.score(picture, first)), seen.regions)
        return seen

    def score(self, picture: Image.Image, box: Box) -> float:
        """Returns how surely a vehicle is what a box shows."""
        return float(self.run(preprocess.squashed(picture, box))[0][0])

    def run(self, pixels: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        score, heat = self._session.run(("score", "map"), {"pixels": pixels})
        return score, heat

    def _look(self, picture: Image.Image, box: Box, most: int) -> Seen:
        pixels = preprocess.squashed(picture, box)
        if self.how.mirrored:
            pixels = np.concatenate([pixels, preprocess.mirrored(pixels)])
        score, heat = self.run(pixels)
        fine = region.enlarged(heat[0])
        if self.how.mirrored:
            fine = (fine + region.enlarged(heat[1])[:, ::-1]) * np.float32(0.5)
        found = region.boxes(fine, (box.width, box.height), self.how.level, self.how.margin, most)
        return Seen(float(score.mean()), tuple(each._replace(x=each.x + box.x, y=each.y + box.y) for each in found))


class Network:
    """`cars.onnx`: `pixels` in, `logits` (n, classes) and `features` (n, 1280) out."""

    def __init__(self, file: Weights, how: Reading) -> None:
        self.how, self.sha256, self.size_bytes = how, file.sha256, len(file.data)
        self._session = onnx.session(file.data)
        self.provider: str = self._session.get_providers()[0]

    def read(self, picture: Image.Image, box: Box) -> Outputs:
        """Reads a region, both ways round where that was found to be better."""
        return self.run(preprocess.squashed(picture, box), mirrored=self.how.mirrored)

    def run(self, pixels: Pixels, *, mirrored: bool) -> Outputs:
        """Reads squares (n, 224, 224, 3); `mirrored` as a second run, since a batch would be no faster but larger."""
        logits, features = self._run(pixels)
        if mirrored:
            others = self._run(np.ascontiguousarray(preprocess.mirrored(pixels)))
            logits, features = np.mean([logits, others[0]], 0), np.mean([features, others[1]], 0)
        return Outputs(logits.astype(np.float64), features)

    def _run(self, pixels: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        logits, features = self._session.run(("logits", "features"), {"pixels": pixels})
        return logits, features


@dataclass(frozen=True, eq=False)
class Model:
    """All that the shipped model needs, loaded."""

    network: Network
    gate: Gate
    memory: Memory

    @property
    def size_bytes(self) -> int:
        return self.network.size_bytes + self.gate.size_bytes


def load(folder: Path = FOLDER) -> Model:
    """Returns the model of a folder; raises WeightsError for a file that is missing or not the recorded one."""
    files = {name: weights.load(folder, name) for name in (CARS, VEHICLE, MEMORY)}
    try:
        reading = msgspec.convert(files[CARS].provenance, Reading)
        looking = msgspec.convert(files[VEHICLE].provenance, Looking)
    except msgspec.ValidationError as error:
        raise WeightsError(f"{DESCRIPTION} in {folder.name}/ does not describe the model: {error}") from error
    return Model(Network(files[CARS], reading), Gate(files[VEHICLE], looking), refusal.loaded(files[MEMORY].data))

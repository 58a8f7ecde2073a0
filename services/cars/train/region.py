"""Is there a car, and where: asked of the published ImageNet network, which knows some twenty kinds of vehicle.

The summed probability of those kinds is the gate; their class activation map (Zhou et al., "Learning Deep Features for
Discriminative Localization", CVPR 2016) is the region, without any box to learn from.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from train import data, model

SIZE = "lite0"
SIDE = 224
LEVEL = 0.35  # of the map's maximum: what is above it belongs to the car
MARGIN = 0.04  # of the region's sides, on each side
VEHICLES = (
    407,  # ambulance
    436,  # beach wagon
    468,  # cab
    479,  # car wheel
    511,  # convertible
    555,  # fire engine
    569,  # garbage truck
    581,  # grille
    609,  # jeep
    627,  # limousine
    654,  # minibus
    656,  # minivan
    661,  # Model T
    675,  # moving van
    717,  # pickup
    734,  # police van
    751,  # racer
    757,  # recreational vehicle
    779,  # school bus
    817,  # sports car
    864,  # tow truck
    867,  # trailer truck
)
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels of the picture


@dataclass(frozen=True)
class Seen:
    """How surely there is a vehicle, and the region it fills."""

    vehicle: float
    box: Box


class Vehicles(nn.Module):
    """Pictures (n, 3, s, s) of 0 to 255 to the score of vehicles (n,) and their map (n, s / 32, s / 32)."""

    def __init__(self, size: str = SIZE) -> None:
        super().__init__()
        self.backbone, self.head = model.imagenet(size)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features = self.backbone(model.standardised(pixels))  # (n, 1280, h, w)
        p = self.head(features.mean((2, 3))).softmax(1)[:, VEHICLES]  # (n, vehicles)
        score = p.sum(1)
        weights = (p / score[:, None]) @ self.head.weight[list(VEHICLES)]  # (n, 1280)
        return score, (features * weights[:, :, None, None]).sum(1)


@torch.no_grad()
def look(picture: Image.Image, level: float = LEVEL) -> Seen:
    """Returns what the ImageNet network makes of a whole picture."""
    pixels = torch.from_numpy(data.squashed(picture, SIDE).copy()).permute(2, 0, 1)[None].float()
    score, heat = _vehicles()(pixels)
    return Seen(float(score), box(heat[0].numpy(), picture.size, level))


def box(heat: NDArray[np.float32], size: tuple[int, int], level: float = LEVEL, margin: float = MARGIN) -> Box:
    """Returns the region of a picture of (width, height) that the hottest connected part of a map (h, w) covers."""
    if heat.max() <= 0:
        return (0, 0, *size)
    fine = _enlarged(np.maximum(heat, 0))
    part = _connected(fine > level * fine.max(), np.unravel_index(int(fine.argmax()), fine.shape))
    rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    width, height = size
    tall, wide = (rows[-1] + 1 - rows[0]) * margin, (columns[-1] + 1 - columns[0]) * margin
    return (
        max(0, int((columns[0] - wide) * width / SIDE)),
        max(0, int((rows[0] - tall) * height / SIDE)),
        min(width, round((columns[-1] + 1 + wide) * width / SIDE)),
        min(height, round((rows[-1] + 1 + tall) * height / SIDE)),
    )


def _enlarged(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns a map (SIDE, SIDE) of cells (n, n).

    TensorFlow pads strided convolutions on the right and at the bottom alone, five times over: what a cell tells is
    centred half a cell to the right of its middle and below it, and without the shift every region is cut there.
    """
    n = len(heat)
    cell = SIDE // n
    padded = Image.fromarray(np.pad(heat, ((1, 0), (1, 0)), "edge"))
    fine = np.asarray(padded.resize((cell * (n + 1),) * 2, Image.Resampling.BICUBIC))
    return fine[cell // 2 : cell // 2 + SIDE, cell // 2 : cell // 2 + SIDE]


def _connected(mask: NDArray[np.bool_], seed: tuple[np.intp, ...]) -> NDArray[np.bool_]:
    """Returns the part of a mask that hangs together with the seed, side by side."""
    part = np.zeros_like(mask)
    part[seed] = True
    while True:
        grown = part.copy()
        grown[1:] |= part[:-1]
        grown[:-1] |= part[1:]
        grown[:, 1:] |= part[:, :-1]
        grown[:, :-1] |= part[:, 1:]
        grown &= mask
        if (grown == part).all():
            return part
        part = grown


@lru_cache(maxsize=1)
def _vehicles() -> Vehicles:
    return Vehicles().eval()

"""Is there a car, and where: asked of the published ImageNet network, which knows some twenty kinds of vehicle.

The summed probability of those kinds is the gate; their class activation map (Zhou et al., "Learning Deep Features for
Discriminative Localization", CVPR 2016) is the region, without any box to learn from: cars.region makes it of the map.
"""

from torch import Tensor, nn

from train import model

SIZE = "lite0"
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

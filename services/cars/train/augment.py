"""Variety in batches of crops: how cars stand in photographs, and what cameras and websites do to them.

In PyTorch on whole batches: 32 crops cost under a tenth of a training step. A share of the crops is moved far back,
with something else around them, because people upload whole photographs and no region proposal is exact.
CutMix after Yun et al. (ICCV 2019), mixup after Zhang et al. (ICLR 2018), erasing after Zhong et al. (AAAI 2020).
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Strength:
    """How far each change goes, in degrees, factors or shares; the middle of each range changes nothing."""

    rotation_deg: float = 7.0
    shear: float = 0.1
    aspect: float = 1.2  # widths from 1/1.2 to 1.2
    zoom: float = 1.2  # sizes from 1/1.2 to 1.2
    shift: float = 0.06  # of the side, beyond what the zoom leaves free
    share_far: float = 0.3  # of the crops fill only a part of the square …
    far: float = 1.9  # … down to 1/1.9 of the side
    brightness: float = 0.3
    contrast: float = 0.3
    saturation: float = 0.5
    tint: float = 0.08
    share_grey: float = 0.05
    share_soft: float = 0.12  # are of low resolution
    share_erased: float = 0.3
    share_cutmix: float = 0.3  # of the batches
    share_mixup: float = 0.15  # of the batches
    mixup_alpha: float = 0.3


STRONG = Strength()
MILD = Strength(share_erased=0.15, share_cutmix=0.0, share_mixup=0.0)  # the last epochs: what whole cars look like


@dataclass(frozen=True, eq=False)
class Mixed:
    """Pictures (n, 3, s, s) that show `share` of the labels and otherwise those of `other`, rows of the same batch."""

    pictures: Tensor
    other: Tensor
    share: float


def augment(crops: Tensor, side: int, generator: Generator, strength: Strength = STRONG) -> Tensor:
    """Returns changed crops (n, 3, side, side), still 0 to 255, from crops (n, 3, h, w)."""
    pictures = _placed(crops.float(), side, generator, strength)
    pictures = _softened(pictures, generator, strength.share_soft)
    pictures = _coloured(pictures, generator, strength)
    return _erased(pictures, generator, strength.share_erased)


def mix(pictures: Tensor, generator: Generator, strength: Strength = STRONG) -> Mixed:
    """Puts a part of one crop into another (CutMix), or both over each other (mixup), in a share of the batches."""
    n, _, height, width = pictures.shape
    other = torch.randperm(n, generator=generator)
    dice = _random(generator)
    if dice < strength.share_cutmix:
        area = math.sqrt(_random(generator, 0.0, 0.6))
        tall, wide = round(height * area), round(width * area)
        top, left = round(_random(generator) * (height - tall)), round(_random(generator) * (width - wide))
        mixed = pictures.clone()
        mixed[:, :, top : top + tall, left : left + wide] = pictures[other, :, top : top + tall, left : left + wide]
        return Mixed(mixed, other, 1 - tall * wide / (height * width))
    if dice < strength.share_cutmix + strength.share_mixup:
        share = 1 - _random(generator) ** (1 / strength.mixup_alpha) / 2
        return Mixed(pictures * share + pictures[other] * (1 - share), other, share)
    return Mixed(pictures, other, 1.0)


def _random(generator: Generator, low: float = 0.0, high: float = 1.0) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _uniform(n: int, generator: Generator, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)


def _some(n: int, generator: Generator, share: float) -> Tensor:
    """Returns the rows of a batch that a change happens to."""
    return (torch.rand(n, generator=generator) < share).nonzero()[:, 0]


def _placed(crops: Tensor, side: int, generator: Generator, strength: Strength) -> Tensor:
    n = len(crops)
    zoom = torch.exp(_uniform(n, generator, -1, 1) * math.log(strength.zoom))
    far = _some(n, generator, strength.share_far)
    zoom[far] = _uniform(len(far), generator, 1.0, strength.far)
    grid = functional.affine_grid(_matrices(zoom, generator, strength), [n, 3, side, side], align_corners=False)
    pictures = functional.grid_sample(crops, grid, padding_mode="reflection", align_corners=False)
    others = far[torch.rand(len(far), generator=generator) < 0.6]  # the rest are mirrored at their edges
    outside = (grid[others].abs() > 1).any(-1)[:, None]  # (m, 1, side, side)
    pictures[others] = torch.where(outside, _scenes(crops, others, side, generator), pictures[others])
    return pictures


def _matrices(zoom: Tensor, generator: Generator, strength: Strength) -> Tensor:
    """Returns (n, 2, 3): where each picture is read in its crop, both from -1 to 1."""
    n = len(zoom)
    angle = torch.deg2rad(_uniform(n, generator, -1, 1) * strength.rotation_deg)
    shear = _uniform(n, generator, -1, 1) * strength.shear
    aspect = torch.exp(_uniform(n, generator, -0.5, 0.5) * math.log(strength.aspect))
    flip = 1 - 2.0 * (torch.rand(n, generator=generator) < 0.5)
    wide, tall = zoom * aspect, zoom / aspect
    rows = torch.stack(
        [
            torch.stack([wide * flip * torch.cos(angle), wide * (shear + torch.sin(angle))], 1),
            torch.stack([-tall * flip * torch.sin(angle), tall * torch.cos(angle)], 1),
        ],
        1,
    )
    free = (zoom - 1).abs()[:, None] + 2 * strength.shift
    shift = torch.stack([_uniform(n, generator, -1, 1), _uniform(n, generator, -1, 1)], 1) * free
    return torch.cat([rows, shift[:, :, None]], 2)


def _scenes(crops: Tensor, rows: Tensor, side: int, generator: Generator) -> Tensor:
    """Returns surroundings (m, 3, side, side): what is above one car over what is below another, stretched."""
    m, n = len(rows), len(crops)
    above, below = (rows + 1 + torch.randint(n - 1, (2, m), generator=generator)) % n
    horizon = _uniform(m, generator, 0.2, 0.8)[:, None]
    down = torch.linspace(0, 1, side)[None]
    sky = -1 + 0.2 * down / horizon  # the uppermost tenth of a crop …
    ground = 1 - 0.16 * (1 - down) / (1 - horizon)  # … and the lowest twelfth
    across = torch.linspace(-1, 1, side).expand(m, side, side)
    pictures = [
        functional.grid_sample(
            crops[source], torch.stack([across, rim[:, :, None].expand(m, side, side)], -1), align_corners=False
        )
        for source, rim in ((above, sky), (below, ground))
    ]
    return torch.where((down < horizon)[:, None, :, None], pictures[0], pictures[1])


def _softened(pictures: Tensor, generator: Generator, share: float) -> Tensor:
    """Shows a share of the pictures as if they had fewer pixels."""
    rows = _some(len(pictures), generator, share)
    if len(rows):
        side = pictures.shape[-1]
        few = max(32, round(side * _random(generator, 0.3, 0.8)))
        small = functional.interpolate(pictures[rows], (few, few), mode="bilinear", antialias=True)
        pictures[rows] = functional.interpolate(small, (side, side), mode="bilinear")
    return pictures


def _coloured(pictures: Tensor, generator: Generator, strength: Strength) -> Tensor:
    n = len(pictures)
    gain = 1 + _uniform(n, generator, -1, 1) * strength.brightness
    tint = 1 + _uniform(n * 3, generator, -1, 1).view(n, 3, 1, 1) * strength.tint
    contrast = 1 + _uniform(n, generator, -1, 1) * strength.contrast
    saturation = 1 + _uniform(n, generator, -1, 1) * strength.saturation
    saturation[_some(n, generator, strength.share_grey)] = 0
    grey = pictures.mean(1, keepdim=True)
    middle = grey.mean((2, 3), keepdim=True)
    gain, contrast, saturation = (x.view(n, 1, 1, 1) for x in (gain, contrast, saturation))
    pictures = grey + (pictures - grey) * saturation
    pictures = (middle + (pictures - middle) * contrast) * gain * tint
    return pictures.clamp_(0, 255)


def _erased(pictures: Tensor, generator: Generator, share: float) -> Tensor:
    """Covers a rectangle of 2 to 20 % of some pictures with one colour, so that no single part of a car decides."""
    side = pictures.shape[-1]
    for row in _some(len(pictures), generator, share).tolist():
        area, stretch = _random(generator, 0.02, 0.2), math.exp(_random(generator, -0.8, 0.8))
        tall, wide = (min(side, round(side * math.sqrt(area * factor))) for factor in (stretch, 1 / stretch))
        top, left = round(_random(generator) * (side - tall)), round(_random(generator) * (side - wide))
        colour = torch.rand(3, 1, 1, generator=generator) * 255
        pictures[row, :, top : top + tall, left : left + wide] = colour
    return pictures

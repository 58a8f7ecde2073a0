"""The service's autoencoder in PyTorch: the same layers, the same cut of the input, the same score."""

from collections.abc import Sequence

import numpy as np
import torch
from anomaly.detector.autoencoder import CLIP_MARGIN, Autoencoder, mirrored
from numpy.typing import NDArray
from torch import Tensor, nn

Array = NDArray[np.float64]


class Network(nn.Module):
    """Encoder and decoder of linear layers; ReLU after every layer but the bottleneck and the output."""

    low: Tensor
    high: Tensor

    def __init__(self, n_inputs: int, hidden: Sequence[int]) -> None:
        super().__init__()
        widths = mirrored(n_inputs, hidden)
        middle = len(widths) // 2
        self.encoder = _stack(widths[: middle + 1])
        self.decoder = _stack(widths[middle:])
        self.register_buffer("low", torch.full((n_inputs,), -torch.inf))
        self.register_buffer("high", torch.full((n_inputs,), torch.inf))

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the reconstruction (n, p) of inputs (n, p) cut to the training range."""
        cut = torch.clamp(inputs, self.low, self.high)
        reconstruction: Tensor = self.decoder(self.encoder(cut))
        return reconstruction

    def scores(self, inputs: Tensor) -> Tensor:
        """Returns the norm of what is not reconstructed (n,), against inputs that are not cut."""
        return torch.linalg.vector_norm(inputs - self(inputs), dim=1)

    def set_range(self, inputs: Tensor) -> None:
        low, high = inputs.min(dim=0).values, inputs.max(dim=0).values
        margin = CLIP_MARGIN * (high - low)
        self.low.copy_(low - margin)
        self.high.copy_(high + margin)


def _stack(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(len(widths) - 1):
        layers.append(nn.Linear(widths[i], widths[i + 1]))
        if i < len(widths) - 2:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def linears(network: Network) -> list[nn.Linear]:
    return [module for module in network.modules() if isinstance(module, nn.Linear)]


def to_numpy(network: Network) -> Autoencoder:
    """Returns the service's network with the same weights; float32, as the model file holds them."""
    layers = linears(network)
    middle = len(layers) // 2 - 1
    return Autoencoder(
        weights=tuple(_array(layer.weight) for layer in layers),
        biases=tuple(_array(layer.bias) for layer in layers),
        relu=tuple(i not in (middle, len(layers) - 1) for i in range(len(layers))),
        low=_array(network.low),
        high=_array(network.high),
    )


def to_torch(core: Autoencoder) -> Network:
    """Returns a PyTorch network in float64 with the service's weights; raises ValueError for other activations."""
    network = Network(core.layers[0], core.layers[1 : len(core.weights) // 2 + 1]).double()
    if to_numpy(network).relu != core.relu:
        message = "this model has other activations than the ones trained here: it was imported"
        raise ValueError(message)
    with torch.no_grad():
        for layer, weight, bias in zip(linears(network), core.weights, core.biases, strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
        network.low.copy_(torch.from_numpy(core.low))
        network.high.copy_(torch.from_numpy(core.high))
    return network


def _array(tensor: Tensor) -> Array:
    return np.asarray(tensor.detach().to(torch.float32).cpu().numpy(), dtype=np.float64)

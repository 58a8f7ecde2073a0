"""The autoencoder in NumPy: layers, reconstruction, and training by Adam.

Linear, ReLU, bottleneck, and mirrored back to a linear output. Adam: Kingma and Ba, "Adam: a method for stochastic
optimization", ICLR 2015, algorithm 1. Initial weights: He et al., ICCV 2015. The same architecture in PyTorch is in
`train/`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEARNING_RATE, DECAY_1, DECAY_2, EPSILON = 3e-3, 0.9, 0.999, 1e-8
FINAL_RATE_SHARE = 0.05  # of the learning rate, reached by a cosine
MIN_IMPROVEMENT = 1e-3  # relative; less does not postpone early stopping
CLIP_MARGIN = 0.1  # of a feature's training range, beyond which the network's input is cut


@dataclass(frozen=True, eq=False)
class Autoencoder:
    """Layers and the range of inputs they were trained on.

    `weights[i]` is (out, in), `biases[i]` is (out,), `relu[i]` says whether a ReLU follows; `low` and `high` (p,) cut
    what the network sees, so that it cannot reconstruct a far value by extrapolation.
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    relu: tuple[bool, ...]
    low: Array
    high: Array

    @property
    def layers(self) -> list[int]:
        """Returns the widths from input to output."""
        return [self.weights[0].shape[1], *(weight.shape[0] for weight in self.weights)]

    def residuals(self, inputs: Array) -> Array:
        """Returns inputs minus reconstruction (n, p); the reconstruction is of the inputs cut to the training range."""
        hidden = np.clip(inputs, self.low, self.high)
        for weight, bias, relu in zip(self.weights, self.biases, self.relu, strict=True):
            hidden = hidden @ weight.T
            hidden += bias
            if relu:
                np.maximum(hidden, 0.0, out=hidden)
        return inputs - hidden


@dataclass(frozen=True)
class Schedule:
    """How long to train, and in which steps."""

    epochs: int = 300
    patience: int = 30
    batch: int = 64
    seed: int = 0


def mirrored(n_inputs: int, hidden: Sequence[int]) -> list[int]:
    """Returns the widths of all layers for an encoder's hidden widths, the bottleneck last."""
    return [n_inputs, *hidden, *reversed(hidden[:-1]), n_inputs]


def hidden_sizes(n_inputs: int, n_components: int) -> tuple[int, int]:
    """Returns sensible widths: a wide layer, and a bottleneck of the rank that the data has, less than its inputs."""
    bottleneck = max(1, min(n_components, n_inputs - 1, 64))
    return max(8, min(4 * n_inputs, max(64, n_inputs), 128)), bottleneck


def fit(
    inputs: Array,
    checks: Array,
    hidden: Sequence[int],
    schedule: Schedule,
    progress: Callable[[float], None] = lambda _share: None,
) -> tuple[Autoencoder, dict[str, float]]:
    """Trains on inputs (n, p) until the error on checks (m, p) stops falling; returns the best network and its figures.

    Deterministic for a seed on one build of NumPy. `progress` is called with the share done after each epoch.
    """
    generator = np.random.default_rng(schedule.seed)
    low, high = _range(inputs)
    parameters = _initial(mirrored(inputs.shape[1], hidden), generator)
    relu = _relu(len(parameters) // 2)
    inputs, checks = np.clip(inputs, low, high), np.clip(checks, low, high)
    optimiser = _Adam(parameters)
    best, best_error, waited, epoch = [p.copy() for p in parameters], math.inf, 0, 0
    for epoch in range(1, schedule.epochs + 1):
        rate = LEARNING_RATE * _cosine((epoch - 1) / schedule.epochs)
        _epoch(optimiser, parameters, relu, inputs[generator.permutation(len(inputs))], schedule.batch, rate)
        error = _error(parameters, relu, checks)
        waited = 0 if error < best_error * (1 - MIN_IMPROVEMENT) else waited + 1
        if error < best_error:
            best, best_error = [p.copy() for p in parameters], error
        progress(epoch / schedule.epochs)
        if waited >= schedule.patience:
            break
    stored = [p.astype(np.float32).astype(np.float64) for p in best]  # as the file will hold them
    network = Autoencoder(tuple(stored[::2]), tuple(stored[1::2]), relu, low, high)
    return network, {"epochs": epoch, "check_error": best_error}


def cut_to(network: Autoencoder, inputs: Array) -> Autoencoder:
    """Returns the network with its inputs cut to the range of other training rows (n, p)."""
    low, high = _range(inputs)
    return replace(network, low=low, high=high)


def _range(inputs: Array) -> tuple[Array, Array]:
    margin = CLIP_MARGIN * np.ptp(inputs, axis=0)
    return inputs.min(axis=0) - margin, inputs.max(axis=0) + margin


def _relu(n_layers: int) -> tuple[bool, ...]:
    """ReLU after every layer but the bottleneck, whose few units must not die, and the output."""
    return tuple(i not in (n_layers // 2 - 1, n_layers - 1) for i in range(n_layers))


def _initial(widths: list[int], generator: "np.random.Generator") -> list[Array]:
    parameters: list[Array] = []
    for n_in, n_out in pairwise(widths):
        parameters.append(generator.standard_normal((n_out, n_in)) * math.sqrt(2.0 / n_in))
        parameters.append(np.zeros(n_out))
    return parameters


def _cosine(share: float) -> float:
    return FINAL_RATE_SHARE + (1 - FINAL_RATE_SHARE) * 0.5 * (1 + math.cos(math.pi * share))


def _epoch(
    optimiser: "_Adam", parameters: list[Array], relu: tuple[bool, ...], shuffled: Array, batch: int, rate: float
) -> None:
    for start in range(0, len(shuffled), batch):
        optimiser.step(parameters, _gradients(parameters, relu, shuffled[start : start + batch]), rate)


def _forward(parameters: list[Array], relu: tuple[bool, ...], inputs: Array) -> list[Array]:
    """Returns the activations of every layer, the inputs first."""
    activations = [inputs]
    for i, rectified in enumerate(relu):
        hidden = activations[-1] @ parameters[2 * i].T + parameters[2 * i + 1]
        activations.append(np.maximum(hidden, 0.0) if rectified else hidden)
    return activations


def _gradients(parameters: list[Array], relu: tuple[bool, ...], inputs: Array) -> list[Array]:
    """Returns the gradients of the mean squared error, in the order of the parameters."""
    activations = _forward(parameters, relu, inputs)
    gradients: list[Array] = []
    slope = 2.0 / inputs.size * (activations[-1] - inputs)
    for i in reversed(range(len(relu))):
        if relu[i]:
            slope = slope * (activations[i + 1] > 0)
        gradients[:0] = [slope.T @ activations[i], slope.sum(axis=0)]
        slope = slope @ parameters[2 * i]
    return gradients


def _error(parameters: list[Array], relu: tuple[bool, ...], inputs: Array) -> float:
    return float(np.mean(np.square(_forward(parameters, relu, inputs)[-1] - inputs)))


class _Adam:
    """Adam with its moments; changes parameters in place."""

    def __init__(self, parameters: list[Array]) -> None:
        self.first = [np.zeros_like(p) for p in parameters]
        self.second = [np.zeros_like(p) for p in parameters]
        self.steps = 0

    def step(self, parameters: list[Array], gradients: list[Array], rate: float) -> None:
        self.steps += 1
        rate *= math.sqrt(1 - DECAY_2**self.steps) / (1 - DECAY_1**self.steps)
        for parameter, gradient, first, second in zip(parameters, gradients, self.first, self.second, strict=True):
            first += (1 - DECAY_1) * (gradient - first)
            second += (1 - DECAY_2) * (np.square(gradient) - second)
            parameter -= rate * first / (np.sqrt(second) + EPSILON)

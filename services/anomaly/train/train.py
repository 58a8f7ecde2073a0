"""Trains the autoencoder in PyTorch and writes the same model file as `python -m anomaly train`.

    python -m anomaly.demo --rows 4000 --seed 1 > data.csv
    python services/anomaly/train/train.py --data data.csv --output model.safetensors

The shipped model is not from here: NumPy trains it, so that anybody can make it again without PyTorch. This is for
networks that NumPy is too slow for, and for those who want to change the architecture.
"""

import argparse
import copy
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import data
import export
import torch
from anomaly.detector import pca
from anomaly.detector.autoencoder import hidden_sizes
from anomaly.preprocess import FEATURES
from network import Network
from torch import Tensor


@dataclass(frozen=True)
class Schedule:
    epochs: int = 200
    patience: int = 20
    batch: int = 64
    rate: float = 3e-3
    seed: int = 0


def fit(inputs: Tensor, checks: Tensor, hidden: Sequence[int], schedule: Schedule) -> tuple[Network, dict[str, float]]:
    """Trains by Adam until the error on `checks` stops falling; returns the best network and its figures."""
    torch.manual_seed(schedule.seed)
    network = Network(inputs.shape[1], hidden).to(inputs.device)
    network.set_range(inputs)
    optimiser = torch.optim.Adam(network.parameters(), schedule.rate)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, schedule.epochs, schedule.rate / 20)
    best, best_error, waited, epoch = copy.deepcopy(network.state_dict()), math.inf, 0, 0
    for epoch in range(1, schedule.epochs + 1):
        _epoch(network, optimiser, inputs, schedule.batch)
        cosine.step()
        error = _error(network, checks)
        waited = 0 if error < best_error * 0.999 else waited + 1
        if error < best_error:
            best, best_error = copy.deepcopy(network.state_dict()), error
        print(f"epoch {epoch:4d}  error on check rows {error:.6f}", file=sys.stderr)
        if waited >= schedule.patience:
            break
    network.load_state_dict(best)
    return network, {"epochs": epoch, "check_error": best_error}


def _epoch(network: Network, optimiser: torch.optim.Optimizer, inputs: Tensor, batch: int) -> None:
    network.train()
    for rows in inputs[torch.randperm(len(inputs), device=inputs.device)].split(batch):
        optimiser.zero_grad()
        target = torch.clamp(rows, network.low, network.high)
        torch.nn.functional.mse_loss(network(rows), target).backward()
        optimiser.step()


@torch.no_grad()
def _error(network: Network, checks: Tensor) -> float:
    network.eval()
    target = torch.clamp(checks, network.low, network.high)
    return float(torch.nn.functional.mse_loss(network(checks), target))


def main() -> int:
    arguments = _arguments()
    table = data.load(arguments.data, arguments.window, arguments.features if arguments.window > 1 else "last")
    device = torch.device(arguments.device)
    inputs = torch.tensor(table.training, dtype=torch.float32, device=device)
    checks = torch.tensor(table.checks, dtype=torch.float32, device=device)
    kept = pca.fit(table.training, window=arguments.window).components.shape[1]
    hidden = arguments.hidden or hidden_sizes(inputs.shape[1], kept)
    network, figures = fit(inputs, checks, hidden, Schedule(epochs=arguments.epochs, seed=arguments.seed))
    model = export.model(network, table, figures)
    arguments.output.write_bytes(model.dump())
    layers = " ".join(map(str, model.report["fit"]["layers"]))
    print(f"layers {layers}, threshold {model.threshold:.6g}, written to {arguments.output}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains the autoencoder in PyTorch.")
    parser.add_argument("--data", type=Path, required=True, help="CSV of normal rows in the order of time")
    parser.add_argument("--output", type=Path, required=True, help="where the model goes (safetensors)")
    parser.add_argument("--window", type=int, default=1, help="rows looked at together, 1 to 64")
    parser.add_argument("--features", choices=tuple(FEATURES), default="mean", help="what is made of a window")
    parser.add_argument("--hidden", type=_widths, default=(), help="encoder widths, the bottleneck last: 32,4")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ...")
    return parser.parse_args()


def _widths(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


if __name__ == "__main__":
    sys.exit(main())

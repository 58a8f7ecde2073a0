"""Trains the judge of digit.numbers: which groups of pieces are one whole digit.

    python -m train.number_judge --mnist DIR --out FOLDER

writes judge.safetensors and weights.json into FOLDER (shipped: src/digit/numbers/weights). Numbers are written
by train.written_numbers, with strokes and MNIST's training images, and cut as the service cuts them; each candidate
is held against what each digit really covers. Takes about ten minutes of one CPU.
"""

import argparse
import hashlib
import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from digit.model import Models
from digit.numbers import judge
from digit.postprocess import Outputs
from digit.settings import SHIPPED
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor, nn

from train import data
from train.number_cuts import Cuts, gather, joined
from train.written_numbers import drawn, pasted

Pixels = NDArray[np.float32]

SEED = 43
CHANNELS = (2, 12, 24, 32)
HIDDEN = 32
BATCH = 256
RATE = 3e-3


class Network(nn.Module):
    """What digit.numbers.judge runs."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(n, m, judge.KERNEL, judge.STRIDE, 1) for n, m in pairwise(CHANNELS)]
        )
        side = -(-judge.SIDE // judge.STRIDE ** len(self.convolutions))
        self.hidden = nn.Linear(side * side * CHANNELS[-1], HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)

    def forward(self, windows: Tensor) -> Tensor:
        """Returns logits (n,) of windows (n, 2, SIDE, SIDE)."""
        for convolution in self.convolutions:
            windows = torch.relu(convolution(windows))
        features = windows.permute(0, 2, 3, 1).flatten(1)
        logits: Tensor = self.out(torch.relu(self.hidden(features)))[:, 0]
        return logits

    def arrays(self) -> dict[str, Pixels]:
        """Returns the weights as digit.numbers.judge takes them, in half precision."""
        found: dict[str, Tensor] = {}
        for i, convolution in enumerate(self.convolutions):
            found[f"convolution{i}"] = convolution.weight.permute(1, 2, 3, 0).flatten(0, 2)
            found[f"convolution{i}_bias"] = convolution.bias
        for name, layer in (("hidden", self.hidden), ("out", self.out)):
            found[name], found[f"{name}_bias"] = layer.weight.T, layer.bias
        return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in found.items()}


def fit(learned: Cuts, epochs: int) -> Network:
    """Trains with AdamW and a one-cycle rate."""
    torch.manual_seed(SEED)
    network = Network()
    steps = epochs * (len(learned.right) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.02)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    loss_of = nn.BCEWithLogitsLoss()
    right = torch.from_numpy(learned.right)
    for _ in range(steps):
        rows = torch.randint(0, len(right), (BATCH,))
        windows = torch.from_numpy(learned.windows[rows.numpy()].astype(np.float32) / 255).permute(0, 3, 1, 2)
        loss = loss_of(network(windows), right[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.step()
    return network


def area_under_roc(logits: NDArray[np.float64], right: Pixels) -> float:
    """Returns the probability that a right candidate has a higher logit than a wrong one."""
    order = np.argsort(np.argsort(logits)) + 1.0
    positive = right > 0.5
    n, m = int(positive.sum()), int((~positive).sum())
    return float((order[positive].sum() - n * (n + 1) / 2) / (n * m))


def save(folder: Path, network: Network, report: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / judge.FILE
    save_file(network.arrays(), file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "weights.json").write_text(json.dumps({judge.FILE: {"sha256": digest, **report}}, indent=2) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True, help="folder of MNIST's four files")
    parser.add_argument("--out", type=Path, required=True, help="folder for judge.safetensors and weights.json")
    parser.add_argument("--count", type=int, default=1500, help="numbers that are drawn, and as many of MNIST's digits")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--model", default="cnn_transformer")
    parser.add_argument("--weights", type=Path, default=SHIPPED, help="folder of weights.json")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    models = Models(asked.weights, asked.model)
    mnist = data.load(asked.mnist)

    def recognise(pixels: Pixels) -> Outputs:
        return models.predict(asked.model, pixels)

    def gathered(seed: int, count: int, training: bool) -> Cuts:
        digits = mnist.train if training else mnist.held
        return joined([gather(seed, count, hands, recognise) for hands in (drawn("train"), pasted(digits))])

    learned, held = gathered(SEED, asked.count, True), gathered(SEED + 1, max(1, asked.count // 10), False)
    sys.stdout.write(f"{len(learned.right)} candidates, {learned.right.mean():.3f} of them right\n")
    network = fit(learned, asked.epochs)
    logits = judge.Judge(network.arrays())(held.windows.astype(np.float32) / 255)
    report: dict[str, object] = {
        "made": f"python -m train.number_judge --count {asked.count} --epochs {asked.epochs}",
        "data": "numbers drawn by train/strokes and pasted of MNIST's training images, cut by digit.numbers",
        "candidates": len(learned.right),
        "held_back": {
            "accuracy": round(float(((logits > 0) == (held.right > 0.5)).mean()), 4),
            "area_under_roc": round(area_under_roc(logits, held.right), 4),
        },
    }
    save(asked.out, network, report)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

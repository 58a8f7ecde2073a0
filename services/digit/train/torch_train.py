"""Trains `cnn_transformer` in PyTorch and exports it; an interrupted run goes on where it stopped.

    python -m train.torch_train --pool pool.npz --folder runs --epochs 30
    python -m train.torch_train --quick --mnist DIR      # proves the whole path within a minute or two

The shipped weights' last line, after 42 minutes of one core (the whole log is in README.md):
    {"epoch": 30, "loss": 0.3132, "s": 90, "cpu_s": 77, "held_back": 0.995, "area_under_roc": 0.9919}
    cnn_transformer.onnx: 748875 bytes, at most 4.3e-06 from the native logits
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from train import schedule, stream, torch_export
from train.stream import Batch, Pool
from train.torch_model import CnnTransformer

NAME = "cnn_transformer"
SEED = 5
LEARNING_RATE = 2.5e-3
WEIGHT_DECAY = 0.05
QUICK_EPOCHS = 3


@dataclass(eq=False)
class Run:
    """All that a training is; `save` and `resume` keep it between processes."""

    model: CnnTransformer
    average: AveragedModel
    optimiser: torch.optim.Optimizer
    epoch: int = 0

    def save(self, path: Path) -> None:
        """Writes the whole state, so that a killed process loses an epoch at most."""
        state = {name: getattr(self, name).state_dict() for name in ("model", "average", "optimiser")}
        partial = path.with_suffix(".part")
        torch.save({**state, "epoch": self.epoch}, partial)
        partial.replace(path)

    def resume(self, path: Path) -> None:
        """Reads what `save` wrote."""
        state = torch.load(path, weights_only=True)
        for name in ("model", "average", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.epoch = state["epoch"]

    @property
    def shipped(self) -> CnnTransformer:
        """The network with the averaged weights."""
        model = self.average.module
        assert isinstance(model, CnnTransformer)
        return model


def start() -> Run:
    """Returns an untrained network; the averaged weights follow the trained ones, batch statistics included."""
    torch.manual_seed(SEED)
    model = CnnTransformer().to(memory_format=torch.channels_last)
    decayed = [weights for weights in model.parameters() if weights.ndim > 1]
    rest = [weights for weights in model.parameters() if weights.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": rest, "weight_decay": 0.0}]
    average = AveragedModel(model, multi_avg_fn=_follow, use_buffers=True)
    return Run(model, average, torch.optim.AdamW(groups, lr=LEARNING_RATE, fused=True))


@torch.no_grad()
def _follow(averages: list[Tensor], currents: list[Tensor], n_averaged: Tensor | int) -> None:
    for average, current in zip(averages, currents, strict=True):
        if average.is_floating_point():
            average.lerp_(current, schedule.towards(int(n_averaged)))
        else:  # the count of batches
            average.copy_(current)


def loss_of(logits: Tensor, digit_logit: Tensor, batch: Batch) -> Tensor:
    """Returns the loss of both heads: which digit, of the digits alone, and whether it is one."""
    labels, is_digit = torch.from_numpy(batch.labels), torch.from_numpy(batch.is_digit)
    weights = torch.from_numpy(batch.weights)
    each = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=schedule.LABEL_SMOOTHING)
    head = functional.binary_cross_entropy_with_logits(digit_logit, is_digit, weights)
    return (each * is_digit).sum() / is_digit.sum() + schedule.DIGIT_HEAD * head


def train_epoch(run: Run, pool: Pool, epochs: int) -> float:
    """Trains one epoch and returns the mean loss."""
    run.model.train()
    rng, n_steps = np.random.default_rng((SEED, run.epoch)), stream.steps_of_epoch(pool)
    losses = []
    for step, batch in enumerate(stream.batches(pool, rng, run.epoch / epochs)):
        for group in run.optimiser.param_groups:
            group["lr"] = schedule.rate(LEARNING_RATE, run.epoch + step / n_steps, epochs)
        pixels = torch.from_numpy(batch.pixels).unsqueeze(1).contiguous(memory_format=torch.channels_last)
        loss = loss_of(*run.model(pixels), batch)
        run.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not type it
        run.optimiser.step()
        run.average.update_parameters(run.model)
        losses.append(loss.item())
    run.epoch += 1
    return float(np.mean(losses))


def train(run: Run, pool: Pool, epochs: int, checkpoint: Path) -> None:
    """Trains up to `epochs`, keeps the state after each, and prints how it goes."""
    while run.epoch < epochs:
        clock = schedule.Clock()
        loss = train_epoch(run, pool, epochs)
        run.save(checkpoint)
        held = torch_export.outputs(run.shipped, pool.held.pixels)
        _, others = torch_export.outputs(run.shipped, pool.held_others.pixels)
        print(clock.line(run.epoch, loss, pool, held, others), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Trains cnn_transformer and exports it to ONNX.")
    stream.add_arguments(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    pool, epochs = stream.asked(arguments, QUICK_EPOCHS)
    run, checkpoint = start(), arguments.folder / f"{NAME}.pt"
    if checkpoint.exists() and not arguments.quick:
        run.resume(checkpoint)
    train(run, pool, epochs, checkpoint)
    return torch_export.finish(run.shipped, pool.held.pixels[:1000], arguments.folder, NAME)


if __name__ == "__main__":
    sys.exit(main())

"""Fine-tunes EfficientNet-Lite2 from its ImageNet weights on the crops of Stanford Cars.

    cd services/cars
    python -m train.data --cars DIR --work WORK
    python -m train.train --work WORK --run RUN        # the same command goes on where it was interrupted

40 epochs at 128, 160, 192 and 224 px: about 100 minutes on two CPU cores, under 5 GB.
"""

import argparse
import copy
import ctypes
import math
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional

from train import augment, data, evaluate, figures, model

CHECKPOINT_S = 180.0
LOG_STEPS = 20
UNDIVIDED_PX = 192  # larger pictures go through in two halves, or a batch of them takes more than 5 GB
KEEP_EPOCHS = 8  # every eighth epoch's averaged weights stay as a file of their own


@dataclass(frozen=True)
class Plan:
    """All that decides the weights, with the seed; stored beside them."""

    size: str = "lite2"
    phases: tuple[tuple[int, int], ...] = ((8, 128), (12, 160), (14, 192), (6, 224))  # (epochs, side)
    mild_epochs: int = 5  # the last ones
    batch: int = 32
    rate: float = 0.02
    head_rate: float = 3.0  # times the rate
    momentum: float = 0.9
    decay: float = 2e-4
    smoothing: float = 0.1
    make_weight: float = 0.2  # of the loss of the make alone
    drop: float = 0.15
    dropout: float = 0.25
    average: float = 0.999
    warm_up_epochs: float = 1.0
    seed: int = 7

    @property
    def epochs(self) -> int:
        return sum(epochs for epochs, _ in self.phases)

    def side(self, epoch: int) -> int:
        for epochs, side in self.phases:
            if epoch < epochs:
                return side
            epoch -= epochs
        return self.phases[-1][1]


class Trainer:
    """A run: everything that a checkpoint holds, and the way through the epochs."""

    def __init__(self, plan: Plan, work: Path, run: Path) -> None:
        self.plan, self.run = plan, run
        self.cars = data.load(work, "train")
        self.groups = data.names(work).groups
        makes = self.groups["make"]
        self.makes = torch.from_numpy(np.eye(makes.max() + 1, dtype=np.float32)[makes])  # (196, makes)
        self.learning, self.held = data.divide(work)
        torch.manual_seed(plan.seed)
        self.generator = Generator().manual_seed(plan.seed)
        self.network = model.pretrained(plan.size, plan.drop, plan.dropout).to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimiser = torch.optim.SGD(_groups(self.network, plan), plan.rate, plan.momentum, nesterov=True)
        self.step = 0
        self.steps = len(self.learning) // plan.batch  # an epoch
        self.saved_at = time.monotonic()
        self.stopping = False

    def train(self) -> None:
        self._resume()
        for epoch in range(self.step // self.steps, self.plan.epochs):
            self._epoch(epoch)
            if self.stopping:
                return
            self._judge(epoch)

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _epoch(self, epoch: int) -> None:
        side, strength = self.plan.side(epoch), augment.STRONG
        if epoch >= self.plan.epochs - self.plan.mild_epochs:
            strength = augment.MILD
        order = np.random.default_rng([self.plan.seed, epoch]).permutation(self.learning)
        self.network.train()
        began, processor, losses = time.monotonic(), time.process_time(), []
        for i in range(self.step % self.steps, self.steps):
            rate = self._set_rate()
            losses.append(self._learn(order[i * self.plan.batch : (i + 1) * self.plan.batch], side, strength))
            if self.step % LOG_STEPS == 0:
                pace = len(losses) * self.plan.batch
                wall, used = time.monotonic() - began, time.process_time() - processor
                self._log(
                    f"epoch {epoch + 1} step {i + 1}/{self.steps} {side} px loss {np.mean(losses):.3f} "
                    f"rate {rate:.5f} {pace / wall:.1f} crops/s {pace / used:.1f} crops/CPU-s"
                )
                began, processor, losses = time.monotonic(), time.process_time(), []
            if self.stopping or time.monotonic() - self.saved_at > CHECKPOINT_S:
                self._save()
            if self.stopping:
                self._log("stopped")
                return

    def _learn(self, rows: NDArray[np.int64], side: int, strength: augment.Strength) -> float:
        crops = torch.from_numpy(self.cars.pixels[np.sort(rows)]).permute(0, 3, 1, 2)
        labels = torch.from_numpy(self.cars.labels[np.sort(rows)])
        mixed = augment.mix(augment.augment(crops, side, self.generator, strength), self.generator, strength)
        pictures = model.standardised(mixed.pictures).contiguous(memory_format=torch.channels_last)
        self.optimiser.zero_grad()
        total = 0.0
        for part in torch.arange(len(rows)).chunk(2 if side > UNDIVIDED_PX else 1):
            logits = self.network(pictures[part])
            loss = self._loss(logits, labels[part]) * mixed.share
            if mixed.share < 1:
                loss = loss + self._loss(logits, labels[mixed.other[part]]) * (1 - mixed.share)
            loss = loss * len(part) / len(rows)
            loss.backward()
            total += loss.item()
        self.optimiser.step()
        self.step += 1
        self._average()
        return total

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the class, and some of the make: a wrong Audi is better than a right guess at nothing."""
        whole = functional.cross_entropy(logits, labels, label_smoothing=self.plan.smoothing)
        probabilities = logits.softmax(1) @ self.makes  # (n, makes)
        make = probabilities.gather(1, self.makes.argmax(1)[labels][:, None])
        return whole - self.plan.make_weight * torch.log(make + 1e-4).mean()

    def _set_rate(self) -> float:
        done, warm_up = self.step / self.steps, self.plan.warm_up_epochs
        share = min(1.0, (done * self.steps + 1) / (warm_up * self.steps))
        cosine = (1 + math.cos(math.pi * max(0.0, done - warm_up) / (self.plan.epochs - warm_up))) / 2
        rate = self.plan.rate * share * max(cosine, 0.002)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        return rate

    @torch.no_grad()
    def _average(self) -> None:
        weight = 1 - min(self.plan.average, (1 + self.step) / (10 + self.step))
        for ours, new in zip(self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True):
            if ours.is_floating_point():
                ours.lerp_(new, weight)
            else:
                ours.copy_(new)

    def _judge(self, epoch: int) -> None:
        side = self.plan.side(epoch)
        logits = evaluate.logits(self.averaged, self.cars.pixels, self.held, side)
        measured = figures.figures(logits, self.cars.labels[self.held], self.groups)
        self._log(f"epoch {epoch + 1} held back at {side} px: {measured}")
        self._save()
        _write(self.averaged.state_dict(), self.run / "ema.pt")
        if (epoch + 1) % KEEP_EPOCHS == 0:
            _write(self.averaged.state_dict(), self.run / f"ema-{epoch + 1:02d}.pt")

    def _state(self) -> dict[str, Any]:
        return {
            "plan": self.plan.__dict__,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "generator": self.generator.get_state(),
            "random": torch.get_rng_state(),
        }

    def _save(self) -> None:
        _write(self._state(), self.run / "checkpoint.pt")
        self.saved_at = time.monotonic()

    def _resume(self) -> None:
        path = self.run / "checkpoint.pt"
        if not path.exists():
            self._log(f"begun: {self.plan}, {len(self.learning)} crops to learn from, {len(self.held)} held back")
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["plan"] != self.plan.__dict__:
            message = f"{path} is of another plan: {state['plan']}; this one is {self.plan}. Name another --run"
            raise SystemExit(message)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["random"])
        self._log(f"resumed at step {self.step} of {self.steps * self.plan.epochs}")

    def _log(self, text: str) -> None:
        line = f"{time.strftime('%H:%M:%S')} {text}"
        print(line, flush=True)
        with (self.run / "log.txt").open("a") as file:
            file.write(line + "\n")


def _groups(network: model.Network, plan: Plan) -> list[dict[str, Any]]:
    """Returns the parameters in three groups: filters, the norms and biases (never shrunk), and the head."""
    body = list(network.backbone.parameters())
    return [
        {"params": [p for p in body if p.ndim > 1], "weight_decay": plan.decay, "factor": 1.0},
        {"params": [p for p in body if p.ndim == 1], "weight_decay": 0.0, "factor": 1.0},
        {"params": list(network.cars.parameters()), "weight_decay": plan.decay, "factor": plan.head_rate},
    ]


def _write(state: dict[str, Any], path: Path) -> None:
    """Replaces a file whole: a run may be killed at any moment."""
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


def _keep_memory() -> None:
    """Tells glibc to keep freed memory: giving each batch's arrays back to the system costs half of the time."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(-4, 0)  # M_MMAP_MAX
        libc.mallopt(-1, -1)  # M_TRIM_THRESHOLD: never
        libc.mallopt(-2, 2**28)  # M_TOP_PAD


def main() -> int:
    parser = argparse.ArgumentParser(description="Fine-tunes the model; goes on where it was interrupted.")
    parser.add_argument("--work", type=Path, required=True, help="the arrays that train.data wrote")
    parser.add_argument("--run", type=Path, required=True, help="checkpoints and log.txt")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    _keep_memory()
    torch.set_num_threads(arguments.threads)
    arguments.run.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(Plan(), arguments.work, arguments.run)
    signal.signal(signal.SIGTERM, trainer.stop)
    signal.signal(signal.SIGINT, trainer.stop)
    trainer.train()
    return 0


if __name__ == "__main__":
    sys.exit(main())

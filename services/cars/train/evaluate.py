"""Measures a checkpoint: the crops held back or those of test/, and whole photographs.

    python -m train.evaluate --work WORK --weights RUN/ema.pt --split held [--flip]
    python -m train.evaluate --work WORK --weights RUN/ema.pt --split test --flip      # at the end, once
    python -m train.evaluate --work WORK --weights RUN/ema.pt --photographs DIR --half choices

The folders of photographs are halved by file name: `choices` for every decision, `report` for what is published.
"""

import argparse
import csv
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from train import data, model, refusal, region

BATCH = 64
BINS = 15  # of confidence, for the calibration error
KEPT = 0.95  # of the right answers, at the threshold that refusals are counted at
PHOTOGRAPHS = ("wholeframe", "unlisted", "notcar")
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """Shares of the crops; `ece` is the calibration error of the first answer."""

    top1: float
    top5: float
    make: float
    body: float
    year: float
    nll: float
    ece: float

    def __str__(self) -> str:
        return " ".join(f"{name} {value:.4f}" for name, value in self.__dict__.items())


@torch.no_grad()
def logits(network: model.Network, pixels: data.Pixels, rows: data.Labels, side: int, flip: bool = False) -> Array:
    """Returns (n, 196) for rows of pixels (…, 224, 224, 3); with `flip`, the mean of both ways round."""
    return outputs(network, pixels, rows, side, flip)[0]


@torch.no_grad()
def outputs(
    network: model.Network, pixels: data.Pixels, rows: data.Labels, side: int, flip: bool = False
) -> tuple[Array, Array]:
    """Returns the logits (n, 196) and the penultimate features (n, 1280)."""
    network.eval()
    found: list[tuple[Array, Array]] = []
    for part in np.array_split(rows, max(1, len(rows) // BATCH)):
        x = torch.from_numpy(pixels[part]).permute(0, 3, 1, 2).float()
        x = model.resized(model.standardised(x), side).contiguous(memory_format=torch.channels_last)
        features = network.features(x)
        answer = network.cars(features)
        if flip:
            other = network.features(x.flip(3))
            features, answer = (features + other) / 2, (answer + network.cars(other)) / 2
        found.append((answer.double().numpy(), features.double().numpy()))
    return np.concatenate([a for a, _ in found]), np.concatenate([f for _, f in found])


def figures(logits: Array, labels: data.Labels, groups: Mapping[str, data.Labels], temperature: float = 1.0) -> Figures:
    """Judges logits (n, 196); a make is that with the largest sum over its classes, and so are body and year."""
    p = probabilities(logits, temperature)
    order = np.argsort(-p, axis=1)
    right = order[:, 0] == labels
    top5 = (order[:, :5] == labels[:, None]).any(1)
    shares = {key: _by_group(p, groups[key], labels) for key in ("make", "body", "year")}
    nll = -np.log(p[np.arange(len(p)), labels] + 1e-12).mean()
    return Figures(right.mean(), top5.mean(), **shares, nll=nll, ece=calibration_error(p.max(1), right))


def probabilities(logits: Array, temperature: float = 1.0) -> Array:
    scaled = (logits - logits.max(1, keepdims=True)) / temperature
    p = np.exp(scaled)
    result: Array = p / p.sum(1, keepdims=True)
    return result


def calibration_error(confidence: Array, right: NDArray[np.bool_]) -> float:
    """Returns the mean distance of confidence and accuracy over bins of equal width, weighted by their size."""
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = [which == number for number in np.unique(which)]
    return float(sum(abs(confidence[rows].mean() - right[rows].mean()) * rows.mean() for rows in bins))


def temperature(logits: Array, labels: data.Labels) -> float:
    """Returns the divisor of the logits that makes the held-back labels likeliest."""
    candidates = np.exp(np.linspace(np.log(0.3), np.log(3.0), 231))
    losses = [-np.log(probabilities(logits, t)[np.arange(len(labels)), labels] + 1e-12).mean() for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def refused(known: Array, right: NDArray[np.bool_], unknown: Array, kept: float = KEPT) -> float:
    """Returns the share of unknown scores below the threshold that keeps a share of the right answers."""
    return float((unknown < np.quantile(known[right], 1 - kept)).mean())


def photographs(folder: Path, half: str) -> list[tuple[Path, str]]:
    """Returns (file, make or "") of one half of each set; the make is "" where none of the 196 can be right."""
    found = []
    for name in PHOTOGRAPHS:
        files = sorted(p for p in (folder / name).rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
        makes = _listed_makes(folder / name / "index.csv")
        chosen = files[0::2] if half == "choices" else files[1::2]
        found += [(path, makes.get(path.relative_to(folder / name).as_posix(), "")) for path in chosen]
    return found


def _listed_makes(index: Path) -> dict[str, str]:
    if not index.exists():
        return {}
    with index.open(newline="") as file:
        return {row["file"]: row.get("listed_make", "") for row in csv.DictReader(file)}


def _by_group(p: Array, group: data.Labels, labels: data.Labels) -> float:
    sums = p @ np.eye(group.max() + 1)[group]
    return float((sums.argmax(1) == group[labels]).mean())


def _report_crops(network: model.Network, work: Path, split: str, side: int, flip: bool) -> None:
    groups, train = data.names(work).groups, data.load(work, "train")
    _, held = data.divide(work)
    judged = logits(network, train.pixels, held, side, flip)
    divisor = temperature(judged, train.labels[held])
    labels = train.labels[held]
    if split == "test":
        cars = data.load(work, "test")
        judged, labels = logits(network, cars.pixels, np.arange(len(cars)), side, flip), cars.labels
    print(f"{split}, {len(labels)} crops at {side} px{', both ways round' if flip else ''}")
    print(f"  as they are               {figures(judged, labels, groups)}")
    print(f"  at temperature {divisor:.3f}      {figures(judged, labels, groups, divisor)}")


def _report_photographs(network: model.Network, work: Path, folder: Path, half: str, side: int) -> None:
    names, train = data.names(work), data.load(work, "train")
    files = photographs(folder, half)
    pictures = [Image.open(path).convert("RGB") for path, _ in files]
    seen = [region.look(picture) for picture in pictures]
    crops = np.stack([data.squashed(picture.crop(s.box)) for picture, s in zip(pictures, seen, strict=True)])
    answer, features = outputs(network, crops, np.arange(len(crops)), side)
    learned, held = data.divide(work)
    known, known_features = outputs(network, train.pixels, held, side)
    kind = np.array([path.relative_to(folder).parts[0] for path, _ in files])
    makes = np.array([make for _, make in files])
    vehicle = np.array([s.vehicle for s in seen])
    for name in PHOTOGRAPHS:
        print(
            f"  {name:10} {(kind == name).sum():4d}  vehicle score 5/50/95 %: "
            + " ".join(f"{q:.3f}" for q in np.quantile(vehicle[kind == name], (0.05, 0.5, 0.95)))
        )
    named = makes != ""
    listed = np.array([row["make"] for row in names.classes])
    print(f"  wholeframe: right make {(listed[answer.argmax(1)][named] == makes[named]).mean():.3f} of {named.sum()}")
    right = known.argmax(1) == train.labels[held]
    strangers = (kind == "unlisted") | ((kind == "wholeframe") & ~named)
    memory = refusal.Memory(outputs(network, train.pixels, learned, side)[1], train.labels[learned])
    for score, measure in refusal.measures(memory).items():
        share = refused(measure(known, known_features), right, measure(answer[strangers], features[strangers]))
        print(f"  refused of {strangers.sum()} unknown cars, by {score:12}: {share:.3f}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures a checkpoint on crops and on whole photographs.")
    parser.add_argument("--work", type=Path, required=True, help="the arrays that train.data wrote")
    parser.add_argument("--weights", type=Path, required=True, help="a file of averaged weights")
    parser.add_argument("--split", choices=("held", "test"), default="held")
    parser.add_argument("--photographs", type=Path, help="the folder of wholeframe/, unlisted/ and notcar/")
    parser.add_argument("--half", choices=("choices", "report"), default="choices")
    parser.add_argument("--size", default="lite2", choices=model.SIZES)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--flip", action="store_true", help="the mean of the picture and its mirror image")
    arguments = parser.parse_args()
    network = model.load(arguments.weights, arguments.size)
    if arguments.photographs:
        _report_photographs(network, arguments.work, arguments.photographs, arguments.half, arguments.side)
    else:
        _report_crops(network, arguments.work, arguments.split, arguments.side, arguments.flip)
    return 0


if __name__ == "__main__":
    sys.exit(main())

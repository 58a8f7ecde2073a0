"""Accuracy of cars by set, each picture read as the service reads it: `test/`, and the half of the photographs that
chose nothing.

What the figures mean is told in `services/cars/train/figures.py`, whose measures these are; which half is which in
`services/cars/train/photographs.py`. Crops of `test/` fill the picture, so that no region is looked for in them.
"""

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cars import model, postprocess, refusal, region
from cars.model import Model
from cars.preprocess import BOUND
from cars.recognition import Box
from numpy.typing import NDArray
from PIL import Image
from servicekit import images

from bench import pictures_cars
from bench.report import Row

NEEDS_DATA = True
SPLIT, HALF = "test", "report"
FEW = 0  # pictures of each set, to see that it runs; 0: all
LIMITS = images.Limits(("JPEG", "PNG"), 178_000_000)
TRAINING = Path(__file__).parents[1] / "services" / "cars"
GOALS = {"top1": 0.91, "top5": 0.985, "make": 0.96}
MOST_ECE, LEAST_KEPT, LEAST_REFUSED = 0.03, 0.95, 0.80

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Answers:
    """What was made of the pictures of a set."""

    logits: Array  # (n, classes)
    certainty: Array  # (n,) that it is one of the known cars
    confidence: Array  # (n,) of the first answer
    recognized: Mask  # (n,)
    seen: Mask  # (n,): the gate saw a car


def measure(data: str) -> Iterator[Row]:
    sys.path.insert(0, str(TRAINING))  # `train`: its measures need NumPy alone
    from train import data as crops
    from train import figures, photographs

    loaded, folder = model.load(), pictures_cars.folder_of(data)
    names = crops.names(folder)
    tested, labels = _crops(folder)
    known = _read(loaded, tested, whole=True)
    measured = figures.figures(known.logits, labels, names.groups, loaded.network.how.temperature)
    right = known.logits.argmax(1) == labels
    yield from _tested(measured, known, right)
    kept = known.certainty[right]
    sets = photographs.half(folder, HALF)
    found = {name: [each for each in sets if each.set == name][: FEW or None] for name in photographs.SETS}
    for name, chosen in found.items():
        yield from _photographs(loaded, name, chosen, names, kept)


def _crops(folder: Path) -> tuple[list[Path], NDArray[np.int64]]:
    with (folder / "index.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == SPLIT][: FEW or None]
    return [folder / row["file"] for row in rows], np.array([int(row["label"]) for row in rows], np.int64)


def _read(loaded: Model, paths: Iterable[Path], *, whole: bool) -> Answers:
    """Reads pictures as backends/local.py does, and keeps what it judges by."""
    how, logits, features, scores = loaded.network.how, [], [], []
    for path in paths:
        picture = images.decode(path.read_bytes(), LIMITS, bound=BOUND).convert("RGB")
        score, box = _looked(loaded, picture, whole=whole)
        outputs = loaded.network.read(picture, box)
        logits.append(outputs.logits)
        features.append(outputs.features)
        scores.append(score)
    all_logits, all_features = np.concatenate(logits), np.concatenate(features)
    certainty = refusal.certainty(how.refusal, refusal.measures(loaded.memory, all_logits, all_features))
    confidence = postprocess.probabilities(all_logits, how.temperature).max(1)
    seen = np.array(scores) >= loaded.gate.how.threshold
    recognized = seen & (certainty >= how.refusal.threshold) & (confidence >= how.threshold)
    return Answers(all_logits, certainty, confidence, recognized, seen)


def _looked(loaded: Model, picture: Image.Image, *, whole: bool) -> tuple[float, Box]:
    if whole:
        box = region.whole(picture.size)
        return loaded.gate.score(picture, box), box
    seen = loaded.gate.look(picture)
    return seen.score, seen.regions[0]


def _tested(measured: Any, known: Answers, right: Mask) -> Iterator[Row]:
    what = f"{SPLIT}, {len(right):,} crops"
    for name in ("top1", "top5", "make", "body", "year"):
        value, goal = getattr(measured, name), GOALS.get(name)
        met = None if goal is None else value >= goal
        yield Row(f"{what}: {name}", value, f"at least {goal}" if goal else "for the record", met)
    yield Row(f"{what}: calibration error", measured.ece, f"at most {MOST_ECE}", measured.ece <= MOST_ECE)
    kept = float(known.recognized[right].mean())
    yield Row(f"{what}: right answers that are recognized", kept, f"at least {LEAST_KEPT}", kept >= LEAST_KEPT)
    yield Row(f"{what}: refused", float((~known.recognized).mean()), "for the record", None)
    if known.recognized.any():
        sure = float(right[known.recognized].mean())
        yield Row(f"{what}: right of those recognized", sure, "for the record", None)


def _photographs(loaded: Model, name: str, chosen: list[Any], names: Any, kept: Array) -> Iterator[Row]:
    """Tells of a set of whole photographs: makes where they are listed, and refusals where none of the 196 is shown."""
    from train import figures

    if not chosen:
        return
    answers, what = _read(loaded, [each.path for each in chosen], whole=False), f"{name}, {len(chosen)} photographs"
    if name == "notcar":
        refused = float((~answers.seen).mean())
        yield Row(f"{what}: refused as no_car", refused, "at least 1.0", refused >= 1)
        return
    yield Row(f"{what}: a car is seen", float(answers.seen.mean()), "for the record", None)
    listed = np.array([each.make != "" for each in chosen])
    if listed.any():
        share = _right_makes(answers, chosen, names, loaded.network.how.temperature)
        yield Row(f"{what}: make, of {listed.sum()} with a listed make", share, "for the record", None)
    unknown = np.array([each.unknown for each in chosen])
    if unknown.any():
        refused = float((~answers.recognized[unknown]).mean())
        goal = f"at least {LEAST_REFUSED}"
        yield Row(f"{what}: refused, of {unknown.sum()} unknown cars", refused, goal, refused >= LEAST_REFUSED)
        at_kept = figures.refused(kept, answers.certainty[unknown])
        yield Row(f"{what}: the same where 95 % of the right are kept", at_kept, goal, at_kept >= LEAST_REFUSED)


def _right_makes(answers: Answers, chosen: list[Any], names: Any, temperature: float) -> float:
    """Returns how often the make with the largest sum is right, where it is a listed one."""
    makes = names.groups["make"]
    sums = postprocess.probabilities(answers.logits, temperature) @ np.eye(makes.max() + 1)[makes]
    by_number = {number: row["make"] for number, row in zip(makes.tolist(), names.classes, strict=True)}
    pairs = [(by_number[number], each.make) for number, each in zip(sums.argmax(1).tolist(), chosen, strict=True)]
    return float(np.mean([answered == make for answered, make in pairs if make]))

"""Chooses all that the service is told beside its networks, and writes it: `weights.json` and `memory.npz`.

    python -m train.export --weights RUN/ema.pt --output DIR
    python -m train.choose --work WORK --photographs CARS --weights DIR --commit HASH [--provisional]

Every choice is made on the crops held back and on one half of the photographs. `--weights` is the folder of `cars.onnx`
and `vehicle.onnx`, and gets the two files that go with them.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from cars import refusal
from cars.model import CARS, DESCRIPTION, MEMORY, VEHICLE, Gate, Looking, Reading
from cars.refusal import Weighing
from servicekit.weights import Weights

from train import data, figures, photographs, weighing
from train.outputs import Answers, Cars
from train.photographs import Judged

NAME = "efficientnet-lite2-cars196"
FRAMEWORK = "PyTorch"
CARS_DATA = "Stanford Cars: 7,356 of the 8,144 training crops; the backbone began as EfficientNet-Lite2 of ImageNet-1k"
VEHICLE_DATA = "ImageNet-1k: EfficientNet-Lite0 as published"
PICTURES = (  # what is tried as a region; the first also reads most crops right that stand far back in other pictures
    Looking(0.05, 0.3, 0.08, 0.0, mirrored=False),
    Looking(0.05, 0.35, 0.04, 0.0, mirrored=False),
    Looking(0.05, 0.25, 0.04, 0.0, mirrored=False),
    Looking(0.05, 0.25, 0.08, 0.0, mirrored=False),
    Looking(0.05, 0.3, 0.08, 0.0, mirrored=True),
    Looking(0.05, 0.3, 0.08, 1.3, mirrored=False),
)
WORTH_IT = 0.04  # of the right makes, more than the first has: less is chance among 140 photographs
FLIP_WORTH_IT = 0.005  # of top-1 on the crops held back
MEASURES = (  # what is tried, the fewest first
    ("contrast", "neighbours"),
    ("contrast", "centre", "neighbours"),
    ("softmax", "contrast", "centre", "neighbours"),
    ("softmax", "contrast", "entropy", "margin", "neighbour", "neighbours"),
)
MEASURE_WORTH_IT = 0.01  # of the unknown cars refused
DOUBT = 0.25  # of the confidence: with less, an answer is as often wrong as right


def main() -> int:
    arguments = _arguments()
    cars, folder = Cars(arguments.weights), arguments.weights
    names, labels = data.names(arguments.work), data.load(arguments.work, "train").labels
    learned, held = data.divide(arguments.work)
    known = cars.crops(arguments.work, "train", held, "held")
    mirrored = _flip(known, labels[held], names.groups)
    logits, features = known.taken(mirrored)
    right = logits.argmax(1) == labels[held]
    divisor = round(figures.temperature(logits, labels[held]), 4)
    chosen = photographs.half(arguments.photographs, "choices")
    looking, seen = _region(folder, cars, chosen, names, (mirrored, divisor))
    memory = weighing.remembered(
        cars.crops(arguments.work, "train", learned, "learned", both=False).features, labels[learned]
    )
    weights = _refusal(memory, (logits[right], features[right]), seen, mirrored)
    sure = figures.probabilities(logits[right], divisor).max(1) >= DOUBT
    weights = weighing.keeping(weights, refusal.measures(memory, logits[right], features[right]), sure)
    found = asdict(figures.figures(logits, labels[held], names.groups, divisor))
    measured = {"held_back": {name: round(value, 4) for name, value in found.items()}}
    reading = Reading(
        NAME, divisor, DOUBT, mirrored, weights, made="python -m train.train", provisional=arguments.provisional
    )
    (folder / MEMORY).write_bytes(refusal.saved(memory))
    _describe(folder, reading, looking, measured, arguments.commit)
    return 0


def _flip(known: Answers, labels: data.Labels, groups: dict[str, data.Labels]) -> bool:
    """Tells whether reading both ways round is worth the second pass."""
    once, twice = (figures.figures(known.taken(both)[0], labels, groups) for both in (False, True))
    print(f"one way round   {once}\nboth ways round {twice}")
    return twice.top1 - once.top1 >= FLIP_WORTH_IT


def _region(
    folder: Path, cars: Cars, chosen: list[photographs.Photograph], names: data.Names, read: tuple[bool, float]
) -> tuple[Looking, Judged]:
    """Returns how a region is proposed best by the right makes; `read`: both ways round, and the temperature."""
    best: tuple[float, Looking, Judged] | None = None
    for how in PICTURES:
        seen = photographs.judged(chosen, Gate(Weights(VEHICLE, (folder / VEHICLE).read_bytes(), "", {}), how), cars)
        share = photographs.right_makes(seen, names, *read)
        print(f"right makes {share:.3f} of {(seen.makes != '').sum()} by {how}")
        if best is None or share > best[0] + WORTH_IT:
            best = (share, how, seen)
    assert best is not None
    return best[1], best[2]


def _refusal(memory: refusal.Memory, right: tuple[figures.Array, Any], seen: Judged, mirrored: bool) -> Weighing:
    """Returns the measures that refuse most unknown cars, each fold judged by a fit on the others."""
    logits, features = seen.answers.taken(mirrored)
    known = refusal.measures(memory, *right)
    unknown = refusal.measures(memory, logits[seen.unknown], features[seen.unknown])
    for name in known:
        print(f"refused by {name:12} alone {figures.refused(known[name], unknown[name]):.3f}")
    best: tuple[float, tuple[str, ...]] = (-1.0, ())
    for names in MEASURES:
        share = weighing.crossed(known, unknown, names)
        print(f"refused {share:.3f} by {', '.join(names)}")
        if share > best[0] + (MEASURE_WORTH_IT if best[1] else 0):
            best = (share, names)
    return weighing.fitted(known, unknown, best[1])


def _describe(folder: Path, reading: Reading, looking: Looking, measured: dict[str, Any], commit: str) -> None:
    """Writes weights.json."""
    rows = {
        CARS: {"data": CARS_DATA, "framework": FRAMEWORK, **msgspec.to_builtins(reading), "figures": measured},
        VEHICLE: {"data": VEHICLE_DATA, "framework": FRAMEWORK, **msgspec.to_builtins(looking)},
        MEMORY: {"data": CARS_DATA, "made": "python -m train.choose"},
    }
    described = {
        name: {"sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(), "commit": commit, **row}
        for name, row in rows.items()
    }
    (folder / DESCRIPTION).write_text(json.dumps(described, indent=2) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Chooses temperature, region and refusal, and writes weights.json.")
    parser.add_argument("--work", type=Path, required=True, help="the arrays that train.data wrote")
    parser.add_argument("--photographs", type=Path, required=True, help="the folder of wholeframe/ and unlisted/")
    parser.add_argument("--weights", type=Path, required=True, help="the folder that train.export wrote")
    parser.add_argument("--commit", required=True, help="of the code that trained the network")
    parser.add_argument("--provisional", action="store_true", help="says so: the training has not ended")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""Makes the folder of weights that the service reads: files, temperatures, thresholds. The test set plays no part.

    python -m train.calibrate --pool pool.npz --models runs --output src/digit/weights

A temperature minimises the negative log likelihood of the 5,000 held-back images; the threshold of "is it a digit?"
accepts 99.5 % of them and of the development sets (the drawn pictures of another seed than the published one).

Of the held-back pictures that are no digit, cnn_transformer refuses 88.7 %, cnn 84.1 %, the ensemble 89.5 %; what is
let through is mostly letters that look like digits. README.md has all that it printed.
"""

import argparse
import json
import math
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from digit.model import Network, Record
from digit.postprocess import Outputs, averaged
from numpy.typing import NDArray
from servicekit.weights import Weights

from train import records, scores
from train.stream import Pool

ACCEPTED = 0.995  # of the held-back digits
TEMPERATURES = np.exp(np.linspace(np.log(0.1), np.log(4), 400))


def temperature_of(outputs: Outputs, labels: NDArray[np.integer]) -> float:
    """Returns the temperature under which the outputs (at temperature 1) are the likeliest."""
    losses = [scores.likelihood_loss(averaged([outputs], t).probabilities, labels) for t in TEMPERATURES]
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 4)


def threshold_of(digitness: list[NDArray[np.float64]]) -> float:
    """Returns a probability that ACCEPTED of each set of digits reach."""
    least = min(float(np.quantile(values, 1 - ACCEPTED, method="lower")) for values in digitness)
    return math.floor(least * 10_000) / 10_000


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model says of the pictures that choose: MNIST's held back, the development sets, and no digits."""

    held: Outputs
    drawn: Outputs
    others: Outputs

    def calibrated(self, temperature: float) -> "Answers":
        """Returns them with the probabilities of digits at another temperature."""
        return Answers(averaged([self.held], temperature), self.drawn, self.others)


def answers_of(path: Path, sets: Sequence[NDArray[np.float32]]) -> Answers:
    """Runs a network as the service does, at temperature 1."""
    network = Network(Weights(path.name, path.read_bytes(), "", {}), Record(1.0, 0.5, {}))
    return Answers(*(network.run(pixels) for pixels in sets))


def mean_of(members: Sequence[Answers]) -> Answers:
    """Returns the ensemble's answers at temperature 1 from the calibrated members'."""
    return Answers(*(averaged([getattr(m, field) for m in members], 1.0) for field in ("held", "drawn", "others")))


def conclude(record: dict[str, Any], answers: Answers, labels: NDArray[np.integer]) -> Answers:
    """Adds temperature, threshold and what they come to, to the record; returns the calibrated answers."""
    temperature = temperature_of(answers.held, labels)
    calibrated = answers.calibrated(temperature)
    threshold = threshold_of([answers.held.digitness, answers.drawn.digitness])
    record["temperature"], record["digit_threshold"] = temperature, threshold
    record["held_back"] = {
        "accuracy": round(scores.accuracy(calibrated.held.probabilities, labels), 4),
        "calibration_error": round(scores.calibration_error(calibrated.held.probabilities, labels), 4),
        "digits_accepted": round(float(np.mean(answers.held.digitness >= threshold)), 4),
        "others_refused": round(float(np.mean(answers.others.digitness < threshold)), 4),
        "area_under_roc": round(scores.area_under_roc(answers.held.digitness, answers.others.digitness), 4),
    }
    return calibrated


def calibrate(pool: Pool, models: Path, folder: Path, commit: str) -> dict[str, dict[str, Any]]:
    """Copies the networks into `folder` and returns the records of weights.json."""
    sets = [
        part.pixels.astype(np.float32) / np.float32(255) for part in (pool.held, pool.development, pool.held_others)
    ]
    made: dict[str, dict[str, Any]] = {}
    members = []
    for name in records.FILES:
        if (models / name).exists():  # a quick run trains one of them alone
            shutil.copyfile(models / name, folder / name)
            made[name] = records.describe(folder, name, models, commit)
            members.append(conclude(made[name], answers_of(folder / name, sets), pool.held.labels))
    if len(members) > 1:
        ensemble = {"members": [name.removesuffix(".onnx") for name in made], "accuracy": {}}
        conclude(ensemble, mean_of(members), pool.held.labels)
        made[records.ENSEMBLE] = ensemble
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description="Calibrates the exported networks on held-back pictures.")
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True, help="the folder of cnn_transformer.onnx and cnn.onnx")
    parser.add_argument("--output", type=Path, required=True, help="the folder of weights to write")
    parser.add_argument("--commit", default=records.head(), help="the commit whose code trained them")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    made = calibrate(Pool.load(arguments.pool), arguments.models, arguments.output, arguments.commit)
    records.write(arguments.output, made)
    for name, record in made.items():
        told = {key: record[key] for key in ("temperature", "digit_threshold", "held_back")}
        sys.stdout.write(f"{name}: {json.dumps(told)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Measures what is shipped on what chose nothing: `test/` and the other half of the photographs. To be run once.

    python -m train.report --work WORK --photographs CARS --weights DIR --output DOCS

Writes the figures into `weights.json`, and the curve of refusals as `refusal.json` and `refusal.svg`.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from cars import model, refusal
from cars.model import CARS, DESCRIPTION, Model

from train import data, figures, photographs
from train.figures import Array
from train.outputs import Cars

WIDTH, HEIGHT, EDGE = 480, 360, 48  # px of the plot, and of what is left for its scales
FONT = 'font-family="sans-serif" font-size="12"'
TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
Curve = list[tuple[float, float]]


def main() -> int:
    arguments = _arguments()
    loaded, cars, names = model.load(arguments.weights), Cars(arguments.weights), data.names(arguments.work)
    how = loaded.network.how
    labels = data.load(arguments.work, "test").labels
    asked = cars.crops(arguments.work, "test", np.arange(len(labels)), "test")
    logits, features = asked.taken(how.mirrored)
    seen = photographs.judged(photographs.half(arguments.photographs, arguments.half), loaded.gate, cars)
    known = refusal.certainty(how.refusal, refusal.measures(loaded.memory, logits, features))
    strange = _certainty(loaded, *(each[seen.unknown] for each in seen.answers.taken(how.mirrored)))
    right = logits.argmax(1) == labels
    confidence = figures.probabilities(logits, how.temperature).max(1)
    answered = (known >= how.refusal.threshold) & (confidence >= how.threshold)
    curves = {
        "all measures": figures.curve(known[right], strange),
        "largest probability alone": _softmax_curve(loaded, logits[right], seen),
    }
    measured = {
        "test": _rounded(asdict(figures.figures(logits, labels, names.groups, how.temperature))),
        "test_once": _rounded(asdict(figures.figures(asked.logits, labels, names.groups, how.temperature))),
        "right_answers_kept": round(float(answered[right].mean()), 4),
        "right_of_recognized": round(float(right[answered].mean()), 4),
        "unknown_refused": round(_refused(loaded, seen, strange), 4),
        "unknown_refused_at_95_kept": round(figures.refused(known[right], strange), 4),
        "without_a_car_refused": round(float((seen.scores < loaded.gate.how.threshold)[seen.of("notcar")].mean()), 4),
        "cars_passed_by_the_gate": round(
            float((seen.scores >= loaded.gate.how.threshold)[~seen.of("notcar")].mean()), 4
        ),
        "right_makes_in_photographs": round(photographs.right_makes(seen, names, how.mirrored, how.temperature), 4),
    }
    print(json.dumps(measured, indent=2))
    _keep(arguments.weights / DESCRIPTION, measured)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "refusal.json").write_text(json.dumps(curves, indent=1) + "\n")
    (arguments.output / "refusal.svg").write_text(plotted(curves))
    return 0


def _certainty(loaded: Model, logits: Array, features: Any) -> Array:
    return refusal.certainty(loaded.network.how.refusal, refusal.measures(loaded.memory, logits, features))


def _softmax_curve(loaded: Model, right: Array, seen: photographs.Judged) -> Curve:
    """Returns what the plain maximum of the softmax would refuse."""
    logits = seen.answers.taken(loaded.network.how.mirrored)[0][seen.unknown]
    return figures.curve(figures.probabilities(right).max(1), figures.probabilities(logits).max(1))


def _refused(loaded: Model, seen: photographs.Judged, strange: Array) -> float:
    """Returns the share of unknown cars that the service does not answer as recognized, for whichever reason."""
    how = loaded.network.how
    confidence = figures.probabilities(seen.answers.taken(how.mirrored)[0][seen.unknown], how.temperature).max(1)
    unseen = seen.scores[seen.unknown] < loaded.gate.how.threshold
    return float(((strange < how.refusal.threshold) | (confidence < how.threshold) | unseen).mean())


def _keep(path: Path, measured: dict[str, Any]) -> None:
    """Puts the figures into weights.json beside those of the crops held back."""
    described = json.loads(path.read_text())
    described[CARS]["figures"] |= measured
    path.write_text(json.dumps(described, indent=2) + "\n")


def _rounded(found: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in found.items()}


def plotted(curves: dict[str, Curve]) -> str:
    """Returns an SVG of curves of (right answers kept, unknown cars refused)."""

    def place(kept: float, refused: float) -> tuple[float, float]:
        return EDGE + kept * (WIDTH - 2 * EDGE), HEIGHT - EDGE - refused * (HEIGHT - 2 * EDGE)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        "<title>Unknown cars refused against right answers kept</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for tick in TICKS:
        (x, low), (_, high) = place(tick, 0), place(tick, 1)
        (left, y), (right, _) = place(0, tick), place(1, tick)
        parts += [
            f'<path d="M{x:.0f} {low:.0f}V{high:.0f}M{left:.0f} {y:.0f}H{right:.0f}" stroke="#ddd"/>',
            f'<text x="{x:.0f}" y="{low + 16:.0f}" text-anchor="middle">{tick:.0%}</text>',
            f'<text x="{left - 6:.0f}" y="{y + 4:.0f}" text-anchor="end">{tick:.0%}</text>',
        ]
    for number, (name, points) in enumerate(curves.items()):
        colour, line = ("#0b5", "#888")[number], " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*p) for p in points))
        parts += [
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{EDGE + 12}" y="{HEIGHT - EDGE - 12 - 18 * number}" fill="{colour}">{name}</text>',
        ]
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">right answers kept</text>')
    parts.append(f'<text x="{EDGE}" y="{EDGE - 16}">unknown cars refused</text></svg>')
    return "\n".join(parts) + "\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the shipped model on what chose nothing.")
    parser.add_argument("--work", type=Path, required=True, help="the arrays that train.data wrote")
    parser.add_argument("--photographs", type=Path, required=True, help="the folder of wholeframe/, unlisted/, notcar/")
    parser.add_argument("--weights", type=Path, required=True, help="the folder with weights.json")
    parser.add_argument("--half", choices=photographs.HALVES, default="report")
    parser.add_argument("--output", type=Path, required=True, help="where the curve goes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

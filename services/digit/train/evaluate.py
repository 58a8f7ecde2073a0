"""Tells how right the shipped models are, each picture by the service's own path from its encoded bytes.

    python -m train.evaluate --mnist DIR [--hwd DIR] [--write]

prints a line for each set; README.md has all of them. The first:
                                   cnn_transformer               cnn          ensemble
    mnist_test                              0.9963            0.9967            0.9971
    calibration_error                       0.0007            0.0010            0.0011
    hwd1000_samples                         1.0000            1.0000            1.0000
"""

import argparse
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from digit.model import Models
from digit.postprocess import Outputs
from digit.settings import SHIPPED
from numpy.typing import NDArray
from PIL import Image

from train import data, drawings, evaluation_sets, fonts, nondigits, records, scores, strokes
from train.evaluation_sets import PUBLISHED, Sample
from train.pictures import prepared

CHUNK = 500
OTHERS = ("letters", "scribbles", "printed_letters")
Pixels = NDArray[np.float32]
Table = dict[str, dict[str, float]]  # by model, then by set


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encodes a grey picture."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def mnist_test(digits: data.Digits) -> Iterator[Sample]:
    """Yields MNIST's test images as PNG files."""
    for pixels, label in zip(digits.pixels, digits.labels, strict=True):
        yield Sample("mnist_test", int(label), png(pixels))


def drawings_of(folder: Path) -> Iterator[Sample]:
    """Yields the PNG files of folders that are named after their digit."""
    for path in sorted(folder.glob("[0-9]/*.png")):
        yield Sample("hwd1000_samples", int(path.parent.name), path.read_bytes())


def others(kind: str, count: int, seed: int = PUBLISHED) -> Iterator[Sample]:
    """Yields pictures that are no digit, of templates and fonts that no network has seen."""
    rng = strokes.generator(seed, "evaluation")
    for _ in range(count):
        if kind == "printed_letters":
            letter = str(rng.choice([letter for letter in nondigits.LETTERS if nondigits.weight_of(letter) == 1.0]))
            grey = fonts.drawn(letter, rng, held=True)
        else:
            lines = strokes.letter(rng, "evaluation") if kind == "letters" else strokes.scribble(rng, "evaluation")
            grey = np.asarray(drawings.drawn(rng, lines))
        yield Sample(kind, -1, png(grey))


def answers(models: Models, pictures: Pixels) -> dict[str, Outputs]:
    """Returns what every model says of pictures (n, 28, 28)."""
    return {name: models.predict(name, pictures) for name in models.names}


def measure(models: Models, sets: Iterable[tuple[str, Iterable[Sample]]]) -> tuple[Table, dict[str, Outputs]]:
    """Returns the accuracy of every model on every set, and what they say of MNIST's test images."""
    table: Table = {name: {} for name in models.names}
    kept: dict[str, Outputs] = {}
    for kind, samples in sets:
        pixels, labels = prepared(samples)
        said = answers(models, pixels)
        for name, outputs in said.items():
            table[name][kind] = round(scores.accuracy(outputs.probabilities, labels), 4)
            if kind == "mnist_test":
                kept[name] = outputs
                table[name]["calibration_error"] = round(scores.calibration_error(outputs.probabilities, labels), 4)
    return table, kept


def measure_others(models: Models, digits: dict[str, Outputs], count: int) -> Table:
    """Returns for every model how well digits are told from other pictures: the area under ROC."""
    table: Table = {name: {} for name in models.names}
    said = {kind: answers(models, prepared(others(kind, count))[0]) for kind in OTHERS}
    for name in models.names:
        apart = [said[kind][name].digitness for kind in OTHERS]
        for kind, scored in zip(OTHERS, apart, strict=True):
            table[name][f"area_under_roc_{kind}"] = round(scores.area_under_roc(digits[name].digitness, scored), 4)
        everything = scores.area_under_roc(digits[name].digitness, np.concatenate(apart))
        table[name]["area_under_roc"] = round(everything, 4)
    return table


def printed(table: Table) -> str:
    """Returns the figures as a table: a line for each set, a column for each model."""
    names = list(table)
    lines = [f"{'':28}" + "".join(f"{name:>18}" for name in names)]
    lines += [f"{row:28}" + "".join(f"{table[name][row]:18.4f}" for name in names) for row in table[names[0]]]
    return "\n".join(lines) + "\n"


def write(folder: Path, accuracy: Table, measures: Table) -> None:
    """Puts the figures into weights.json."""
    made = records.read(folder)
    for file, record in made.items():
        name = file.removesuffix(".onnx")
        record["accuracy"] = {kind: value for kind, value in accuracy[name].items() if kind != "calibration_error"}
        record["measures"] = {"calibration_error": accuracy[name]["calibration_error"], **measures[name]}
    records.write(folder, made)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures the shipped models.")
    parser.add_argument("--mnist", type=Path, required=True, help="the folder of the four original files")
    parser.add_argument("--hwd", type=Path, help="a folder 0/*.png … 9/*.png of real drawings")
    parser.add_argument("--sets", nargs="*", default=list(evaluation_sets.KINDS), help="which drawn sets; default all")
    parser.add_argument("--count", type=int, default=100, help="pictures of each drawn set")
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--write", action="store_true", help="put the figures into weights.json")
    arguments = parser.parse_args()
    models = Models(arguments.weights, next(iter(records.read(arguments.weights))).removesuffix(".onnx"))
    sets: list[tuple[str, Iterable[Sample]]] = [("mnist_test", mnist_test(data.load(arguments.mnist).test))]
    if arguments.hwd:
        sets.append(("hwd1000_samples", drawings_of(arguments.hwd)))
    sets += [(kind, evaluation_sets.samples(PUBLISHED, arguments.count, [kind])) for kind in arguments.sets]
    accuracy, digits = measure(models, sets)
    measures = measure_others(models, digits, 10 * arguments.count)
    sys.stdout.write(printed({name: accuracy[name] | measures[name] for name in models.names}))
    if arguments.write:
        write(arguments.weights, accuracy, measures)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Pictures of written numbers of one to ten digits, one set for each way in which people send them.

    python -m train.number_strings --evaluate --mnist DIR
    python -m train.number_strings --out DIR

The first reads them and prints the table of the README; the second writes DIR/<kind>/<number>_<text>.png (or .jpg).
The strokes are of the split `evaluation`, that no network has seen; with --mnist, digits of MNIST's test set are pasted
side by side as well, so that not all is drawn by one program. The seed that figures are published with is PUBLISHED;
choices were made with other seeds, on the split `train`.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from digit.model import Models
from digit.numbers import reading
from digit.settings import SHIPPED
from PIL import Image, ImageOps

from train import data
from train.strokes import Colour
from train.strokes.photographs import inked, jpeg, lit, png, rule, seen_askew, sheet, shot
from train.written_numbers import LETTER, Hands, Style, drawn, pasted, write

PUBLISHED = 2026
LONGEST = 10
MOST_SHOWN = 3  # of the wrong ones in a row of the table

Rng = np.random.Generator
Maker = Callable[[Rng, str, Hands], bytes]

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
BLUE: Colour = (25, 35, 95)
COMMON = Style()


class Sample(NamedTuple):
    """One picture of a written number."""

    kind: str
    text: str
    data: bytes  # PNG or JPEG

    @property
    def suffix(self) -> str:
        return ".jpg" if self.data[:2] == b"\xff\xd8" else ".png"


def samples(seed: int, count: int, kinds: Iterable[str], hands: Hands) -> Iterator[Sample]:
    """Yields `count` pictures of each kind, all lengths equally often; each depends on seed, kind and number alone."""
    for kind in kinds:
        for number in range(count):
            rng = np.random.default_rng((seed, number, *kind.encode()))
            text = "".join(map(str, rng.integers(0, 10, number % LONGEST + 1)))
            yield Sample(kind, text, KINDS[kind](rng, text, hands))


def opened(sample: Sample) -> Image.Image:
    return Image.open(io.BytesIO(sample.data))


def _printed(cover: Image.Image) -> bytes:
    return png(ImageOps.invert(cover))


def plain(rng: Rng, text: str, hands: Hands) -> bytes:
    """Black on white, one hand."""
    return _printed(write(rng, text, hands, COMMON))


def varied(rng: Rng, text: str, hands: Hands) -> bytes:
    """Spacing and size vary."""
    return _printed(write(rng, text, hands, replace(COMMON, gap=(0.04, 0.9), vary=0.18)))


def drifting(rng: Rng, text: str, hands: Hands) -> bytes:
    """The baseline climbs, falls and jumps."""
    return _printed(write(rng, text, hands, replace(COMMON, drift=0.1, climb=0.08)))


def slanted(rng: Rng, text: str, hands: Hands) -> bytes:
    """Leaning by up to 25° to either side."""
    return _printed(write(rng, text, hands, replace(COMMON, slant_deg=(-25, 25))))


def touching(rng: Rng, text: str, hands: Hands) -> bytes:
    """Joined in pairs, which overlap by a few pixels."""
    return _printed(write(rng, text, hands, replace(COMMON, touching=0.8)))


def chained(rng: Rng, text: str, hands: Hands) -> bytes:
    """Every digit joined to the next."""
    return _printed(write(rng, text, hands, replace(COMMON, touching=1.0, chains=True)))


def pens(rng: Rng, text: str, hands: Hands) -> bytes:
    """A felt pen, or a hairline."""
    pen = (0.15, 0.21) if rng.random() < 0.5 else (0.025, 0.04)
    return _printed(write(rng, text, hands, replace(COMMON, pen=pen)))


def white_on_black(rng: Rng, text: str, hands: Hands) -> bytes:
    return png(write(rng, text, hands, COMMON))


def transparent(rng: Rng, text: str, hands: Hands) -> bytes:
    """Ink alone, on nothing; light ink for some."""
    cover = write(rng, text, hands, COMMON)
    level = int(rng.integers(0, 90)) if rng.random() < 0.6 else int(rng.integers(215, 256))
    picture = Image.new("RGBA", cover.size, (level, level, level, 0))
    picture.putalpha(cover)
    return png(picture)


def _sheet_with(rng: Rng, text: str, hands: Hands, ruling: float | None, *, squared: bool = False) -> Image.Image:
    """Writes on a sheet; lines are `ruling` digits' heights apart."""
    style = replace(COMMON, pen=(0.06, 0.12))
    cover = write(rng, text, hands, style)
    around = round(cover.height * rng.uniform(0.1, 0.8))
    cover = ImageOps.expand(cover, around, 0)
    paper = sheet(rng, cover.size, (245, 244, 238), rng.uniform(0, 2))
    if ruling:
        shade = int(rng.integers(150, 205))
        rule(rng, paper, ruling * sum(style.tall_px) / 2, (shade - 30, shade, min(255, shade + 25)), squared=squared)
    return inked(paper, cover, BLACK if rng.random() < 0.4 else BLUE, rng.uniform(0.8, 1))


def _scanned_or_shot(rng: Rng, note: Image.Image) -> bytes:
    if rng.random() < 0.4:
        return png(note)
    seen = seen_askew(rng, note, rng.uniform(0, 0.02), None)
    return jpeg(_camera(rng, seen, rng.uniform(0, 0.4)), int(rng.integers(60, 93)))


def _camera(rng: Rng, picture: Image.Image, strength: float) -> Image.Image:
    lighted = lit(rng, picture, strength=strength)
    return shot(rng, lighted, blur_px=rng.uniform(0.3, 1.2), noise=rng.uniform(1, 6))


def ruled(rng: Rng, text: str, hands: Hands) -> bytes:
    """On lines, scanned or photographed."""
    return _scanned_or_shot(rng, _sheet_with(rng, text, hands, rng.uniform(0.7, 1.6)))


def squared(rng: Rng, text: str, hands: Hands) -> bytes:
    """On squares, scanned or photographed."""
    return _scanned_or_shot(rng, _sheet_with(rng, text, hands, rng.uniform(0.45, 1.2), squared=True))


def photographs(rng: Rng, text: str, hands: Hands) -> bytes:
    """A note photographed by hand: slope of light, shadow, perspective, at times the desk, blur, noise, JPEG."""
    note = _sheet_with(rng, text, hands, None)
    desk = sheet(rng, note.size, (110, 85, 60), rng.uniform(2, 8)) if rng.random() < 0.3 else None
    seen = seen_askew(rng, note, rng.uniform(0, 0.05), desk)
    return jpeg(_camera(rng, seen, rng.uniform(0.1, 0.8)), int(rng.integers(40, 91)))


def amid_marks(rng: Rng, text: str, hands: Hands) -> bytes:
    """With what is no digit: a minus sign, a point, a comma, a letter before or after."""
    place = int(rng.integers(len(text) + 1))
    amid = text[:place] + str(rng.choice([".", ","])) + text[place:]
    marked = str(rng.choice(["-" + text, amid, LETTER + text, text + LETTER]))
    return _printed(write(rng, marked, hands, replace(COMMON, gap=(0.12, 0.35))))


KINDS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        plain,
        varied,
        drifting,
        slanted,
        touching,
        pens,
        white_on_black,
        transparent,
        ruled,
        squared,
        photographs,
        amid_marks,
        chained,
    )
}
PASTED = ("plain", "touching", "chained")  # of MNIST's digits


@dataclass
class Tally:
    """How many pictures of one kind were read rightly."""

    right: int = 0
    total: int = 0
    seconds: list[float] = field(default_factory=list)  # of CPU, for each
    wrong: list[str] = field(default_factory=list)

    def add(self, wanted: str, got: str, seconds: float) -> None:
        self.total += 1
        self.right += got == wanted
        self.seconds.append(seconds)
        if got != wanted:
            self.wrong.append(f"{wanted} as {got or 'nothing'}")


def evaluate(models: Models, model: str, pictures: Iterable[Sample]) -> Tally:
    """Reads the pictures as `POST /predict_number` does."""
    tally = Tally()
    for sample in pictures:
        picture = opened(sample)
        begun = time.process_time()
        got = _text(picture, models, model)
        tally.add(sample.text, got, time.process_time() - begun)
    return tally


def _text(picture: Image.Image, models: Models, model: str) -> str:
    try:
        return reading.read(picture, lambda pixels: models.predict(model, pixels), max_digits=32).text
    except reading.UnreadError:
        return ""


def report(name: str, tally: Tally) -> str:
    middle = sorted(tally.seconds)[len(tally.seconds) // 2]
    wrong = "; ".join(tally.wrong[:MOST_SHOWN])
    return f"| {name} | {tally.right} of {tally.total} | {1e3 * middle:.0f} ms | {wrong} |"


def _evaluate(asked: argparse.Namespace) -> None:
    models = Models(asked.weights, asked.model)
    print("| numbers | read rightly | CPU, median | wrong |\n|---|---|---|---|")
    tallies: list[Tally] = []
    for kind in KINDS:
        tally = evaluate(models, asked.model, samples(asked.seed, asked.count, [kind], drawn(asked.split)))
        tallies.append(tally)
        print(report(kind, tally), flush=True)
    print(f"| **all drawn here** | {sum(t.right for t in tallies)} of {sum(t.total for t in tallies)} | | |")
    if asked.mnist:
        mnist = data.load(asked.mnist)
        hands = pasted(mnist.test if asked.split == "evaluation" else mnist.held)
        for kind in PASTED:
            tally = evaluate(models, asked.model, samples(asked.seed, asked.count, [kind], hands))
            print(report(f"{kind}, of MNIST's digits", tally), flush=True)


def _save(asked: argparse.Namespace) -> None:
    for number, sample in enumerate(samples(asked.seed, asked.count, KINDS, drawn(asked.split))):
        folder = asked.out / sample.kind
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number % asked.count:04d}_{sample.text}{sample.suffix}").write_bytes(sample.data)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--evaluate", action="store_true", help="read the pictures, and print how many are right")
    task.add_argument("--out", type=Path, help="write the pictures into this folder")
    parser.add_argument("--seed", type=int, default=PUBLISHED)
    parser.add_argument("--count", type=int, default=10, help="pictures of each kind")
    parser.add_argument("--split", choices=["train", "evaluation"], default="evaluation", help="of the strokes")
    parser.add_argument("--model", default="cnn_transformer")
    parser.add_argument("--weights", type=Path, default=SHIPPED, help="folder of weights.json")
    parser.add_argument("--mnist", type=Path, help="folder of MNIST's four files")
    asked = parser.parse_args()
    _evaluate(asked) if asked.evaluate else _save(asked)
    return 0


if __name__ == "__main__":
    sys.exit(main())

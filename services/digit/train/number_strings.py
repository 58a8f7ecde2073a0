"""Pictures of written numbers of one to ten digits, one set for each way in which people send them, and how many are read.

    python -m train.number_strings --evaluate
    python -m train.number_strings --out DIR

The first prints the table of the README; the second writes DIR/<kind>/<number>_<text>.png (or .jpg). The strokes are of the
split `evaluation`, that no network has seen. The seed that figures are published with is PUBLISHED; choices were made with
other seeds, on the split `train`.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from train.strokes import Colour, Split
from train.strokes.photographs import inked, jpeg, lit, png, rule, seen_askew, sheet, shot
from train.written_numbers import Style, write

PUBLISHED = 2026
LONGEST = 10

Rng = np.random.Generator
Maker = Callable[[Rng, str, Split], bytes]

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


def samples(seed: int, count: int, kinds: Iterable[str] | None = None, split: Split = "evaluation") -> Iterator[Sample]:
    """Yields `count` pictures of each kind, all lengths equally often; each depends on seed, kind and number alone."""
    for kind in kinds or KINDS:
        for number in range(count):
            rng = np.random.default_rng((seed, number, *kind.encode()))
            text = "".join(map(str, rng.integers(0, 10, number % LONGEST + 1)))
            yield Sample(kind, text, KINDS[kind](rng, text, split))


def _printed(cover: Image.Image) -> bytes:
    return png(ImageOps.invert(cover))


def plain(rng: Rng, text: str, split: Split) -> bytes:
    """Black on white, one hand."""
    return _printed(write(rng, text, split, COMMON))


def varied(rng: Rng, text: str, split: Split) -> bytes:
    """Spacing and size vary."""
    return _printed(write(rng, text, split, replace(COMMON, gap=(0.04, 0.9), vary=0.18)))


def drifting(rng: Rng, text: str, split: Split) -> bytes:
    """The baseline climbs, falls and jumps."""
    return _printed(write(rng, text, split, replace(COMMON, drift=0.1, climb=0.08)))


def slanted(rng: Rng, text: str, split: Split) -> bytes:
    """Leaning by up to 25° to either side."""
    return _printed(write(rng, text, split, replace(COMMON, slant_deg=(-25, 25))))


def touching(rng: Rng, text: str, split: Split) -> bytes:
    """Every other pair is joined and overlaps by a few pixels."""
    return _printed(write(rng, text, split, replace(COMMON, touching=0.5)))


def pens(rng: Rng, text: str, split: Split) -> bytes:
    """A felt pen, or a hairline."""
    pen = (0.15, 0.21) if rng.random() < 0.5 else (0.025, 0.04)
    return _printed(write(rng, text, split, replace(COMMON, pen=pen)))


def white_on_black(rng: Rng, text: str, split: Split) -> bytes:
    return png(write(rng, text, split, COMMON))


def transparent(rng: Rng, text: str, split: Split) -> bytes:
    """Ink alone, on nothing; light ink for some."""
    cover = write(rng, text, split, COMMON)
    level = int(rng.integers(0, 90)) if rng.random() < 0.6 else int(rng.integers(215, 256))
    picture = Image.new("RGBA", cover.size, (level, level, level, 0))
    picture.putalpha(cover)
    return png(picture)


def _sheet_with(rng: Rng, text: str, split: Split, ruling: float | None, *, squared: bool = False) -> Image.Image:
    """Writes on a sheet; lines are `ruling` digits' heights apart."""
    style = replace(COMMON, pen=(0.06, 0.12))
    cover = write(rng, text, split, style)
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


def ruled(rng: Rng, text: str, split: Split) -> bytes:
    """On lines, scanned or photographed."""
    return _scanned_or_shot(rng, _sheet_with(rng, text, split, rng.uniform(0.7, 1.6)))


def squared(rng: Rng, text: str, split: Split) -> bytes:
    """On squares, scanned or photographed."""
    return _scanned_or_shot(rng, _sheet_with(rng, text, split, rng.uniform(0.45, 1.2), squared=True))


def photographs(rng: Rng, text: str, split: Split) -> bytes:
    """A note photographed by hand: slope of light, shadow, perspective, at times the desk, blur, noise, JPEG."""
    note = _sheet_with(rng, text, split, None)
    desk = sheet(rng, note.size, (110, 85, 60), rng.uniform(2, 8)) if rng.random() < 0.3 else None
    seen = seen_askew(rng, note, rng.uniform(0, 0.05), desk)
    return jpeg(_camera(rng, seen, rng.uniform(0.1, 0.8)), int(rng.integers(40, 91)))


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
    )
}


def opened(sample: Sample) -> Image.Image:
    return Image.open(io.BytesIO(sample.data))

"""Pictures of digits that are not MNIST, drawn here: one set for each way in which people send them.

    python -m train.evaluation_sets --out /tmp/sets --count 200

writes DIR/<kind>/<number>_label_<digit>.png (or .jpg). The strokes are of the split `evaluation`: no network has seen
those templates. The seed that figures are published with is PUBLISHED; choices are made with DEVELOPMENT.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from train import evaluation_drawings, evaluation_photographs
from train.evaluation_drawings import Rng

DEVELOPMENT = 7
PUBLISHED = 4711

Maker = Callable[[Rng, int], bytes]


class Sample(NamedTuple):
    """One picture of an evaluation set."""

    kind: str
    label: int
    data: bytes  # PNG or JPEG

    @property
    def suffix(self) -> str:
        return ".jpg" if self.data[:2] == b"\xff\xd8" else ".png"


def samples(seed: int, count: int, kinds: Iterable[str] | None = None) -> Iterator[Sample]:
    """Yields `count` pictures of each kind, the ten digits in turn; each depends on seed, kind and number alone."""
    for kind in kinds or KINDS:
        for i in range(count):
            rng = _rng(seed, kind, i)
            yield Sample(kind, i % 10, KINDS[kind](rng, i % 10))


def _rng(seed: int, kind: str, number: int) -> Rng:
    return np.random.default_rng((seed, number, *kind.encode()))


KINDS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        evaluation_drawings.canvas_black_on_white,
        evaluation_drawings.canvas_white_on_black,
        evaluation_drawings.dark_theme,
        evaluation_drawings.colours,
        evaluation_drawings.transparent_dark_ink,
        evaluation_drawings.transparent_light_ink,
        evaluation_drawings.small_off_centre,
        evaluation_drawings.tight_crops,
        evaluation_drawings.thumbnails,
        evaluation_photographs.photographs,
        evaluation_photographs.ruled_paper,
        evaluation_photographs.squared_paper,
        evaluation_photographs.pencil,
        evaluation_photographs.blackboard,
        evaluation_photographs.hard_shadows,
        evaluation_drawings.exif_turned,
        evaluation_drawings.form_boxes,
        evaluation_drawings.neighbours,
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=PUBLISHED)
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="only this kind; may be repeated")
    asked = parser.parse_args()
    for number, sample in enumerate(samples(asked.seed, asked.count, asked.kind)):
        folder = asked.out / sample.kind
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{number % asked.count:04d}_label_{sample.label}{sample.suffix}"
        (folder / name).write_bytes(sample.data)


if __name__ == "__main__":
    main()

"""Letters, digits and signs of the fonts that are installed: the printed side of the training pictures.

Fonts are looked for in the system's font folder; none is shipped. Some families are held back for the evaluation.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FOLDER = Path("/usr/share/fonts")  # where Debian and most others have them
NOT_WRITING = ("D050000L", "Symbols", "Math", "Emoji", "Icon", "lignes", "Music", "Dingbats", "Fallback")
HANDWRITTEN = ("dkg", "femke", "Ecolier", "Comic", "Dancing", "Isabella", "Steve", "Delphine", "Kristi", "Rufscript")
CANVAS = 112  # pixels a side
HELD = ("DejaVu", "Roboto", "FreeSerif", "Delphine", "dkg")  # families that training never sees


class NoFontsError(Exception):
    """The font folder has no TrueType or OpenType font that can be drawn with."""


@cache
def found(*, held: bool) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Returns (all, handwriting-like) fonts of the training or of the held-back part; raises NoFontsError."""
    paths = sorted(path for path in FOLDER.rglob("*") if path.suffix.lower() in {".ttf", ".otf"})
    chosen = [
        path for path in paths if path.name.startswith(HELD) is held and not _named(path, NOT_WRITING) and _draws(path)
    ]
    if not chosen:
        message = f"no fonts under {FOLDER}: install some, such as fonts-dejavu and fonts-comic-neue"
        raise NoFontsError(message)
    written = tuple(path for path in chosen if _named(path, HANDWRITTEN))
    return tuple(chosen), written or tuple(chosen)


def drawn(text: str, rng: np.random.Generator, *, held: bool) -> NDArray[np.uint8]:
    """Returns `text` in one of the fonts, white on black (h, w); every second one is handwriting-like."""
    fonts = found(held=held)[int(rng.random() < 0.6)]
    font = _font(fonts[rng.integers(len(fonts))], int(rng.integers(40, 80)))
    canvas = Image.new("L", (CANVAS + 40 * len(text), CANVAS))
    ImageDraw.Draw(canvas).text((canvas.width // 2, CANVAS // 2), text, fill=255, font=font, anchor="mm")
    return np.asarray(canvas)


def _named(path: Path, words: tuple[str, ...]) -> bool:
    return any(word.lower() in path.name.lower() for word in words)


@cache
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


def _draws(path: Path) -> bool:
    """Tells whether the font has Latin letters and digits of its own, each unlike the box of a missing sign."""
    font = _font(path, 40)
    masks = [bytes(font.getmask(sign)) for sign in "Aa07\uffff"]
    return all(masks) and len(set(masks)) == len(masks)

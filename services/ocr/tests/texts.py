"""Pictures of text, drawn here."""

from collections.abc import Sequence

import numpy as np
from ocr.geometry import Picture
from PIL import Image, ImageDraw, ImageFont

SENTENCES = (
    "The quick brown fox jumps over the lazy dog",
    "Serial number LN-2048 batch 0091",
    "Pressure 4.5 bar at 21 degrees",
    "Do not open while running",
)


def drawn(
    lines: Sequence[str] = SENTENCES,
    size: int = 32,
    *,
    ink: str = "black",
    paper: str = "white",
    margin: int = 40,
) -> Image.Image:
    """Returns a picture (RGB) of lines of text, one below the other, in Pillow's own font."""
    font = ImageFont.load_default(size)
    boxes = [font.getbbox(line) for line in lines]
    step = round(size * 1.8)
    width = round(max(box[2] for box in boxes)) + 2 * margin
    image = Image.new("RGB", (width, step * (len(lines) - 1) + round(size * 1.3) + 2 * margin), paper)
    for row, line in enumerate(lines):
        ImageDraw.Draw(image).text((margin, margin + row * step), line, font=font, fill=ink)
    return image


def bgr(image: Image.Image) -> Picture:
    """Returns the picture as the pipeline takes it."""
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])

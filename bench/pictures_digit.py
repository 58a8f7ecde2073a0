"""Pictures for a measurement: digits in 28 × 28 PNG files, as small as MNIST's and each another one."""

import io
import zipfile

import numpy as np
from digit.commands import variations
from PIL import Image, ImageDraw, ImageFont

SIDE = 28


def made_pngs(number: int) -> list[bytes]:
    """Returns so many different PNG files, white on black, made from digits of a font."""
    random = np.random.default_rng(1)
    return [_png(label % 10, random) for label in range(number)]


def zipped(pngs: list[bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for number, png in enumerate(pngs):
            file.writestr(f"scans/{number}.png", png)
    return stream.getvalue()


def form(field: str, name: str, data: bytes) -> tuple[bytes, str]:
    """Returns the body of a form with one file, and its media type."""
    head = f'--bench\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n--bench--\r\n", "multipart/form-data; boundary=bench"


def _png(label: int, random: np.random.Generator) -> bytes:
    drawn = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(drawn).text((9, 2), str(label), fill=255, font=ImageFont.load_default(21))
    sketch = variations.sketch_of(np.asarray(drawn))
    for name in ("rotation", "blur"):
        sketch = variations.VARIATIONS[name](sketch, random)
    stream = io.BytesIO()
    variations.picture_of(sketch, random).resize((SIDE, SIDE)).save(stream, "PNG")
    return stream.getvalue()

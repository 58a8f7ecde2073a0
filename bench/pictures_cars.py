"""Pictures for a measurement of cars: photographs of a folder, enlarged to what cameras give, and many unlike ones."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

GRAIN = 9.0  # of 255: the noise of a sensor, without which an enlarged picture would be far too small a file
QUALITY = 88
SIZES = {"300 px, from the web": None, "1280 × 960": (1280, 960), "4000 × 3000, a phone's": (4000, 3000)}
LAST_STEPS = 2  # of a table of quantisation: the finest details of a block, which hardly any picture has


def folder_of(data: str) -> Path:
    """Returns the folder of wholeframe/, test/ and index.csv: the given one, or its cars/."""
    inner = Path(data, "cars")
    return inner if inner.is_dir() else Path(data)


def photographs(data: str) -> list[Path]:
    """Returns the half of the whole photographs that choices may be made on."""
    return sorted(folder_of(data).joinpath("wholeframe").rglob("*.jpg"))[::2]


def sizes(path: Path) -> dict[str, bytes]:
    """Returns a photograph as it is, and as larger cameras would give it."""
    return {name: path.read_bytes() if size is None else enlarged(path, size) for name, size in SIZES.items()}


def enlarged(path: Path, size: tuple[int, int]) -> bytes:
    """Returns the JPEG of a photograph in that many pixels, with grain."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BICUBIC), np.float32)
    noise = np.random.default_rng(1).normal(0, GRAIN, (size[1], size[0], 1))
    stream = io.BytesIO()
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def of_bytes(n_bytes: int) -> bytes:
    """Returns the JPEG of a drawn picture, of about so many bytes."""
    side, stream = 256, io.BytesIO()
    while stream.tell() < n_bytes:
        side += 32
        slope = np.linspace(40, 200, side, dtype=np.float32)[None, :, None]
        pixels = slope + np.random.default_rng(1).normal(0, GRAIN, (side, side, 3))
        stream = io.BytesIO()
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def unlike(jpeg: bytes, number: int) -> bytes:
    """Returns the JPEG with other content, one for each number, which costs as much to decode and to store."""
    last = jpeg.index(b"\xff\xdb") + 5 + 64
    steps = bytes(1 + number // 255**place % 255 for place in range(LAST_STEPS))
    return jpeg[: last - LAST_STEPS] + steps + jpeg[last:]

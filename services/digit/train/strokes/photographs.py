"""What a telephone sees of a sheet of paper: texture, ruling, perspective, a desk, uneven light, blur, noise, JPEG."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.float64]


def sheet(rng: np.random.Generator, size: tuple[int, int], shade: tuple[int, int, int], grain: float) -> Image.Image:
    """Returns paper (RGB) of a shade with fibres: noise of two scales, `grain` grey levels strong."""
    width, height = size
    coarse = Image.fromarray(rng.normal(0, 1, (height // 8 + 2, width // 8 + 2)).astype(np.float32))
    texture = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)) + rng.normal(0, 0.7, (height, width))
    return Image.fromarray(np.clip(np.array(shade) + grain * texture[..., None], 0, 255).astype(np.uint8))


def rule(
    rng: np.random.Generator, paper: Image.Image, pitch_px: float, colour: tuple[int, int, int], *, squared: bool
) -> None:
    """Draws ruled or squared lines onto paper."""
    pen = ImageDraw.Draw(paper)
    thick = max(1, round(pitch_px * rng.uniform(0.01, 0.035)))
    for y in np.arange(rng.uniform(0, pitch_px), paper.height, pitch_px):
        pen.line((0, y, paper.width, y), fill=colour, width=thick)
    if squared:
        for x in np.arange(rng.uniform(0, pitch_px), paper.width, pitch_px):
            pen.line((x, 0, x, paper.height), fill=colour, width=thick)


def inked(paper: Image.Image, cover: Image.Image, colour: tuple[int, int, int], density: float) -> Image.Image:
    """Puts ink of a density in 0..1 on the paper where `cover` (mode L) says."""
    thinned = cover.point(lambda value: round(value * density))
    return Image.composite(Image.new("RGB", paper.size, colour), paper, thinned)


def seen_askew(rng: np.random.Generator, paper: Image.Image, strength: float, desk: Image.Image | None) -> Image.Image:
    """Returns the paper as a camera at an angle sees it; with a desk, all four edges of the sheet are seen."""
    size = np.array(paper.size)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size
    outward = np.sign(corners - size / 2) * size
    shift = rng.uniform(-strength, strength, (4, 2)) * size
    if desk is None:
        return _turned(paper, corners + shift + outward * strength, corners, Image.Resampling.BICUBIC)
    seen_corners = corners - outward * rng.uniform(0.03, 0.1, (4, 2)) + shift * 0.5
    seen = _turned(paper, seen_corners, corners, Image.Resampling.BICUBIC)
    sheet_there = _turned(Image.new("L", paper.size, 255), seen_corners, corners, Image.Resampling.NEAREST)
    return Image.composite(seen, desk.resize(paper.size), sheet_there)


def _turned(picture: Image.Image, seen: Floats, flat: Floats, how: Image.Resampling) -> Image.Image:
    return picture.transform(picture.size, Image.Transform.PERSPECTIVE, _homography(seen, flat), how)


def _homography(seen: Floats, flat: Floats) -> list[float]:
    """Returns Pillow's eight coefficients that take points `seen` (4, 2) to points `flat` (4, 2)."""
    rows = []
    for (x, y), (u, v) in zip(seen, flat, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return [float(value) for value in np.linalg.solve(np.array(rows), flat.reshape(-1))]


def lit(rng: np.random.Generator, picture: Image.Image, *, strength: float) -> Image.Image:
    """Lights a picture unevenly: a slope, a vignette, and for half of them the edge of a shadow."""
    width, height = picture.size
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None] - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + strength * (np.cos(angle) * x + np.sin(angle) * y) - strength * rng.uniform(0, 1) * (x**2 + y**2)
    if rng.random() < 0.5:
        turn, place, soft = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3), rng.uniform(0.01, 0.12)
        across = np.cos(turn) * x + np.sin(turn) * y - place
        light *= 1 - rng.uniform(0.15, 0.5) * strength / (1 + np.exp(np.clip(-across / soft, -30, 30)))
    warmth = rng.normal(1, 0.03, 3)
    return _picture(np.asarray(picture) * (light * rng.uniform(0.7, 1.0))[..., None] * warmth)


def shot(rng: np.random.Generator, picture: Image.Image, *, blur_px: float, noise: float) -> Image.Image:
    """Adds the lens' blur and the sensor's noise (grey levels)."""
    soft = picture.filter(ImageFilter.GaussianBlur(blur_px))
    return _picture(np.asarray(soft) + rng.normal(0, noise, (*soft.size[::-1], 3)))


def _picture(values: Floats) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def jpeg(picture: Image.Image, quality: int, exif: Image.Exif | None = None) -> bytes:
    """Encodes as JPEG."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality, exif=exif or Image.Exif())
    return buffer.getvalue()


def png(picture: Image.Image) -> bytes:
    """Encodes as PNG, quickly."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()

"""Pages for the calibration of 8-bit networks, drawn here: text of many sizes on paper, labels, screens and noise."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]  # (h, w, 3)

LATIN = (
    "The invoice of October was paid in full; total 1,284.50 EUR, thank you. Order No. 77-1043/B shipped to Dock 4. "
    "Temperature 21.5 C at sensor 0x3F, serial LN-2048-AX. Do not open while running! Batch 0091 expires 2027-03."
)
CHINESE = "本产品经检验合格准予出厂生产日期请见包装注意高压危险设备编号温度压力流量操作人员签字中华人民共和国"
SIZES = ((736, 1024), (1024, 736), (960, 960), (736, 1312), (640, 640), (160, 480), (96, 320))
SKEW = 4.0  # degrees at most


def pages(fonts: Sequence[Path], n: int, seed: int) -> Iterator[Picture]:
    """Yields n pages; each font is asked only for letters that it has."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for _ in range(n):
        yield _page(chance, fonts, *chance.choice(SIZES))


def lines(fonts: Sequence[Path], n: int, seed: int) -> Iterator[Picture]:
    """Yields n single lines, tightly cut."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for _ in range(n):
        size = chance.randint(14, 60)
        font = ImageFont.truetype(str(chance.choice(fonts)), size)
        text = _text(chance, font, chance.randint(3, 40))
        paper, ink = _colours(chance)
        left, top, right, bottom = font.getbbox(text)
        image = Image.new("RGB", (round(right - left) + 8, round(bottom - top) + 8), paper)
        ImageDraw.Draw(image).text((4 - left, 4 - top), text, font=font, fill=ink)
        yield _worn(chance, image)


def _page(chance: random.Random, fonts: Sequence[Path], width: int, height: int) -> Picture:
    paper, ink = _colours(chance)
    image = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(image)
    y = chance.randint(4, 40)
    while y < height - 12:
        size = min(height // 2, round(10 * 2 ** chance.uniform(0, 2.8)))
        font = ImageFont.truetype(str(chance.choice(fonts)), size)
        x = chance.randint(4, max(5, width // 3))
        draw.text((x, y), _text(chance, font, chance.randint(2, 2 * width // size)), font=font, fill=ink)
        if chance.random() < 0.1:
            draw.rectangle((x, y, x + 8 * size, y + 2 * size), outline=ink, width=2)
        y += round(size * chance.uniform(1.2, 2.5))
    return _worn(chance, image.rotate(chance.uniform(-SKEW, SKEW), fillcolor=paper))


def _text(chance: random.Random, font: ImageFont.FreeTypeFont, n: int) -> str:
    if _has_chinese(font) and chance.random() < 0.7:
        return "".join(chance.choices(CHINESE, k=n))
    words = " ".join(chance.choices(LATIN.split(), k=n))
    return words[: max(2, n)]


def _has_chinese(font: ImageFont.FreeTypeFont) -> bool:
    """Tells whether two ideographs look different: a font without them draws the same box for both."""
    return bytes(font.getmask("本")) != bytes(font.getmask("国"))


def _colours(chance: random.Random) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns paper and ink: mostly dark on light, some light on dark, some coloured."""
    light = tuple(chance.randint(200, 255) for _ in range(3))
    dark = tuple(chance.randint(0, 110) for _ in range(3))
    return (light, dark) if chance.random() < 0.75 else (dark, light)


def _worn(chance: random.Random, image: Image.Image) -> Picture:
    """Adds uneven light and noise."""
    levels = np.asarray(image, np.float32)
    noise = np.random.default_rng(chance.getrandbits(32)).normal(0, chance.uniform(0, 14), levels.shape)
    light = np.linspace(chance.uniform(0.75, 1), chance.uniform(0.75, 1), levels.shape[1])[None, :, None]
    return np.clip(levels * light + noise, 0, 255).astype(np.uint8)

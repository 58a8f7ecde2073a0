"""Drawn digits as people send them: in any colours, transparent, small, cropped, turned, in the box of a form."""

import colorsys

import numpy as np
from PIL import Image, ImageDraw

from train.strokes import Colour, Strokes, cover, digit, draw, pressures
from train.strokes.photographs import inked, jpeg, png

LEAST_LUMA_APART = 90  # grey levels between ink and paper of a drawing with "some contrast"
ORIENTATION = 0x0112  # the EXIF tag
TURNS = {3: 180, 6: 90, 8: 270}  # EXIF orientation: degrees that the stored picture is turned anticlockwise

Rng = np.random.Generator


def written(rng: Rng, label: int) -> Strokes:
    """Returns strokes that no network has seen."""
    return digit(rng, label, "evaluation")


def placed(rng: Rng, size: tuple[int, int], least: float, most: float) -> tuple[float, float, float, float]:
    """Returns a box of a share of the shorter side, anywhere inside but for a margin."""
    side = min(size) * rng.uniform(least, most)
    free = np.array(size) - side
    x, y = free * rng.uniform(0.1, 0.9, 2)
    return x, y, side, side


def _pen(rng: Rng, side: float) -> float:
    """Returns a pen width in pixels: from a hairline to a felt pen a sixth as wide as the digit is high."""
    return float(max(1.0, side * np.exp(rng.uniform(np.log(0.006), np.log(0.16)))))


def _drawn(
    rng: Rng, label: int, ink: Colour, paper: Colour | None, sides: tuple[int, int] = (200, 1200)
) -> Image.Image:
    width = int(np.exp(rng.uniform(*np.log(sides))))
    size = width, max(sides[0], int(width * rng.choice([1.0, 1.0, 0.75, 1.33])))
    strokes = written(rng, label)
    box = placed(rng, size, 0.45, 0.85)
    return draw(
        strokes,
        size,
        width_px=_pen(rng, box[2]),
        box=box,
        ink=ink,
        paper=paper,
        antialias=bool(rng.random() < 0.7),
        pressure=pressures(rng, strokes, rng.uniform(0, 0.3)),
    )


def _luma(colour: Colour) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def colour(rng: Rng, value: tuple[float, float], saturation: tuple[float, float] = (0, 1)) -> Colour:
    """Returns a colour of any hue."""
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value))
    return round(red * 255), round(green * 255), round(blue * 255)


def canvas_black_on_white(rng: Rng, label: int) -> bytes:
    """A drawing program's export."""
    return png(_drawn(rng, label, (0, 0, 0), (255, 255, 255)))


def canvas_white_on_black(rng: Rng, label: int) -> bytes:
    """The same, inverted, as pages for MNIST draw."""
    return png(_drawn(rng, label, (255, 255, 255), (0, 0, 0)))


def dark_theme(rng: Rng, label: int) -> bytes:
    """Light ink on a dark page that is not black."""
    return png(_drawn(rng, label, colour(rng, (0.75, 1), (0, 0.5)), colour(rng, (0.05, 0.25), (0, 0.6))))


def colours(rng: Rng, label: int) -> bytes:
    """Any ink on any paper; one in four pairs differs in hue alone."""
    while True:
        ink, paper = colour(rng, (0, 1)), colour(rng, (0, 1))
        apart = abs(_luma(ink) - _luma(paper))
        far = float(np.linalg.norm(np.subtract(ink, paper)))
        if apart > LEAST_LUMA_APART:
            break
        if apart < 12 and far > 150:
            break
    return png(_drawn(rng, label, ink, paper))


def transparent_dark_ink(rng: Rng, label: int) -> bytes:
    """A canvas exported without its background."""
    return png(_drawn(rng, label, colour(rng, (0, 0.45)), None))


def transparent_light_ink(rng: Rng, label: int) -> bytes:
    """The same of a page with a dark theme."""
    return png(_drawn(rng, label, colour(rng, (0.85, 1), (0, 0.3)), None))


def small_off_centre(rng: Rng, label: int) -> bytes:
    """A digit of a twentieth to a fifth of a large picture, anywhere."""
    size = int(rng.integers(400, 2000)), int(rng.integers(400, 2000))
    strokes = written(rng, label)
    side = max(24.0, min(size) * rng.uniform(0.05, 0.2))
    x, y = (np.array(size) - side) * rng.uniform(0.01, 0.99, 2)
    pen = max(1.0, side * rng.uniform(0.03, 0.14))
    return png(draw(strokes, size, width_px=pen, box=(x, y, side, side)))


def tight_crops(rng: Rng, label: int) -> bytes:
    """A digit that touches all four borders of its picture."""
    strokes = written(rng, label)
    everything = np.concatenate(strokes)
    side = rng.uniform(40, 400)
    pen = max(1.5, side * rng.uniform(0.04, 0.16))
    low = everything.min(axis=0) * side - pen / 2
    size = np.maximum(np.ceil(np.ptp(everything, axis=0) * side + pen), 3).astype(int)
    box = (-low[0], -low[1], side, side)
    ink, paper = ((0, 0, 0), (255, 255, 255)) if rng.random() < 0.5 else ((255, 255, 255), (0, 0, 0))
    return png(draw(strokes, (int(size[0]), int(size[1])), width_px=pen, box=box, ink=ink, paper=paper))


def thumbnails(rng: Rng, label: int) -> bytes:
    """16 to 40 pixels."""
    side = int(rng.integers(16, 41))
    strokes = written(rng, label)
    pen = side * rng.uniform(0.06, 0.14)
    box = placed(rng, (side, side), 0.6, 0.95)
    picture = draw(strokes, (side, side), width_px=pen, box=box)
    return png(picture) if rng.random() < 0.7 else jpeg(picture, int(rng.integers(60, 95)))


def exif_turned(rng: Rng, label: int) -> bytes:
    """A telephone held sideways: the picture is stored turned, and EXIF says how."""
    orientation = int(rng.choice(list(TURNS)))
    upright = _drawn(rng, label, (20, 20, 40), (245, 244, 240), (200, 800))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return jpeg(upright.rotate(TURNS[orientation], expand=True), int(rng.integers(70, 95)), exif)


def form_boxes(rng: Rng, label: int) -> bytes:
    """A scanned form: the digit in a printed box, or between the walls of its neighbours' boxes."""
    side = int(rng.integers(60, 400))
    picture = Image.new("RGB", (side, side), (255, 255, 255))
    pen = ImageDraw.Draw(picture)
    inset, thick = side * rng.uniform(0.01, 0.1), max(1, round(side * rng.uniform(0.008, 0.03)))
    frame_colour = colour(rng, (0, 0.6))
    pen.rectangle((inset, inset, side - inset, side - inset), outline=frame_colour, width=thick)
    strokes = written(rng, label)
    room = side - 2 * inset - 2 * thick
    box_side = room * rng.uniform(0.55, 0.85)
    x, y = inset + thick + (room - box_side) * rng.uniform(0.2, 0.8, 2)
    mask = cover(
        strokes, picture.size, width_px=max(1.2, box_side * rng.uniform(0.04, 0.12)), box=(x, y, box_side, box_side)
    )
    return jpeg(inked(picture, mask, colour(rng, (0, 0.35)), 1.0), int(rng.integers(50, 95)))


def neighbours(rng: Rng, label: int) -> bytes:
    """Cut out of a row of digits, with remains of the neighbours at the borders."""
    side = int(rng.integers(40, 200))
    strokes = written(rng, label)
    pen = side * rng.uniform(0.05, 0.1)
    whole = cover(strokes, (side, side), width_px=pen, box=(side * 0.15, side * 0.12, side * 0.7, side * 0.74))
    picture = inked(Image.new("RGB", (side, side), (255, 255, 255)), whole, (10, 10, 30), 1.0)
    edge = side * (0.15 + 0.35 * (1 - np.ptp(np.concatenate(strokes)[:, 0])))
    reach = rng.uniform(0.05, 0.6) * max(edge - 1.6 * pen, 1)
    for x in (reach - side * 0.75 - pen / 2, side - reach + pen / 2):
        other = written(rng, int(rng.integers(10)))
        other = [points - [np.concatenate(other)[:, 0].min(), 0] for points in other]
        if x < 0:
            x = reach - pen / 2 - side * 0.75 * float(np.concatenate(other)[:, 0].max())
        mask = cover(other, picture.size, width_px=pen, box=(x, side * 0.12, side * 0.75, side * 0.75))
        picture = inked(picture, mask, (10, 10, 30), 1.0)
    return png(picture)

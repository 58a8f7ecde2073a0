"""From the pixels as a file has them to those that are handed out: few modes, reduced, upright."""

from PIL import Image

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_STRIP_PIXELS = 1 << 20


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Returns the picture turned as EXIF asks."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def on_canvas(image: Image.Image, size: tuple[int, int], place: tuple[int, int]) -> Image.Image:
    """Returns the picture at its place of a canvas that is transparent elsewhere; itself where it covers that."""
    if image.size == size:
        return image
    canvas = Image.new("RGBA", size)
    canvas.paste(image.convert("RGBA"), place)
    return canvas


def reduced(image: Image.Image, mode: str, factor: int) -> Image.Image:
    """Returns the picture in `mode` and `factor` times smaller, each pixel the mean of those that it replaces.

    A large one is worked off in strips: converted as a whole it would take its memory once more.
    """
    if image.width * image.height <= _STRIP_PIXELS or factor == 1:
        return _smaller(image, mode, factor)
    width, height = image.size
    small = Image.new(mode, (-(-width // factor), -(-height // factor)))
    rows = factor * max(1, _STRIP_PIXELS // (width * factor))
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        small.paste(_smaller(strip, mode, factor), (0, top // factor))
    return small


def _smaller(image: Image.Image, mode: str, factor: int) -> Image.Image:
    converted = image if image.mode == mode else image.convert(mode)
    return converted if factor == 1 else converted.reduce(factor)

"""Pictures that a client sent: recognised by content, measured before they are decoded, upright, in four modes.

Only what the pixels need reaches Pillow. Text, colour profiles, thumbnails and further frames are left out beforehand:
their decompression bombs, parsers and warnings do not exist here. Of Pillow's plugins two are imported.
"""

from collections.abc import Callable

from PIL import Image

from servicekit.images import jpeg, kinds, png
from servicekit.images.jpeg import JpegFile
from servicekit.images.limits import ImageError, Limits
from servicekit.images.pixels import upright
from servicekit.images.png import PngFile

__all__ = ["ImageError", "Limits", "decode", "size"]

_INSPECT: dict[str, Callable[[bytes, Limits], PngFile | JpegFile]] = {"PNG": png.inspect, "JPEG": jpeg.inspect}
_SIZE = {"PNG": png.size, "JPEG": jpeg.size}


def decode(data: bytes, limits: Limits, *, bound: int | None = None) -> Image.Image:
    """Returns the picture upright, in mode L, LA, RGB or RGBA; raises ImageError, which says what is wrong.

    With `bound`, a larger picture is reduced by a whole factor, each pixel the mean of those that it replaces: the
    longer side becomes at least `bound` and less than twice that.

    Memory: 4 bytes a pixel while it is decoded. Without `bound` as much again where the mode has to be converted (a
    palette, CMYK) or the picture to be turned.
    """
    kind = kinds.of(data)
    if kind.name not in limits.formats:
        raise ImageError(f"it is {kind.described}; this call takes {' or '.join(limits.formats)}")
    file = _INSPECT[kind.name](data, limits)
    factor = max(1, max(file.size) // bound) if bound else 1
    return upright(file.load(factor), file.orientation)


def size(data: bytes) -> tuple[int, int] | None:
    """Returns width and height as the header of a PNG or JPEG has them; None where it has none that can be read.

    Some microseconds, whatever comes: to decide where a picture is to be decoded. It checks no more than that.
    """
    read = _SIZE.get(kinds.of(data).name)
    return read(data) if read else None

"""Pictures that a client sent: recognised by content, measured before they are decoded, upright, in four modes.

Only what the pixels need reaches Pillow. Text, colour profiles, thumbnails and further frames are left out beforehand:
their decompression bombs, parsers and warnings do not exist here. Of Pillow's plugins PNG's and JPEG's are imported,
the others when a file of their kind is decoded for a call that takes it.
"""

from collections.abc import Callable
from typing import Protocol

from PIL import Image

from servicekit.images import bmp, gif, jpeg, kinds, png, tiff, webp
from servicekit.images.limits import ImageError, Limits, SizeError
from servicekit.images.pixels import upright

__all__ = ["ImageError", "Limits", "SizeError", "decode", "decoding_bytes", "frames", "size"]


class _File(Protocol):
    """A picture whose header and structure are sound, not yet decoded."""

    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def orientation(self) -> int: ...
    def load(self, factor: int) -> Image.Image: ...


_INSPECT: dict[str, Callable[[bytes, Limits], _File]] = {
    "PNG": png.inspect,
    "JPEG": jpeg.inspect,
    "WEBP": webp.inspect,
    "BMP": bmp.inspect,
    "GIF": gif.inspect,
}
_SIZE = {"PNG": png.size, "JPEG": jpeg.size, "WEBP": webp.size, "BMP": bmp.size, "GIF": gif.size}

# Measured. libwebp holds a canvas thrice beside the picture, libtiff a strip, which may be all of 16 bits.
_BYTES = {"PNG": 8, "JPEG": 8, "TIFF": 12, "WEBP": 24, "BMP": 8, "GIF": 9}


def decode(data: bytes, limits: Limits, *, bound: int | None = None, frame: int = 0) -> Image.Image:
    """Returns the picture upright, in mode L, LA, RGB or RGBA; raises ImageError, which says what is wrong.

    With `bound`, a larger picture is reduced by a whole factor, each pixel the mean of those that it replaces: the
    longer side becomes at least `bound` and less than twice that. `frame` is a page of a TIFF, counted from 0; of an
    animation the first picture is taken.

    Memory: 4 bytes a pixel while it is decoded. Without `bound` as much again where the mode has to be converted (a
    palette, CMYK) or the picture to be turned. A TIFF takes besides what its largest strip or tile has unpacked, at
    most 8 bytes a pixel, and a WebP 20: `decoding_bytes` tells the sum.
    """
    kind = _kind(data, limits)
    if kind == "TIFF":
        file: _File = tiff.inspect(data, limits, frame)
    elif frame:
        raise ImageError(f"it has no page {frame + 1}")
    else:
        file = _INSPECT[kind](data, limits)
    factor = max(1, max(file.size) // bound) if bound else 1
    return upright(file.load(factor), file.orientation)


def frames(data: bytes, limits: Limits) -> int:
    """Returns the number of pages, which is 1 but for a TIFF; raises ImageError. Nothing is decoded."""
    return tiff.frames(data, limits) if _kind(data, limits) == "TIFF" else 1


def size(data: bytes, frame: int = 0) -> tuple[int, int] | None:
    """Returns width and height as the header has them; None where there is none that can be read.

    Some microseconds, whatever comes: to decide where a picture is to be decoded. It checks no more than that.
    """
    name = kinds.of(data).name
    if name == "TIFF":
        return tiff.size(data, frame)
    read = _SIZE.get(name)
    return read(data) if read else None


def decoding_bytes(data: bytes, frame: int = 0) -> int:
    """Returns the memory that `decode` without `bound` takes at most, beside the file; 0 where the size is unknown."""
    width, height = size(data, frame) or (0, 0)
    return width * height * _BYTES.get(kinds.of(data).name, 0)


def _kind(data: bytes, limits: Limits) -> str:
    kind = kinds.of(data)
    if kind.name not in limits.formats:
        raise ImageError(f"it is {kind.described}; this call takes {_listed(limits.formats)}")
    return kind.name


def _listed(names: tuple[str, ...]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)

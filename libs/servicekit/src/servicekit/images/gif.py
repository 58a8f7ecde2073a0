"""GIF files: the first picture handed on, with its palette and its transparent colour, and none else.

After GIF89a (CompuServe, 1990). Sizes, places and lengths are checked; comments and further frames are left out.
"""

import io
import struct
from dataclasses import dataclass

from PIL import Image

from servicekit.images import exif
from servicekit.images.limits import DAMAGED, ImageError, Limits
from servicekit.images.pixels import on_canvas, reduced

MAX_BLOCKS = 300_000  # before the end of the first picture; 64 MiB in blocks of 255 bytes are 263,000
MAX_LZW_RATIO = 2731  # a code of 12 bits stands for at most 4,096 pixels
_SCREEN = struct.Struct("<6sHHB2x")
_PICTURE = struct.Struct("<HHHHB")
_EXTENSION, _IMAGE, _CONTROL = 0x21, 0x2C, 0xF9
_HAS_PALETTE, _COLOURS = 0x80, 0x07
_VERSIONS = (b"GIF87a", b"GIF89a")


@dataclass(frozen=True, eq=False)
class GifFile:
    """A GIF of one picture whose blocks are whole."""

    data: bytes
    size: tuple[int, int]  # of the screen
    place: tuple[int, int]  # of the picture upon it
    orientation: int = exif.UPRIGHT

    def load(self, factor: int) -> Image.Image:
        """Decodes the pixels; raises ImageError."""
        from PIL import GifImagePlugin

        try:
            image = GifImagePlugin.GifImageFile(io.BytesIO(self.data))
            image.load()
        except DAMAGED as error:
            raise ImageError(f"the GIF image is damaged: {error}") from None
        shown = on_canvas(image, self.size, self.place)
        return reduced(shown, _mode(shown), factor)


def _mode(image: Image.Image) -> str:
    if image.mode == "RGBA":
        return "RGBA"
    transparent = "transparency" in image.info
    return {"L": "LA" if transparent else "L", "P": "RGBA" if transparent else "RGB"}[image.mode]


def size(data: bytes) -> tuple[int, int] | None:
    """Returns width and height of the screen, None where there is no header that can be read."""
    if len(data) < _SCREEN.size:
        return None
    _, width, height, _ = _SCREEN.unpack_from(data)
    return width, height


def inspect(data: bytes, limits: Limits) -> GifFile:
    """Checks everything up to the end of the first picture; raises ImageError before anything is decoded."""
    if len(data) < _SCREEN.size:
        raise ImageError(f"the GIF image is truncated: it has {len(data)} bytes and ends in its header")
    version, width, height, flags = _SCREEN.unpack_from(data)
    if version not in _VERSIONS:
        raise ImageError(f"the GIF image is of an unknown version: {version.hex()}")
    limits.check(width, height)
    start = _SCREEN.size + _palette_bytes(flags)
    common = data[_SCREEN.size : start]
    at, control = _to_picture(data, start)
    left, top, across, down, own_flags = _PICTURE.unpack_from(data, at)
    if not across or not down or left + across > width or top + down > height:
        shown = f"{across} × {down} pixels at {left}, {top}"
        raise ImageError(f"the GIF image is damaged: its picture, {shown}, lies outside of its {width} × {height}")
    begin = at + _PICTURE.size
    own = begin + _palette_bytes(own_flags)
    end, packed = _blocks(data, own + 1)
    if across * down > MAX_LZW_RATIO * packed or not 1 <= data[own] <= 8:
        raise ImageError(f"the GIF image is damaged: {packed} bytes cannot hold its {across} × {down} pixels")
    screen = _SCREEN.pack(b"GIF89a", across, down, flags)
    picture = b"," + _PICTURE.pack(0, 0, across, down, own_flags)
    kept = b"".join((screen, common, control, picture, memoryview(data)[begin:end], b";"))
    return GifFile(kept, (width, height), (left, top))


def _palette_bytes(flags: int) -> int:
    return 3 << 1 + (flags & _COLOURS) if flags & _HAS_PALETTE else 0


def _to_picture(data: bytes, start: int) -> tuple[int, bytes]:
    """Returns where the first picture's place is told, and the extension that says what is transparent, if any."""
    control = b""
    for _ in range(MAX_BLOCKS):
        if start + _PICTURE.size + 2 > len(data):
            break
        if data[start] == _IMAGE:
            return start + 1, control
        if data[start] != _EXTENSION:
            raise ImageError("the GIF image is damaged: it has no picture")
        end, length = _blocks(data, start + 2)
        if data[start + 1] == _CONTROL and length == 4:
            control = data[start:end]
        start = end
    raise ImageError("the GIF image is truncated: it ends before its picture")


def _blocks(data: bytes, start: int) -> tuple[int, int]:
    """Returns where a row of blocks ends, and how many bytes they hold; raises ImageError."""
    held = 0
    for _ in range(MAX_BLOCKS):
        if start >= len(data):
            break
        length = data[start]
        start += 1 + length
        if not length:
            return start, held
        held += length
    else:
        raise ImageError(f"the GIF image has more than {MAX_BLOCKS} blocks")
    raise ImageError(f"the GIF image is truncated: {start - len(data) + 1} bytes or more are missing at its end")

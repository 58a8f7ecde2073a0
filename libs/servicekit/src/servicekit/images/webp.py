"""WebP files: the chunks of the first picture handed on, and none else.

After the WebP container specification and RFC 9649. An animation's first frame is decoded as a picture of its own.
"""

import io
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image

from servicekit.images import exif
from servicekit.images.limits import DAMAGED, ImageError, Limits
from servicekit.images.pixels import on_canvas, reduced

MAX_CHUNKS = 10_000  # an animation has one for each frame
_HEADER_BYTES = 12  # RIFF, size, WEBP
_EXTENDED = struct.Struct("<B3x3s3s")  # flags, width - 1, height - 1
_FRAME = struct.Struct("<3s3s3s3s4x")  # x / 2, y / 2, width - 1, height - 1
_ALPHA, _ANIMATED = 0x10, 0x02
_BITSTREAMS = (b"VP8 ", b"VP8L")
_LOSSY_MARK, _LOSSLESS_MARK = b"\x9d\x01\x2a", 0x2F

Chunks = dict[bytes, tuple[int, int]]  # the first of each name: start and end of its content
Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class WebpFile:
    """A WebP of one picture whose chunks are whole."""

    data: bytes
    size: Size  # of the canvas
    place: Size  # of the picture upon it
    orientation: int

    def load(self, factor: int) -> Image.Image:
        """Decodes the pixels; raises ImageError."""
        from PIL import WebPImagePlugin

        try:
            image = WebPImagePlugin.WebPImageFile(io.BytesIO(self.data))
            image.load()
        except DAMAGED as error:
            raise ImageError(f"the WebP image is damaged: {error}") from None
        shown = on_canvas(image, self.size, self.place)
        return reduced(shown, shown.mode, factor)


def size(data: bytes) -> Size | None:
    """Returns width and height by the header, None where there is none that can be read."""
    name, content = data[_HEADER_BYTES : _HEADER_BYTES + 4], (_HEADER_BYTES + 8, len(data))
    with suppress(ImageError):
        return _canvas(data, content) if name == b"VP8X" else _bitstream_size(data, name, content)
    return None


def inspect(data: bytes, limits: Limits) -> WebpFile:
    """Checks the chunks up to the first picture; raises ImageError before anything is decoded."""
    found = _contents(data, _HEADER_BYTES, _end(data))
    if next(iter(found), b"") in _BITSTREAMS:
        picture, kept = _picture(data, found, limits)
        return WebpFile(kept, picture, (0, 0), exif.UPRIGHT)
    if next(iter(found), b"") != b"VP8X":
        raise ImageError("the WebP image is damaged: it begins with none of its three headers")
    canvas = told = _canvas(data, found[b"VP8X"])
    limits.check(*canvas)
    turned = exif.orientation(_content(data, found, b"EXIF").removeprefix(b"Exif\0\0"))
    place = (0, 0)
    if data[found[b"VP8X"][0]] & _ANIMATED:
        place, told, found = _first_frame(data, found)
    picture, kept = _picture(data, found, limits)
    if picture != told or any(at + side > whole for at, side, whole in zip(place, picture, canvas, strict=True)):
        shown = (
            f"a picture of {_shown(picture)} pixels for {_shown(told)} at {place[0]}, {place[1]} of {_shown(canvas)}"
        )
        raise ImageError(f"the WebP image is damaged: it has {shown}")
    return WebpFile(kept, canvas, place, turned)


def _end(data: bytes) -> int:
    """Returns where the file says that it ends; raises ImageError where it is shorter."""
    if len(data) < _HEADER_BYTES + 8:
        raise ImageError(f"the WebP image is truncated: it has {len(data)} bytes and ends in its header")
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise ImageError(f"the WebP image is truncated: {end - len(data)} bytes are missing at its end")
    return end


def _contents(data: bytes, start: int, end: int) -> Chunks:
    """Returns the first chunk of each name; raises ImageError."""
    found: Chunks = {}
    for name, first, last in _chunks(data, start, end):
        found.setdefault(name, (first, last))
    return found


def _chunks(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yields name, start and end of each chunk's content."""
    for _ in range(MAX_CHUNKS):
        if start + 8 > end:
            return  # a byte of padding, or nothing
        first = start + 8
        last = first + int.from_bytes(data[start + 4 : first], "little")
        if last > end:
            raise ImageError(f"the WebP image is truncated: {last - end} bytes of a chunk are missing at its end")
        yield data[start : start + 4], first, last
        start = last + last % 2
    raise ImageError(f"the WebP image has more than {MAX_CHUNKS} chunks")


def _content(data: bytes, found: Chunks, name: bytes) -> bytes:
    return data[slice(*found[name])] if name in found else b""


def _canvas(data: bytes, header: tuple[int, int]) -> Size:
    start, end = header
    if end - start < _EXTENDED.size:
        raise ImageError("the WebP image is damaged in its header")
    _, width, height = _EXTENDED.unpack_from(data, start)
    return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1


def _first_frame(data: bytes, found: Chunks) -> tuple[Size, Size, Chunks]:
    """Returns place and size of an animation's first frame, and its chunks."""
    start, end = found.get(b"ANMF", (0, 0))
    if end - start < _FRAME.size:
        raise ImageError("the WebP image is damaged: it is an animation without frames")
    across, down, width, height = (int.from_bytes(part, "little") for part in _FRAME.unpack_from(data, start))
    return (2 * across, 2 * down), (width + 1, height + 1), _contents(data, start + _FRAME.size, end)


def _picture(data: bytes, found: Chunks, limits: Limits) -> tuple[Size, bytes]:
    """Returns the size of the picture that the chunks tell, and a file of it alone."""
    name = next((name for name in _BITSTREAMS if name in found), None)
    if name is None:
        raise ImageError("the WebP image is damaged: it has no pixels")
    picture = _bitstream_size(data, name, found[name])
    if picture is None:
        raise ImageError("the WebP image is damaged in the header of its pixels")
    limits.check(*picture)
    kept = [_chunk(name, data[slice(*found[name])])]
    if name == b"VP8 " and b"ALPH" in found:
        sides = (side.to_bytes(3, "little") for side in (picture[0] - 1, picture[1] - 1))
        header = _chunk(b"VP8X", _EXTENDED.pack(_ALPHA, *sides))
        kept = [header, _chunk(b"ALPH", _content(data, found, b"ALPH")), *kept]
    body = b"WEBP" + b"".join(kept)
    return picture, b"RIFF" + struct.pack("<I", len(body)) + body


def _bitstream_size(data: bytes, name: bytes, content: tuple[int, int]) -> Size | None:
    """Returns width and height as the compressed pixels themselves begin."""
    start, end = content
    head = data[start : min(end, start + 10)]
    if name == b"VP8 " and len(head) == 10 and head[3:6] == _LOSSY_MARK:
        width, height = struct.unpack_from("<HH", head, 6)
        return width & 0x3FFF, height & 0x3FFF
    if name == b"VP8L" and len(head) >= 5 and head[0] == _LOSSLESS_MARK:
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _shown(size: Size) -> str:
    return f"{size[0]} × {size[1]}"

"""PNG files: checked chunk by chunk, and only the chunks that the first picture needs handed on.

After the PNG specification, third edition (W3C, 2025).
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, PngImagePlugin

from servicekit.images import exif
from servicekit.images.limits import DAMAGED, ImageError, Limits
from servicekit.images.pixels import reduced

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 20_000  # a picture of 64 MiB in chunks of 8 KiB, as libpng writes them, has 8,192
MAX_DEFLATE_RATIO = 1032
PALETTE_BYTES = 768

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
_DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGB_ALPHA: (8, 16)}
_SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
_NEEDED = (b"PLTE", b"IDAT", b"IEND")
_BEFORE_PIXELS = (b"PLTE", b"tRNS")

_HEADER = struct.Struct(">IIBBBBB")
_HEADER_END = len(SIGNATURE) + 8 + _HEADER.size + 4
_CHUNK = struct.Struct(">I4s")
_CRC = struct.Struct(">I")


@dataclass(frozen=True, eq=False)
class PngFile:
    """A PNG whose chunks are sound."""

    data: bytes
    size: tuple[int, int]
    depth: int
    colour: int
    transparent: bytes | None  # the chunk tRNS: alpha of the palette, or one colour
    orientation: int

    def load(self, factor: int) -> Image.Image:
        """Decodes the pixels; raises ImageError."""
        try:
            image = PngImagePlugin.PngImageFile(io.BytesIO(self.data))
            if self.depth == 16 and self.colour == GREY:
                _take_high_bytes(image)
            image.load()
        except DAMAGED as error:
            raise ImageError(f"the PNG image is damaged: {error}") from None
        return reduced(image, self._prepare(image), factor)

    def _prepare(self, image: Image.Image) -> str:
        """Tells Pillow what is transparent; returns the mode to convert to."""
        mode = {"1": "L", "P": "RGB"}.get(image.mode, image.mode)
        if self.transparent is None:
            return mode
        if self.colour == PALETTE:
            image.info["transparency"] = self.transparent
        elif self.colour == RGB:
            image.info["transparency"] = tuple(self._sample(index) for index in range(3))
        else:
            image.info["transparency"] = self._sample(0)
        return {"L": "LA", "RGB": "RGBA"}[mode]

    def _sample(self, index: int) -> int:
        """Returns a sample of the transparent colour as its pixels are, from 0 to 255."""
        assert self.transparent is not None
        value = int.from_bytes(self.transparent[2 * index : 2 * index + 2])
        largest = (1 << self.depth) - 1
        return value >> 8 if self.depth == 16 else (value & largest) * 255 // largest


def _take_high_bytes(image: PngImagePlugin.PngImageFile) -> None:
    """Has grey of 16 bits decoded to 8: half the memory, and Pillow's own conversion clips instead of scaling."""
    image._mode = "L"
    image.tile = [image.tile[0]._replace(args="L;16B")]


def inspect(data: bytes, limits: Limits) -> PngFile:
    """Checks header and chunks; raises ImageError before anything is decoded."""
    size, depth, colour = _header(data)
    limits.check(*size)
    view = memoryview(data)
    kept = [view[:_HEADER_END]]
    contents: dict[bytes, bytes] = {}
    packed = 0
    for name, start, end in _chunks(data):
        if name == b"IDAT":
            packed += end - start - 12
        elif name == b"IHDR":
            raise ImageError("the PNG image is damaged: it has two headers")
        elif name == b"eXIf" or (name in _BEFORE_PIXELS and not packed):
            _take(contents, name, data[start + 8 : end - 4])
        if name in _NEEDED:
            kept.append(view[start:end])
    _check_pixels(packed, size, depth * _SAMPLES[colour])
    if colour == PALETTE and b"PLTE" not in contents:
        raise ImageError("the PNG image is damaged: there is no palette before its pixels")
    transparent = _transparent(contents.get(b"tRNS", b""), colour)
    return PngFile(b"".join(kept), size, depth, colour, transparent, exif.orientation(contents.get(b"eXIf", b"")))


def size(data: bytes) -> tuple[int, int] | None:
    """Returns width and height by the header, None where there is none."""
    return (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) if data[12:16] == b"IHDR" else None


def _header(data: bytes) -> tuple[tuple[int, int], int, int]:
    """Returns size, bits of a sample and colour type."""
    if not data.startswith(SIGNATURE):
        raise ImageError("the PNG image is damaged in its first 8 bytes, as by a transfer that takes it for text")
    if len(data) < _HEADER_END:
        raise ImageError(f"the PNG image is truncated: it has {len(data)} bytes and ends in its header")
    if data[8:16] != b"\0\0\0\x0dIHDR" or zlib.crc32(data[12:29]) != _CRC.unpack_from(data, 29)[0]:
        raise ImageError("the PNG image is damaged in its header")
    width, height, depth, colour, compression, filtering, interlace = _HEADER.unpack_from(data, 16)
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise ImageError(f"the PNG image has a header that PNG does not know: {data[16:29].hex()}")
    return (width, height), depth, colour


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yields name, start and end of each sound chunk after the header; raises ImageError where a needed one is not."""
    view = memoryview(data)
    end = _HEADER_END
    for _ in range(MAX_CHUNKS):
        start = end
        if start + 12 > len(data):
            raise ImageError(f"the PNG image is truncated: it ends after {len(data)} bytes, between its chunks")
        length, name = _CHUNK.unpack_from(data, start)
        end = start + 12 + length
        if end > len(data):
            raise ImageError(f"the PNG image is truncated: {end - len(data)} bytes of a chunk are missing at its end")
        if zlib.crc32(view[start + 4 : end - 4]) == _CRC.unpack_from(data, end - 4)[0]:
            yield name, start, end
        elif name in _NEEDED:
            raise ImageError(f"the PNG image is damaged: the checksum of its chunk {name.decode()} is wrong")
        if name == b"IEND":
            return
    raise ImageError(f"the PNG image has more than {MAX_CHUNKS} chunks")


def _take(contents: dict[bytes, bytes], name: bytes, content: bytes) -> None:
    if name == b"PLTE" and (name in contents or not content or len(content) > PALETTE_BYTES or len(content) % 3):
        raise ImageError(f"the PNG image is damaged: its palette has {len(content)} bytes or is not the only one")
    contents.setdefault(name, content)


def _check_pixels(packed: int, size: tuple[int, int], pixel_bits: int) -> None:
    """Refuses at once what cannot be a whole picture, however well it is compressed; Pillow would fill it up."""
    needed = size[0] * size[1] * pixel_bits // 8
    if needed > MAX_DEFLATE_RATIO * packed:
        raise ImageError(f"the PNG image is damaged: {packed} bytes cannot hold its {size[0]} × {size[1]} pixels")


def _transparent(chunk: bytes, colour: int) -> bytes | None:
    """Returns what the chunk tRNS says, None where it is absent or too short."""
    shortest = {GREY: 2, RGB: 6, PALETTE: 1}.get(colour, 0)
    return chunk[:256] if shortest and len(chunk) >= shortest else None

"""BMP files: their headers read here, their rows decoded by Pillow without a plugin.

After Microsoft's documentation of BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER; OS/2's second
header begins like the second of them. Run-length encoding is refused: few write it, and Pillow decodes it in Python.
"""

import struct
from dataclasses import dataclass

from PIL import Image

from servicekit.images import exif
from servicekit.images.limits import DAMAGED, ImageError, Limits
from servicekit.images.pixels import reduced

_FILE = struct.Struct("<2s8xI")  # BM, where the pixels begin
_CORE = struct.Struct("<HHHH")  # width, height, planes, bits
_INFO = struct.Struct("<iiHHI12xI")  # width, height, planes, bits, compression, colours
_MASKS = struct.Struct("<3I")
_CORE_BYTES, _INFO_BYTES = 12, (40, 52, 56, 64, 108, 124)
_WITH_ALPHA = (56, 108, 124)  # headers that have a fourth mask
_HEADERS_AT = _FILE.size

_PLAIN, _WITH_ALPHA_MASK = 0, 6
_BITFIELDS = (3, _WITH_ALPHA_MASK)
_NAMES = {1: "RLE8", 2: "RLE4", 4: "JPEG", 5: "PNG"}
_INDEXED = {1: "P;1", 4: "P;4", 8: "P"}
_DIRECT = {16: ("RGB", "BGR;15"), 24: ("RGB", "BGR"), 32: ("RGB", "BGRX")}
_MASKED = {  # red, green, blue, alpha
    (16, 0x7C00, 0x3E0, 0x1F, 0): ("RGB", "BGR;15"),
    (16, 0xF800, 0x7E0, 0x1F, 0): ("RGB", "BGR;16"),
    (32, 0xFF0000, 0xFF00, 0xFF, 0): ("RGB", "BGRX"),
    (32, 0xFF, 0xFF00, 0xFF0000, 0): ("RGB", "RGBX"),
    (32, 0xFF000000, 0xFF0000, 0xFF00, 0): ("RGB", "XBGR"),
    (32, 0xFF0000, 0xFF00, 0xFF, 0xFF000000): ("RGBA", "BGRA"),
    (32, 0xFF, 0xFF00, 0xFF0000, 0xFF000000): ("RGBA", "RGBA"),
    (32, 0xFF000000, 0xFF0000, 0xFF00, 0xFF): ("RGBA", "ABGR"),
}


@dataclass(frozen=True, eq=False)
class BmpFile:
    """A BMP whose headers are sound and whose rows are all there."""

    rows: memoryview
    size: tuple[int, int]
    mode: str
    layout: str  # as Pillow's raw decoder calls it
    row_bytes: int
    top_down: bool
    palette: bytes
    palette_layout: str
    orientation: int = exif.UPRIGHT

    def load(self, factor: int) -> Image.Image:
        """Decodes the pixels; raises ImageError."""
        direction = 1 if self.top_down else -1
        try:
            image = Image.frombytes(self.mode, self.size, self.rows, "raw", self.layout, self.row_bytes, direction)
            if self.mode == "P":
                image.putpalette(self.palette, self.palette_layout)
        except DAMAGED as error:
            raise ImageError(f"the BMP image is damaged: {error}") from None
        return reduced(image, "RGB" if self.mode == "P" else self.mode, factor)


@dataclass(frozen=True)
class _Header:
    n_bytes: int
    width: int
    height: int
    bits: int
    compression: int
    colours: int

    @property
    def colour_bytes(self) -> int:
        return 3 if self.n_bytes == _CORE_BYTES else 4


def size(data: bytes) -> tuple[int, int] | None:
    """Returns width and height by the header, None where there is none that can be read."""
    try:
        header = _header(data)
    except ImageError:
        return None
    return header.width, abs(header.height)


def inspect(data: bytes, limits: Limits) -> BmpFile:
    """Checks the headers; raises ImageError before anything is decoded."""
    header = _header(data)
    limits.check(header.width, abs(header.height))
    mode, layout = _layout(data, header)
    row_bytes = (header.width * header.bits + 31) // 32 * 4
    (start,) = struct.unpack_from("<I", data, 10)
    end = start + row_bytes * abs(header.height)
    if start < _HEADERS_AT + header.n_bytes:
        raise ImageError(f"the BMP image is damaged: its pixels begin at byte {start}, within its headers")
    if end > len(data):
        raise ImageError(f"the BMP image is truncated: {end - len(data)} bytes of its pixels are missing at its end")
    return BmpFile(
        memoryview(data)[start:end],
        (header.width, abs(header.height)),
        mode,
        layout,
        row_bytes,
        header.height < 0,
        _palette(data, header, start) if mode == "P" else b"",
        "BGR" if header.colour_bytes == 3 else "BGRX",
    )


def _header(data: bytes) -> _Header:
    """Reads the header of the picture; raises ImageError."""
    n_bytes = int.from_bytes(data[_HEADERS_AT : _HEADERS_AT + 4], "little")
    if len(data) < _HEADERS_AT + max(n_bytes, _CORE_BYTES) and n_bytes in (_CORE_BYTES, *_INFO_BYTES, 0):
        raise ImageError(f"the BMP image is truncated: it has {len(data)} bytes and ends in its header")
    if n_bytes == _CORE_BYTES:
        width, height, _, bits = _CORE.unpack_from(data, _HEADERS_AT + 4)
        return _Header(n_bytes, width, height, bits, _PLAIN, 0)
    if n_bytes not in _INFO_BYTES:
        raise ImageError(f"the BMP image has a header that BMP does not know: {n_bytes} bytes")
    width, height, _, bits, compression, colours = _INFO.unpack_from(data, _HEADERS_AT + 4)
    if width < 0 or height == -(1 << 31):
        raise ImageError(f"the BMP image is damaged: its header tells {width} × {height} pixels")
    return _Header(n_bytes, width, height, bits, compression, colours)


def _layout(data: bytes, header: _Header) -> tuple[str, str]:
    """Returns Pillow's mode and raw mode; raises ImageError for what is not read."""
    if header.compression in _BITFIELDS and header.bits in (16, 32):
        masks = _masks(data, header)
        if found := _MASKED.get((header.bits, *masks)):
            return found
        raise ImageError(f"the BMP image has bits in an order that is not read: {', '.join(map(hex, masks))}")
    if header.compression != _PLAIN:
        name = _NAMES.get(header.compression, header.compression)
        raise ImageError(f"the BMP image is compressed ({name}), which is not read: save it without compression")
    if header.bits in _INDEXED:
        return "P", _INDEXED[header.bits]
    if header.bits not in _DIRECT:
        raise ImageError(f"the BMP image has {header.bits} bits a pixel; 1, 4, 8, 16, 24 and 32 are read")
    return _DIRECT[header.bits]


def _masks(data: bytes, header: _Header) -> tuple[int, int, int, int]:
    """Returns the bits of red, green, blue and alpha."""
    at = _HEADERS_AT + 40  # after the header, or at the same place within a longer one
    if len(data) < at + 16:
        raise ImageError(f"the BMP image is truncated: it has {len(data)} bytes and ends in its header")
    has_alpha = header.n_bytes in _WITH_ALPHA or header.compression == _WITH_ALPHA_MASK
    alpha = int.from_bytes(data[at + 12 : at + 16], "little") if has_alpha else 0
    red, green, blue = _MASKS.unpack_from(data, at)
    return red, green, blue, alpha


def _palette(data: bytes, header: _Header, end: int) -> bytes:
    """Returns the colours between header and pixels, of which a file may have fewer than its bits allow."""
    most = 1 << header.bits
    count = min(header.colours or most, most)
    start = _HEADERS_AT + header.n_bytes
    palette = data[start : min(start + count * header.colour_bytes, end)]
    if not palette:
        raise ImageError("the BMP image is damaged: it has no palette")
    return palette[: len(palette) // header.colour_bytes * header.colour_bytes]

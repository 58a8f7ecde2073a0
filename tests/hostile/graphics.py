"""WebP, BMP and GIF files, byte by byte where no library would write them."""

import struct
from collections.abc import Sequence

from PIL import Image

from hostile.pictures import _saved, seven, tiff, turned
from hostile.scans import strips

# --- WebP -------------------------------------------------------------------------------------------------------------


def riff(*chunks: tuple[bytes, bytes], size: int | None = None) -> bytes:
    """Returns a WebP of chunks; its size as it is, or another."""
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2) for name, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def bitstream(picture: Image.Image, *, lossless: bool = True) -> tuple[bytes, bytes]:
    """Returns name and content of the chunk that holds the pixels."""
    data = _saved(picture.convert("RGB"), "WEBP", lossless=lossless, quality=95)
    length = int.from_bytes(data[16:20], "little")
    return data[12:16], data[20 : 20 + length]


def extended(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    """Returns the header of a WebP with more than pixels."""
    return b"VP8X", bytes((flags, 0, 0, 0)) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def webp_frame(picture: Image.Image, x: int = 0, y: int = 0) -> tuple[bytes, bytes]:
    """Returns a frame of an animation."""
    numbers = (x // 2, y // 2, picture.width - 1, picture.height - 1, 100)
    name, content = bitstream(picture)
    head = b"".join(number.to_bytes(3, "little") for number in numbers) + b"\0"
    return b"ANMF", head + name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def webp_animation(*frames: tuple[bytes, bytes], size: tuple[int, int] = (64, 64)) -> bytes:
    return riff(extended(*size, 0x02), (b"ANIM", bytes(6)), *frames)


def turned_webp(orientation: int, prefix: bytes = b"") -> bytes:
    picture = turned(seven(), orientation)
    return riff(extended(*picture.size, 0x08), bitstream(picture), (b"EXIF", prefix + tiff(orientation)))


def claimed_webp(width: int, height: int) -> bytes:
    """Returns a small lossless WebP whose pixels begin with another size."""
    name, content = bitstream(seven())
    bits = int.from_bytes(content[1:5], "little") & ~0xFFFFFFF | (width - 1) | (height - 1) << 14
    return riff((name, content[:1] + bits.to_bytes(4, "little") + content[5:]))


# --- BMP --------------------------------------------------------------------------------------------------------------


def bmp(
    rows: Sequence[bytes],
    width: int,
    bits: int,
    *,
    height: int | None = None,
    header: int = 40,
    compression: int = 0,
    masks: Sequence[int] = (),
    palette: bytes = b"",
    colours: int = 0,
    start: int | None = None,
) -> bytes:
    """Returns a BMP of rows, as they are to stand in the file, the lowest first unless `height` is negative."""
    pixels = b"".join(row + b"\0" * (-len(row) % 4) for row in rows)
    height = len(rows) if height is None else height
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        head = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(pixels), 0, 0, colours, 0)
        head = (head + struct.pack(f"<{len(masks)}I", *masks)).ljust(header, b"\0")
    at = 14 + len(head) + len(palette) if start is None else start
    return struct.pack("<2sIII", b"BM", 14 + len(head) + len(palette) + len(pixels), 0, at) + head + palette + pixels


def rows_up(picture: Image.Image) -> list[bytes]:
    """Returns the rows of a picture, the lowest first."""
    return strips(picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM), 1)


def bmp_masked(bits: int, masks: Sequence[int], *, header: int = 40, compression: int = 3) -> bytes:
    """Returns the seven with its colours where the masks say."""
    rows = []
    for row in rows_up(seven()):
        numbers = [sum(_scaled(level, mask) for mask in masks[:3]) | (masks[3] if masks[3:] else 0) for level in row]
        rows.append(struct.pack(f"<{len(numbers)}{'H' if bits == 16 else 'I'}", *numbers))
    return bmp(rows, 64, bits, header=header, compression=compression, masks=masks)


def _scaled(level: int, mask: int) -> int:
    lowest = mask & -mask
    return level * (mask // lowest) // 255 * lowest


GREYS = b"".join(bytes((level, level, level, 0)) for level in range(256))


def run_length_bmp() -> bytes:
    return bmp([b"\x40\xff\0\0" * 64], 64, 8, height=64, compression=1, palette=GREYS)


# --- GIF --------------------------------------------------------------------------------------------------------------


def gif_picture(picture: Image.Image, x: int = 0, y: int = 0, *, screen: tuple[int, int] | None = None) -> bytes:
    """Returns a GIF whose picture stands at a place of a screen, by default its own size."""
    data = bytearray(_saved(picture, "GIF", optimize=False))
    data[6:10] = struct.pack("<HH", *(screen or picture.size))
    at = data.index(b"," + struct.pack("<HHHH", 0, 0, *picture.size))
    data[at + 1 : at + 5] = struct.pack("<HH", x, y)
    return bytes(data)


def gif_without_palette() -> bytes:
    """Returns a GIF that has no colours: its numbers are greys."""
    data = _saved(seven(), "GIF", optimize=False)
    flags = data[10]
    assert flags & 0x87 == 0x87
    return data[:10] + bytes((flags & 0x7F,)) + data[11:13] + data[13 + 768 :]


def inserted(data: bytes, at: int, more: bytes) -> bytes:
    return data[:at] + more + data[at:]


COMMENT = b"!\xfe\x07comment\0"

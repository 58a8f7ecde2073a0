"""PNG and JPEG files, byte by byte where no library would write them."""

import io
import struct
import zlib
from collections.abc import Iterable

from PIL import Image, ImageDraw

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6


def seven(size: int = 64) -> Image.Image:
    """Returns a written seven, dark on white: L."""
    picture = Image.new("L", (size, size), 255)
    corners = [(0.3, 0.25), (0.7, 0.22), (0.66, 0.4), (0.5, 0.55), (0.42, 0.8)]
    draw = ImageDraw.Draw(picture)
    draw.line([(x * size, y * size) for x, y in corners], fill=10, width=max(2, size // 12), joint="curve")
    return picture


# --- PNG --------------------------------------------------------------------------------------------------------------


def chunk(name: bytes, content: bytes, *, crc: int | None = None) -> bytes:
    """Returns a chunk, with a wrong checksum where one is given."""
    sound = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", sound if crc is None else crc)


def header(width: int, height: int, depth: int = 8, colour: int = GREY, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def png(head: bytes, rows: Iterable[bytes], before: bytes = b"", after: bytes = b"") -> bytes:
    """Returns a PNG of unfiltered rows, with more chunks before and after its pixels."""
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return SIGNATURE + head + before + chunk(b"IDAT", pixels) + after + chunk(b"IEND", b"")


def rows_of(picture: Image.Image, depth: int = 8) -> list[bytes]:
    """Returns the rows of an L picture as samples of `depth` bits."""
    data = picture.tobytes()
    lines = [data[start : start + picture.width] for start in range(0, len(data), picture.width)]
    if depth == 16:
        return [b"".join(bytes((value, value)) for value in line) for line in lines]
    each = 8 // depth
    rows = []
    for line in lines:
        padded = line + b"\0" * (-len(line) % each)
        groups = (padded[start : start + each] for start in range(0, len(padded), each))
        rows.append(bytes(_packed(group, depth) for group in groups))
    return rows


def _packed(group: bytes, depth: int) -> int:
    packed = 0
    for value in group:
        packed = packed << depth | value >> (8 - depth)
    return packed


def interlaced(picture: Image.Image) -> bytes:
    """Returns the seven passes of Adam7."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data, width = picture.tobytes(), picture.width
    rows = []
    for left, top, across, down in passes:
        for y in range(top, picture.height, down):
            row = data[y * width : (y + 1) * width][left::across]
            rows += [row] if row else []
    return png(header(*picture.size, interlace=1), rows)


def palette(picture: Image.Image, alpha: bytes = b"") -> bytes:
    """Returns a palette of greys, all opaque unless `alpha` says so for its first entries."""
    colours = b"".join(bytes((grey, grey, grey)) for grey in range(256))
    transparency = chunk(b"tRNS", alpha) if alpha else b""
    return png(header(*picture.size, colour=PALETTE), rows_of(picture), chunk(b"PLTE", colours) + transparency)


def canvas(picture: Image.Image) -> bytes:
    """Returns the ink as black on a transparent ground, as a drawing canvas exports it."""
    ink = Image.eval(picture, lambda grey: 255 - grey)
    black = Image.new("L", picture.size, 0)
    return _saved(Image.merge("RGBA", (black, black, black, ink)), "PNG")


def animated(picture: Image.Image) -> bytes:
    """Returns an animation whose further frame is white."""
    width, height = picture.size
    control = struct.pack(">5I2H2B", width, height, 0, 0, 100, 1000, 0, 0, 0)[:22] + b"\0\0\0\0"
    first = chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fcTL", struct.pack(">I", 0) + control[:22])
    white = zlib.compress(b"".join(b"\0" + b"\xff" * width for _ in range(height)))
    second = chunk(b"fcTL", struct.pack(">I", 1) + control[:22]) + chunk(b"fdAT", struct.pack(">I", 2) + white)
    return png(header(width, height), rows_of(picture), first, second)


def tiff(orientation: int, order: str = "<") -> bytes:
    """Returns the structure of EXIF that says how a picture is to be turned."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(f"{order}IH", 8, 1) + entry + struct.pack(f"{order}I", 0)


TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned(picture: Image.Image, orientation: int) -> Image.Image:
    """Returns the pixels that EXIF's `orientation` turns upright again."""
    turn = TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def bomb_chunk(name: bytes, prefix: bytes, size: int = 8 << 20) -> bytes:
    """Returns a chunk of compressed zeros, a thousand times larger unpacked."""
    return chunk(name, prefix + zlib.compress(bytes(size), 9))


def claims(width: int, height: int, depth: int = 8, colour: int = GREY) -> bytes:
    """Returns a PNG of a few kilobytes that claims a size and holds a sound stream of zeros for a part of it."""
    pixels = zlib.compress(bytes(4 << 20), 9)
    return SIGNATURE + header(width, height, depth, colour) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def blank(width: int, height: int, depth: int = 8, colour: int = GREY, interlace: int = 0) -> bytes:
    """Returns a sound PNG of zeros, a thousandth of its pixels; a palette has one colour."""
    samples = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}[colour]
    row_bytes = 1 + (width * depth * samples + 7) // 8
    packer = zlib.compressobj(1)
    part = bytes(row_bytes)
    packed = b"".join(packer.compress(part) for _ in range(height)) + packer.flush()
    colours = chunk(b"PLTE", b"\1\2\3") if colour == PALETTE else b""
    head = header(width, height, depth, colour, interlace)
    return SIGNATURE + head + colours + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


# --- JPEG -------------------------------------------------------------------------------------------------------------


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def jpeg(picture: Image.Image, **options: object) -> bytes:
    return _saved(picture, "JPEG", quality=95, **options)


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def with_segment(data: bytes, marker: int, content: bytes) -> bytes:
    """Returns a JPEG with one more segment at its start."""
    return data[:2] + segment(marker, content) + data[2:]


def without_segment(data: bytes, marker: int) -> bytes:
    """Returns a JPEG without its segments of one kind."""
    start, kept = 2, data[:2]
    while data[start + 1] != 0xDA:
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4])
        kept += b"" if data[start + 1] == marker else data[start:end]
        start = end
    return kept + data[start:]


def exif_jpeg(picture: Image.Image, orientation: int, order: str = "<") -> bytes:
    return with_segment(jpeg(turned(picture, orientation)), 0xE1, b"Exif\0\0" + tiff(orientation, order))


def cmyk(picture: Image.Image, *, adobe: bool) -> bytes:
    """Returns the picture in four inks; inverted as Adobe's, or as they are and without Adobe's mark."""
    inks = picture.convert("RGB").convert("CMYK")
    if adobe:
        return jpeg(inks)  # Pillow inverts and marks
    return without_segment(jpeg(Image.eval(inks, lambda value: 255 - value)), 0xEE)


def many_scans(count: int = 5_000) -> bytes:
    """Returns a progressive JPEG that asks for a pass over all pixels with every 10 bytes."""
    data = jpeg(Image.new("L", (4000, 4000), 255), progressive=True)
    start = data.rindex(b"\xff\xda")
    scan = data[start : data.index(b"\xff\xd9", start)]
    return data[:start] + scan * count + b"\xff\xd9"


def large_progressive(side: int = 5000) -> bytes:
    """Returns a sound progressive JPEG whose coefficients take 6 bytes a pixel: 150 MB."""
    return jpeg(Image.new("RGB", (side, side), (255, 255, 255)), progressive=True, subsampling=0)


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


def resized_jpeg(width: int, height: int) -> bytes:
    """Returns a small JPEG whose header claims another size."""
    data = jpeg(seven())
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def sound() -> bytes:
    """Returns a small PNG without fault."""
    return _saved(seven(28), "PNG")

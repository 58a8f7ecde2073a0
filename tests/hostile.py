"""Files as nobody should send them, and sound ones that few readers take: for the tests of whatever receives files.

All are made here, byte by byte where no library would write them. The tables at the end name them; each value makes its
bytes when it is called, because some have megabytes.
"""

import io
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw

Make = Callable[[], bytes]
FOLDER = Path(__file__).parent
SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6


def seven(size: int = 64) -> Image.Image:
    """Returns a written seven, dark on white: L."""
    picture = Image.new("L", (size, size), 255)
    corners = [(0.3, 0.25), (0.7, 0.22), (0.66, 0.4), (0.5, 0.55), (0.42, 0.8)]
    draw = ImageDraw.Draw(picture)
    draw.line([(x * size, y * size) for x, y in corners], fill=10, width=max(2, size // 12), joint="curve")
    return picture


def memory_mib(prepare: str, act: str, files: Iterable[bytes]) -> list[float]:
    """Returns by how many MiB a process grows at most while it does `act` with `data`, for each of the files."""
    code = f"""if True:
        import pathlib, sys
        sys.path.append({str(FOLDER)!r})
        def memory(name):
            lines = pathlib.Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024
        {prepare}
        for path in sys.argv[1:]:
            data = pathlib.Path(path).read_bytes()
            pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
            before = memory("VmRSS")
            {act}
            print(memory("VmHWM") - before)"""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, data in enumerate(files):
            paths.append(Path(folder, str(number)))
            paths[-1].write_bytes(data)
        done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [float(line) for line in done.stdout.split()]


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


# --- ZIP --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """An entry to be written; what is None is written as it truly is."""

    name: bytes
    data: bytes = b""
    method: int = 8
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    local_name: bytes | None = None
    local_size: int | None = None
    attributes: int = 0
    header: int | None = None  # where the directory says it is; None without a local header of its own
    shares: bool = False  # writes no data of its own


def archive(parts: Iterable[Part], *, prefix: bytes = b"", comment: bytes = b"", count: int | None = None) -> bytes:
    """Returns a ZIP with exactly these entries, honest or not."""
    file = io.BytesIO()
    file.write(prefix)
    directory = b""
    total = 0
    for part in parts:
        at = file.tell()
        fields = _fields(part)
        if not part.shares:
            local = fields if part.local_size is None else (*fields[:5], part.local_size)
            name = part.name if part.local_name is None else part.local_name
            file.write(
                struct.pack("<4s5H3L2H", b"PK\3\4", 20, part.flags, part.method, 0, 33, *local[3:], len(name), 0)
            )
            file.write(name + _packed_data(part))
        offset = at if part.header is None else part.header
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x0314, 20, part.flags, part.method, 0, 33, *fields[3:],
                                 len(part.name), 0, 0, 0, 0, part.attributes, offset) + part.name  # fmt: skip
        total += 1
    at = file.tell()
    told = total if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, told, told, len(directory), at, len(comment))
    return file.getvalue() + directory + end + comment


def _packed_data(part: Part) -> bytes:
    if part.packed is not None:
        return part.packed
    if part.method != 8:
        return part.data
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(part.data) + packer.flush()


def _fields(part: Part) -> tuple[int, int, int, int, int, int]:
    crc = zlib.crc32(part.data) if part.crc is None else part.crc
    size = len(part.data) if part.size is None else part.size
    return (part.method, part.flags, 0, crc, len(_packed_data(part)), size)


def zipped(*files: tuple[str, bytes]) -> bytes:
    """Returns an honest ZIP."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, data in files:
            writer.writestr(name, data)
    return file.getvalue()


def zeros(megabytes: int) -> bytes:
    """Returns a deflate stream of so many mebibytes of zeros, without compressing them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return one * megabytes + packer.flush()


def honest_bomb() -> bytes:
    """1 GiB in a mebibyte, and the headers say so."""
    return archive([Part(b"zeros.png", packed=zeros(1024), crc=0, size=1 << 30)])


def lying_bomb() -> bytes:
    """1 GiB in a mebibyte, of which the headers say that it is no more than that."""
    return archive([Part(b"zeros.png", packed=zeros(1024), crc=0, size=1_000_000)])


def overlapping_bomb() -> bytes:
    """1 GiB in sixteen kilobytes: a hundred entries share one stream."""
    first = Part(b"zeros.png", packed=zeros(10), crc=0, size=10 << 20)
    return archive([first, *(Part(b"zeros.png", packed=zeros(10), crc=0, size=10 << 20, header=0, shares=True)
                             for _ in range(99))])  # fmt: skip


def many_bomb() -> bytes:
    """A hundred entries of a mebibyte, a kilobyte each."""
    return archive([Part(b"%d.png" % number, packed=zeros(1), crc=0, size=1 << 20) for number in range(100)])


def million_entries(told: int | None = None) -> bytes:
    """A directory of a million empty entries, 47 MB; the end of the archive tells their number, or another."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x0314, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 1, 0) + b"a"
    size, at = 1_000_000 * len(entry), len(local)
    wide = zip64_end(1_000_000, size, at) if told is None else b""
    count = 0xFFFF if told is None else told
    return local + entry * 1_000_000 + wide + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, at, 0)


def zip64_end(count: int, size: int, offset: int) -> bytes:
    """Returns the ZIP64 record and its locator."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    return record + struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1)


def encrypted_zip() -> bytes:
    return archive([Part(b"secret.png", data=b"x" * 24, method=0, flags=1, crc=0, size=12)])


def nested_zip() -> bytes:
    return zipped(("good.png", sound()), ("inner.zip", zipped(("a.png", sound()))))


# --- what the tests go through ----------------------------------------------------------------------------------------


def sound() -> bytes:
    """Returns a small PNG without fault."""
    return _saved(seven(28), "PNG")


def _first_half(make: Make) -> bytes:
    data = make()
    return data[: len(data) // 2]


def _grey(before: bytes = b"", after: bytes = b"") -> bytes:
    picture = seven()
    return png(header(*picture.size), rows_of(picture), before, after)


def _marked(opaque: bytes, colour: int, key: bytes) -> bytes:
    return png(header(2, 1, 8, colour), [opaque], chunk(b"tRNS", key))


# Whatever Pillow's own writers make of the seven, and what only few do; all show the seven.
SEVENS: dict[str, Make] = {
    "plain PNG": _grey,
    "1 bit": lambda: png(header(64, 64, 1), rows_of(seven(), 1)),
    "2 bits": lambda: png(header(64, 64, 2), rows_of(seven(), 2)),
    "4 bits": lambda: png(header(64, 64, 4), rows_of(seven(), 4)),
    "16 bits": lambda: png(header(64, 64, 16), rows_of(seven(), 16)),
    "16 bits RGB": lambda: png(header(64, 64, 16, RGB), [_tripled(row, 2) for row in rows_of(seven(), 16)]),
    "16 bits and alpha": lambda: png(header(64, 64, 16, GREY_ALPHA), [_with_alpha(r, 2) for r in rows_of(seven(), 16)]),
    "RGB": lambda: _saved(seven().convert("RGB"), "PNG"),
    "RGBA": lambda: _saved(seven().convert("RGBA"), "PNG"),
    "grey and alpha": lambda: _saved(seven().convert("LA"), "PNG"),
    "palette": lambda: palette(seven()),
    "palette with transparency": lambda: palette(seven(), b"\xff" * 255 + b"\0"),
    "palette of 4 bits": lambda: _saved(seven().quantize(16), "PNG"),
    "interlaced": lambda: interlaced(seven()),
    "animated": lambda: animated(seven()),
    "canvas": lambda: canvas(seven()),
    "EXIF in PNG": lambda: _saved_turned(6),
    "pixels in many chunks": lambda: _split(_grey(), 7),
    "an empty pixel chunk": lambda: _grey(chunk(b"IDAT", b"")),
    "a text bomb": lambda: _grey(bomb_chunk(b"zTXt", b"Comment\0\0")),
    "a text bomb at the end": lambda: _grey(after=bomb_chunk(b"zTXt", b"Comment\0\0")),
    "an international text bomb": lambda: _grey(bomb_chunk(b"iTXt", b"Comment\0\1\0\0\0")),
    "a profile bomb": lambda: _grey(bomb_chunk(b"iCCP", b"ICC\0\0")),
    "5,000 texts": lambda: _grey(chunk(b"tEXt", b"Comment\0text") * 5_000),
    "a text without end": lambda: _grey(chunk(b"tEXt", b"Comment")),
    "a wrong checksum of a text": lambda: _grey(chunk(b"tEXt", b"Comment\0text", crc=1)),
    "a broken animation": lambda: _grey(chunk(b"acTL", b"\0") + chunk(b"fcTL", b"\0" * 26)),
    "broken EXIF in PNG": lambda: _grey(chunk(b"eXIf", b"II*\0\xff\xff\xff\xff")),
    "broken known chunks": lambda: _grey(chunk(b"gAMA", b"") + chunk(b"pHYs", b"") + chunk(b"cHRM", b"")),
    "garbage after the PNG": lambda: _grey() + b"garbage" * 100,
    "a ZIP after the PNG": lambda: _grey() + zipped(("a.txt", b"a")),
    "JPEG": lambda: jpeg(seven()),
    "JPEG in colour": lambda: jpeg(seven().convert("RGB")),
    "progressive": lambda: jpeg(seven().convert("RGB"), progressive=True),
    "CMYK of Adobe": lambda: cmyk(seven(), adobe=True),
    "CMYK": lambda: cmyk(seven(), adobe=False),
    "garbage after the JPEG": lambda: jpeg(seven()) + b"garbage \xff\xd8\xff\xda" * 1000,
    "garbage between segments": lambda: patched(jpeg(seven()), b"\xff\xdb", b"garbage\xff\xff\xff\xdb"),
    "broken EXIF": lambda: with_segment(jpeg(seven()), 0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "EXIF that ends early": lambda: with_segment(jpeg(seven()), 0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff"),
    "EXIF orientation 9": lambda: with_segment(jpeg(seven()), 0xE1, b"Exif\0\0" + tiff(9)),
    "a broken profile": lambda: with_segment(jpeg(seven()), 0xE2, b"ICC_PROFILE\0\1\7xxxx"),
    "a second picture (MPO)": lambda: with_segment(jpeg(seven()), 0xE2, b"MPF\0II*\0\xff\xff\xff\xff"),
    "big-endian EXIF": lambda: exif_jpeg(seven(), 6, ">"),
    **{f"EXIF orientation {number}": partial(exif_jpeg, seven(), number) for number in range(1, 9)},
}


def _tripled(row: bytes, size: int) -> bytes:
    return b"".join(row[at : at + size] * 3 for at in range(0, len(row), size))


def _with_alpha(row: bytes, size: int) -> bytes:
    return b"".join(row[at : at + size] + b"\xff" * size for at in range(0, len(row), size))


def _saved_turned(orientation: int) -> bytes:
    picture = turned(seven(), orientation)
    return png(header(*picture.size), rows_of(picture), chunk(b"eXIf", tiff(orientation)))


def _split(data: bytes, size: int) -> bytes:
    """Returns a PNG with its pixels in chunks of a few bytes."""
    start = data.index(b"IDAT") - 4
    length = int.from_bytes(data[start : start + 4])
    pixels = data[start + 8 : start + 8 + length]
    pieces = b"".join(chunk(b"IDAT", pixels[at : at + size]) for at in range(0, length, size))
    return data[:start] + pieces + data[start + 12 + length :]


# No pictures of the kinds that are read, with what a refusal has to call them.
OTHER_KINDS: dict[str, tuple[str, Make]] = {
    "nothing": ("empty", lambda: b""),
    "text called .png": ("text", lambda: b"This is not a picture.\n"),
    "base64": ("text", lambda: b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"),
    "GIF": ("a GIF image", lambda: _saved(seven(), "GIF")),
    "WebP": ("a WebP image", lambda: _saved(seven(), "WEBP")),
    "TIFF": ("a TIFF image", lambda: _saved(seven(), "TIFF")),
    "BMP": ("a BMP image", lambda: _saved(seven(), "BMP")),
    "ICO": ("a Windows icon", lambda: _saved(seven(), "ICO")),
    "HEIC": ("a HEIC image", lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)),
    "AVIF": ("an AVIF image", lambda: b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(64)),
    "JPEG XL": ("a JPEG XL image", lambda: b"\xff\x0a\xfa\x1f" + bytes(64)),
    "JPEG 2000": ("a JPEG 2000 image", lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(64)),
    "PSD": ("a Photoshop document", lambda: b"8BPS\0\1" + bytes(64)),
    "PDF": ("a PDF document", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    "SVG": ("an SVG image", lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
    "SVG with a declaration": ("an SVG image", lambda: b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->\n<svg/>'),
    "HTML": ("an HTML page", lambda: b"<!DOCTYPE html><title>404</title>"),
    "ZIP": ("a ZIP archive", lambda: zipped(("a.png", sound()))),
    "noise": ("no image of a known kind", lambda: bytes(range(256)) * 4),
    "video": ("a video", lambda: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(64)),
}

# PNG and JPEG that are broken or too large for 25 million pixels, with a word of the refusal.
BROKEN: dict[str, tuple[str, Make]] = {
    "a PNG of 20,000 x 20,000 px": ("400.0 million", lambda: claims(20_000, 20_000)),
    "a PNG of 30,000 x 30,000 px of 64 bits": ("900.0 million", lambda: claims(30_000, 30_000, 16, RGB_ALPHA)),
    "a PNG of 4,294,967,295 px a side": ("million", lambda: claims(2**32 - 1, 2**32 - 1)),
    "a PNG one pixel wide": ("the limit is 65535", lambda: blank(1, 1_000_000)),
    "a PNG one pixel high": ("the limit is 65535", lambda: blank(1_000_000, 1)),
    "a PNG of no height": ("64 × 0 pixels", lambda: SIGNATURE + header(64, 0) + chunk(b"IEND", b"")),
    "a JPEG of 65,535 x 65,535 px": ("4294.8 million", lambda: resized_jpeg(65_535, 65_535)),
    "a JPEG of no height": ("pixels", lambda: resized_jpeg(64, 0)),
    "a PNG of nothing for 25 million pixels": ("cannot hold", lambda: _empty_claim()),
    "half a PNG": ("truncated", lambda: _first_half(_grey)),
    "half a JPEG": ("truncated", lambda: _first_half(lambda: jpeg(seven(256)))),
    "half a progressive JPEG": ("damaged", lambda: _first_half(lambda: jpeg(seven(512), progressive=True))),
    "a PNG's first 8 bytes": ("truncated", lambda: SIGNATURE),
    "a JPEG's first 3 bytes": ("truncated", lambda: b"\xff\xd8\xff"),
    "a PNG that was transferred as text": ("first 8 bytes", lambda: _grey().replace(b"\r\n", b"\n")),
    "a wrong checksum of the header": ("header", lambda: _grey().replace(b"\0\0\0@", b"\0\0\0A", 1)),
    "a wrong checksum of the pixels": ("checksum", lambda: _flipped(_grey(), b"IDAT", 20)),
    "a wrong stream of pixels": ("damaged", lambda: SIGNATURE + header(9, 9) + chunk(b"IDAT", b"x" * 99) + END),
    "no pixels": ("cannot hold", lambda: SIGNATURE + header(9, 9) + END),
    "no end": ("truncated", lambda: _grey()[:-12]),
    "no palette": ("palette", lambda: png(header(64, 64, 8, PALETTE), rows_of(seven()))),
    "a palette after the pixels": ("palette", lambda: png(header(9, 9, 8, 3), [b"\0" * 9] * 9, after=PALETTE_CHUNK)),
    "a palette of 300 colours": ("palette", lambda: png(header(1, 1, 8, 3), [b"\0"], chunk(b"PLTE", b"\0" * 900))),
    "a second header": ("two headers", lambda: _grey(header(5000, 5000))),
    "an unknown depth": ("does not know", lambda: png(header(64, 64, 7), rows_of(seven()))),
    "an unknown colour type": ("does not know", lambda: png(header(64, 64, 8, 5), rows_of(seven()))),
    "a chunk of 4 GB": ("truncated", lambda: SIGNATURE + header(9, 9) + b"\xff\xff\xff\xffIDAT"),
    "100,000 chunks": ("more than 20000 chunks", lambda: _grey(chunk(b"tEXt", b"") * 100_000)),
    "5,000 passes": ("scans", many_scans),
    "a progressive JPEG of 150 MB": ("progressive", large_progressive),
    "a JPEG without pixels": ("pixels", lambda: b"\xff\xd8" + segment(0xE0, b"JFIF\0") + b"\xff\xd9"),
    "a JPEG of fill bytes": ("truncated", lambda: b"\xff\xd8" + b"\xff" * 1_000_000),
    "a JPEG of empty markers": ("truncated", lambda: b"\xff\xd8\xff" + b"\x00\xff" * 1_000_000),
    "100,000 segments": ("segments", lambda: b"\xff\xd8" + segment(0xFE, b"") * 100_000),
    "two headers": ("two headers", lambda: _doubled_header()),
    "a lossless JPEG": ("few programs", lambda: patched(jpeg(seven()), b"\xff\xc0", b"\xff\xc3")),
    "a JPEG of 12 bits": ("12 bits", lambda: patched(jpeg(seven()), b"\xff\xc0\0\x0b\x08", b"\xff\xc0\0\x0b\x0c")),
    "a sampling factor of 0": ("sampling", lambda: _flipped(jpeg(seven()), b"\xff\xc0", 11, 0x11)),
    "no tables": ("damaged", lambda: without_segment(without_segment(jpeg(seven()), 0xDB), 0xC4)),
}
END = chunk(b"IEND", b"")
PALETTE_CHUNK = chunk(b"PLTE", b"\0\0\0")


def _empty_claim() -> bytes:
    return SIGNATURE + header(5000, 5000) + chunk(b"IDAT", zlib.compress(b"\0")) + END


def _flipped(data: bytes, after: bytes, distance: int, mask: int = 0xFF) -> bytes:
    """Returns the bytes with one changed, some bytes after a mark."""
    at = data.index(after) + distance
    return data[:at] + bytes((data[at] ^ mask,)) + data[at + 1 :]


def _doubled_header() -> bytes:
    data = jpeg(seven())
    at = data.index(b"\xff\xc0")
    end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
    return data[:end] + data[at:end] + data[end:]


# Archives that are refused whole, with a word of the refusal.
BAD_ARCHIVES: dict[str, tuple[str, Make]] = {
    "nothing": ("no ZIP archive", lambda: b""),
    "text": ("no ZIP archive", lambda: b"This is not an archive.\n"),
    "a picture": ("no ZIP archive", lambda: sound()),
    "half an archive": ("truncated", lambda: _first_half(lambda: zipped(("a.png", sound()), ("b.png", sound())))),
    "an archive without its last byte": ("truncated", lambda: zipped(("a.png", sound()))[:-1]),
    "a byte after the archive": ("not at its end", lambda: zipped(("a.png", sound())) + b"x"),
    "data before the archive": ("no ZIP archive", lambda: archive([Part(b"a.png", b"a")], prefix=b"MZ" + bytes(98))),
    "an archive before the archive": ("after other data", lambda: zipped(("a.png", b"a")) + zipped(("b.png", b"b"))),
    "a million entries": ("1000000 entries", million_entries),
    "a million entries that are said to be ten": ("said to be the directory", lambda: million_entries(10)),
    "more entries than said": ("longer than", lambda: archive([Part(b"a"), Part(b"b")], count=1)),
    "fewer entries than said": ("too early", lambda: archive([Part(b"a")], count=2)),
    "1 GB in 16 kB by overlapping": ("overlap", overlapping_bomb),
    "1 GB that is said to be 1 MB": ("more bytes than the 1000000", lying_bomb),
    "100 MB in 100 kB": ("200 times", many_bomb),
    "an absolute path": ("leads out", lambda: archive([Part(b"/etc/passwd", b"a")])),
    "a path upwards": ("leads out", lambda: archive([Part(b"a/../../b.png", b"a")])),
    "a path upwards of Windows": ("leads out", lambda: archive([Part(b"..\\b.png", b"a")])),
    "a drive letter": ("leads out", lambda: archive([Part(b"C:\\b.png", b"a")])),
    "a share": ("leads out", lambda: archive([Part(b"\\\\host\\share\\b.png", b"a")])),
    "another name before the data": ("contradicts", lambda: archive([Part(b"a.png", b"a", local_name=b"b.png")])),
    "another size before the data": ("contradicts", lambda: archive([Part(b"a.png", b"abc", local_size=99)])),
    "an entry beyond the end": ("not where", lambda: archive([Part(b"a.png", b"a", header=10**6)])),
    "an entry in the directory": ("not where", lambda: archive([Part(b"a.png", b"abc", header=40)])),
    "an encrypted directory": ("encrypted", lambda: archive([Part(b"1", b"a", flags=1 << 13)])),
    "a name of 60,000 bytes": ("60000 bytes", lambda: archive([Part(b"x" * 60_000, b"a")])),
    "one part of several": ("one part", lambda: _second_disk()),
    "no ZIP64 record": ("ZIP64", lambda: archive([Part(b"a")], count=0xFFFF)),
}


def _second_disk() -> bytes:
    data = zipped(("a.png", b"a"))
    at = data.rindex(b"PK\5\6")
    return data[: at + 4] + b"\1\0" + data[at + 6 :]


# Archives with a sound good.png and one entry that is not read, with a word of the reason.
PARTLY_BAD_ARCHIVES: dict[str, tuple[str, Make]] = {
    "an encrypted entry": ("encrypted", lambda: _beside(Part(b"bad.png", b"x" * 12, method=0, flags=1))),
    "a link": ("link", lambda: _beside(Part(b"bad.png", b"/etc/passwd", attributes=0o120777 << 16))),
    "LZMA": ("LZMA", lambda: _beside(Part(b"bad.png", b"x", method=14))),
    "an unknown method": ("method 77", lambda: _beside(Part(b"bad.png", b"x", method=77))),
    "a wrong checksum": ("checksum", lambda: _beside(Part(b"bad.png", b"x" * 99, crc=1))),
    "a broken stream": ("damaged", lambda: _beside(Part(b"bad.png", b"x" * 99, packed=b"\xff" * 50))),
    "fewer bytes than said": ("instead of", lambda: _beside(Part(b"bad.png", b"x" * 99, size=200))),
    "1 GB in a megabyte": ("the limit is", lambda: _beside(Part(b"bad.png", packed=zeros(1024), crc=0, size=1 << 30))),
    "9 MB in 9 kB": ("200 times", lambda: _beside(Part(b"bad.png", packed=zeros(9), crc=0, size=9 << 20))),
    "10 kB that unpack to 9 bytes": ("too many", lambda: _beside(Part(b"bad.png", b"x" * 9, packed=bytes(10_000)))),
    "a ZIP in the ZIP": ("within the archive", lambda: _beside(Part(b"bad.png", zipped(("a.png", b"a"))))),
}


def _beside(part: Part) -> bytes:
    return archive([Part(b"good.png", sound()), part])

"""What the tests go through: files by a name that says what is the matter with them."""

import zlib
from collections.abc import Callable
from functools import partial

from hostile.pictures import (
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGB_ALPHA,
    SIGNATURE,
    _saved,
    animated,
    blank,
    bomb_chunk,
    canvas,
    chunk,
    claims,
    cmyk,
    exif_jpeg,
    header,
    interlaced,
    jpeg,
    large_progressive,
    many_scans,
    palette,
    patched,
    png,
    resized_jpeg,
    rows_of,
    segment,
    seven,
    sound,
    tiff,
    turned,
    with_segment,
    without_segment,
)
from hostile.zips import Part, archive, lying_bomb, many_bomb, million_entries, overlapping_bomb, zeros, zipped

Make = Callable[[], bytes]


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
    "EXIF at the end of a PNG": lambda: _saved_turned(8, at_end=True),
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


def _saved_turned(orientation: int, *, at_end: bool = False) -> bytes:
    picture = turned(seven(), orientation)
    place = "after" if at_end else "before"
    return png(header(*picture.size), rows_of(picture), **{place: chunk(b"eXIf", tiff(orientation))})


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

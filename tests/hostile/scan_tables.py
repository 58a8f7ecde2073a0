"""What the tests of all kinds of pictures go through, beside what `tables` has of PNG and JPEG."""

import struct
from collections.abc import Callable, Sequence
from functools import partial

from hostile.graphics import (
    COMMENT,
    GREYS,
    bitstream,
    bmp,
    bmp_masked,
    claimed_webp,
    extended,
    gif_picture,
    gif_without_palette,
    inserted,
    riff,
    rows_up,
    run_length_bmp,
    turned_webp,
    webp_animation,
    webp_frame,
)
from hostile.pictures import _saved, seven
from hostile.scans import (
    LONG,
    SHORT,
    deep_colours,
    deflated,
    ink,
    inverted,
    many_pages,
    page,
    palette_of_bytes,
    reversed_bits,
    scan,
    strips,
    tags_of,
    tiled,
    turned_scan,
    wide,
    with_thumbnail,
    without_tag,
)

Make = Callable[[], bytes]

# All show the seven, upright, of 64 x 64 pixels.
SCANS: dict[str, Make] = {
    "TIFF": lambda: scan(page()),
    "big-endian TIFF": lambda: scan(page(), order=">"),
    "BigTIFF": lambda: scan(page(), big=True),
    "big-endian BigTIFF": lambda: scan(page(), order=">", big=True),
    "strips": lambda: scan((tags_of(seven(), t278=(SHORT, (10,))), strips(seven(), 10))),
    "deflated strips": lambda: scan(
        (tags_of(seven(), t278=(SHORT, (10,)), t259=(SHORT, (8,))), deflated(lambda: strips(seven(), 10)))
    ),
    "tiles": tiled,
    "deflated tiles": partial(tiled, t259=(SHORT, (8,))),
    "no lengths of strips": lambda: without_tag(scan(page()), 279),
    "white is zero": lambda: scan(page(inverted(), t262=(SHORT, (0,)))),
    "16 bits in a TIFF": lambda: scan((tags_of(seven(), t258=(SHORT, (16,))), wide(seven(), "<"))),
    "big-endian 16 bits": lambda: scan((tags_of(seven(), t258=(SHORT, (16,))), wide(seven(), ">")), order=">"),
    "16 bits, white is zero": lambda: scan(
        (tags_of(seven(), t258=(SHORT, (16,)), t262=(SHORT, (0,))), wide(inverted(), "<"))
    ),
    "deflated 16 bits, big-endian": lambda: scan(
        (tags_of(seven(), t258=(SHORT, (16,)), t259=(SHORT, (8,))), deflated(lambda: wide(seven(), ">"))), order=">"
    ),
    "RGB of 16 bits in a TIFF": lambda: deep_colours("RGB", 2),
    "CMYK of 16 bits in a TIFF": lambda: deep_colours("CMYK", 5),
    "lowest bit first": reversed_bits,
    "a palette of bytes": palette_of_bytes,
    "CMYK in a TIFF": lambda: _saved(seven().convert("RGB").convert("CMYK"), "TIFF"),
    "RGBA in a TIFF": lambda: _saved(seven().convert("RGBA"), "TIFF"),
    "grey and alpha in a TIFF": lambda: _saved(seven().convert("LA"), "TIFF"),
    "LZW": lambda: _saved(seven(), "TIFF", compression="tiff_lzw"),
    "LZW with differences": lambda: _saved(seven(), "TIFF", compression="tiff_lzw", tiffinfo={317: 2}),
    "PackBits": lambda: _saved(seven(), "TIFF", compression="packbits"),
    "JPEG in a TIFF": lambda: _saved(seven().convert("RGB"), "TIFF", compression="jpeg", quality=95),
    "YCbCr in a TIFF": lambda: _saved(seven().convert("YCbCr"), "TIFF", compression="jpeg", quality=95),
    "fax, group 3": lambda: _saved(seven().convert("1"), "TIFF", compression="group3"),
    "fax, group 4": lambda: _saved(seven().convert("1"), "TIFF", compression="group4"),
    "a thumbnail first": with_thumbnail,
    "nothing but a thumbnail": lambda: scan(page(t254=(LONG, (1,)))),
    "two pages": lambda: scan(page(), page(seven(16))),
    "a private tag beyond the end": lambda: scan(page(t50000=(LONG, [7] * 9))).replace(
        struct.pack("<HHI", 50000, LONG, 9), struct.pack("<HHI", 50000, LONG, 1 << 30)
    ),
    "WebP": lambda: riff(bitstream(seven(), lossless=False)),
    "lossless WebP": lambda: riff(bitstream(seven())),
    "WebP with alpha": lambda: _saved(ink(), "WEBP"),
    "lossless WebP with alpha": lambda: _saved(ink(), "WEBP", lossless=True),
    "animated WebP": lambda: webp_animation(webp_frame(seven()), webp_frame(inverted())),
    "a WebP frame on a canvas": lambda: webp_animation(webp_frame(seven().crop((16, 8, 64, 64)), 16, 8)),
    "a WebP with broken EXIF": lambda: riff(extended(64, 64, 8), bitstream(seven()), (b"EXIF", b"II*\0\xff\xff")),
    "a WebP with a profile": lambda: riff(extended(64, 64, 0x20), (b"ICCP", b"x" * 999), bitstream(seven())),
    "garbage after the WebP": lambda: riff(bitstream(seven())) + b"garbage" * 99,
    "BMP": lambda: _saved(seven(), "BMP"),
    "BMP in colour": lambda: _saved(seven().convert("RGB"), "BMP"),
    "BMP of 1 bit": lambda: _saved(seven().convert("1"), "BMP"),
    "BMP of 4 bits": lambda: bmp(
        [bytes(a & 0xF0 | b >> 4 for a, b in zip(row[::2], row[1::2], strict=True)) for row in rows_up(seven())],
        64,
        4,
        palette=b"".join(bytes((level * 17,) * 3 + (0,)) for level in range(16)),
    ),
    "BMP, the highest row first": lambda: bmp(strips(seven(), 1), 64, 8, height=-64, palette=GREYS),
    "BMP of OS/2": lambda: bmp(
        rows_up(seven()), 64, 8, header=12, palette=b"".join(bytes((level,) * 3) for level in range(256))
    ),
    "BMP of OS/2, second": lambda: bmp(rows_up(seven()), 64, 8, header=64, palette=GREYS),
    "BMP of 15 bits": lambda: bmp_masked(16, (0x7C00, 0x3E0, 0x1F), compression=0),
    "BMP of 16 bits": lambda: bmp_masked(16, (0xF800, 0x7E0, 0x1F)),
    "BMP of 32 bits": lambda: bmp_masked(32, (0xFF0000, 0xFF00, 0xFF), compression=0),
    "BMP with masks": lambda: bmp_masked(32, (0xFF, 0xFF00, 0xFF0000)),
    "BMP with alpha, version 5": lambda: bmp_masked(32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), header=124),
    "GIF": lambda: _saved(seven(), "GIF", optimize=False, interlace=0),
    "interlaced GIF": lambda: _saved(seven(), "GIF", interlace=1),
    "GIF with transparency": lambda: _saved(ink(), "GIF"),
    "animated GIF": lambda: _saved(seven(), "GIF", save_all=True, append_images=[inverted()] * 3),
    "GIF without a palette": gif_without_palette,
    "GIF with a comment": lambda: inserted(_saved(seven(), "GIF", optimize=False), 13 + 768, COMMENT * 1000),
    "a GIF picture on a screen": lambda: gif_picture(seven().crop((16, 8, 64, 64)), 16, 8, screen=(64, 64)),
    "garbage after the GIF": lambda: _saved(seven(), "GIF") + b"garbage" * 99,
    **{f"TIFF orientation {number}": partial(turned_scan, number) for number in range(1, 9)},
    **{f"WebP orientation {number}": partial(turned_webp, number) for number in range(1, 9)},
    "WebP orientation with Exif's mark": lambda: turned_webp(6, b"Exif\0\0"),
}

_CIRCLE = 8 + 64 * 64  # where the directory of a page of 64 x 64 bytes begins

# What is broken or too large for 25 million pixels, with a word of the refusal.
BAD_SCANS: dict[str, tuple[str, Make]] = {
    "pages in a circle": ("circle", lambda: scan(page(), last=_CIRCLE)),
    "5,000 pages": ("more than 1000 pages", lambda: many_pages(5000)),
    "10,000 thumbnails": ("directories", lambda: _thumbnails(10_000)),
    "a page beyond the end": ("truncated", lambda: scan(page(), last=1 << 30)),
    "a TIFF without pages": ("no pages", lambda: b"II*\0\0\0\0\0"),
    "a TIFF's first 4 bytes": ("truncated", lambda: b"II*\0"),
    "a BigTIFF of strange offsets": ("header", lambda: b"II+\0\4\0\0\0" + bytes(16)),
    "a BigTIFF of 2**64 tags": ("limit is 512", lambda: b"II+\0\x08\0\0\0\x10" + bytes(7) + b"\xff" * 8),
    "60,000 tags": ("60000 tags", lambda: b"II*\0\x08\0\0\0" + struct.pack("<H", 60_000) + bytes(720_004)),
    "a TIFF of 65,000 x 65,000 px": ("4225.0 million", lambda: _claimed(65_000, 65_000)),
    "a TIFF of 2**32 - 1 px a side": ("million", lambda: _claimed(2**32 - 1, 2**32 - 1)),
    "a TIFF of 1,000,000 x 1 px": ("the limit is 65535", lambda: _claimed(1_000_000, 1)),
    "a TIFF of no height": ("64 × 0 pixels", lambda: _claimed(64, 0)),
    "a TIFF of nothing for 25 million pixels": ("truncated", lambda: _claimed(5000, 5000)),
    "a deflated TIFF of nothing": ("cannot hold", lambda: _claimed(5000, 5000, t259=(SHORT, (8,)))),
    "an LZW TIFF of nothing": ("cannot hold", lambda: _claimed(5000, 5000, t259=(SHORT, (5,)))),
    "strips beyond the end": ("truncated", lambda: scan(page(t273=(LONG, (1 << 30,))))),
    "lengths beyond the end": ("truncated", lambda: scan(page(t279=(LONG, (1 << 30,)), t259=(SHORT, (8,))))),
    "too few strips": ("1 of 7 pieces", lambda: scan(page(t278=(SHORT, (10,))))),
    "strips without rows": ("no rows", lambda: scan(page(t278=(SHORT, (0,))))),
    "overlapping strips": ("overlap", lambda: _overlapping()),
    "a tile of 4 GB": ("larger than the picture", lambda: tiled(t322=(LONG, (65_536,)), t323=(LONG, (65_536,)))),
    "tiles of no size": ("multiples of 16", lambda: tiled(t322=(LONG, (0,)))),
    "98,469 tiles": (
        "1 of 98469 pieces",
        lambda: _claimed(25_000, 1000, t322=(SHORT, (16,)), t323=(SHORT, (16,)), t259=(SHORT, (8,))),
    ),
    "an unknown compression": ("scheme 50002", lambda: scan(page(t259=(SHORT, (50_002,))))),
    "JPEG of the old kind": ("scheme 6", lambda: scan(page(t259=(SHORT, (6,))))),
    "fractions": ("not read", lambda: scan(page(t339=(SHORT, (3,))))),
    "40,000 samples a pixel": ("40000 × 8 bits", lambda: scan(page(t277=(SHORT, (40_000,))))),
    "3 bits": ("× 3 bits", lambda: scan(page(t258=(SHORT, (3,))))),
    "colours in planes": ("planes", lambda: scan(page(seven().convert("RGB"), t284=(SHORT, (2,))))),
    "Lab": ("photometric 8", lambda: scan(page(seven().convert("RGB"), t262=(SHORT, (8,))))),
    "a TIFF without a palette": ("palette", lambda: scan(page(t262=(SHORT, (3,))))),
    "a width that is a fraction": ("no whole numbers", lambda: scan(page(t256=(11, (64,))))),
    "tags beyond the end": ("outside of the file", lambda: _far_values()),
    "a fax of 8 bits": ("fax", lambda: scan(page(t259=(SHORT, (4,))))),
    "a JPEG of 1,000 passes in a TIFF": (
        "scans",
        lambda: scan((tags_of(seven(), t259=(SHORT, (7,))), [b"\xff\xd8" + b"\xff\xda" * 1000])),
    ),
    "a broken stream in a TIFF": ("damaged", lambda: scan((tags_of(seven(), t259=(SHORT, (8,))), [b"\xff" * 4096]))),
    "half a TIFF": ("truncated", lambda: scan(page())[:2000]),
    "a WebP of 16,383 x 16,383 px": ("268.4 million", lambda: claimed_webp(16_383, 16_383)),
    "a WebP canvas of 16,777,216 px": ("million", lambda: riff(extended(1 << 24, 1 << 24), bitstream(seven()))),
    "a WebP canvas that is not its picture's": ("damaged", lambda: riff(extended(65, 64), bitstream(seven()))),
    "a WebP frame outside of the canvas": ("damaged", lambda: webp_animation(webp_frame(seven(), 2, 0))),
    "a WebP animation without frames": ("without frames", lambda: webp_animation()),
    "a WebP without pixels": ("no pixels", lambda: riff(extended(64, 64))),
    "a WebP of 20,000 chunks": ("more than 10000 chunks", lambda: riff(*[(b"abcd", b"")] * 20_000)),
    "half a WebP": ("truncated", lambda: riff(bitstream(seven()))[:100]),
    "a WebP's first 12 bytes": ("truncated", lambda: b"RIFF\xff\0\0\0WEBP"),
    "broken pixels in a WebP": ("damaged", lambda: claimed_webp(4000, 4000)),
    "a BMP of 30,000 x 30,000 px": ("900.0 million", lambda: bmp([], 30_000, 8, height=30_000, palette=GREYS)),
    "a BMP of -2**31 rows": ("damaged", lambda: bmp([], 64, 8, height=-(1 << 31), palette=GREYS)),
    "a BMP of negative width": ("damaged", lambda: bmp([], -64, 8, height=64, palette=GREYS)),
    "a BMP of no width": ("0 × 64 pixels", lambda: bmp([], 0, 8, height=64, palette=GREYS)),
    "a BMP of nothing": ("truncated", lambda: bmp([], 5000, 24, height=5000)),
    "a run-length encoded BMP": ("RLE8", run_length_bmp),
    "a PNG in a BMP": ("PNG", lambda: bmp(rows_up(seven()), 64, 24, compression=5)),
    "a BMP of 2 bits": ("2 bits", lambda: bmp(rows_up(seven()), 64, 2)),
    "strange masks": ("order", lambda: bmp_masked(32, (0xFF00, 0xFF00, 0xFF))),
    "a BMP without a palette": ("no palette", lambda: bmp(rows_up(seven()), 64, 8)),
    "pixels within the headers": ("within its headers", lambda: bmp(rows_up(seven()), 64, 24, start=20)),
    "a BMP of an unknown header": ("does not know", lambda: bmp(rows_up(seven()), 64, 24, header=44)),
    "a BMP's first 2 bytes": ("header", lambda: b"BM"),
    "half a BMP": ("truncated", lambda: _first_half(_saved(seven(), "BMP"))),
    "a GIF of 60,000 x 60,000 px": ("3600.0 million", lambda: gif_picture(seven(), screen=(60_000, 60_000))),
    "a GIF screen of no size": ("0 × 0 pixels", lambda: gif_picture(seven(), screen=(0, 0))[:6] + bytes(900)),
    "a GIF picture outside of the screen": ("lies outside", lambda: gif_picture(seven(), 1, 0)),
    "a GIF without a picture": ("truncated", lambda: b"GIF89a\x40\0\x40\0\0\0\0;" + bytes(99)[:5]),
    "a GIF of 400,000 blocks": ("300000 blocks", lambda: _blocks_gif(400_000)),
    "a GIF of another version": ("unknown version", lambda: b"GIF88a" + _saved(seven(), "GIF")[6:]),
    "a GIF of nothing for 25 million pixels": ("cannot hold", lambda: _empty_gif()),
    "half a GIF": ("truncated", lambda: _first_half(_saved(seven(), "GIF", optimize=False))),
    "a GIF's first 4 bytes": ("truncated", lambda: b"GIF8"),
}


def _first_half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _claimed(width: int, height: int, **changes: tuple[int, Sequence[int]] | None) -> bytes:
    """Returns a TIFF of 4 kB that claims a size."""
    return scan(page(t256=(LONG, (width,)), t257=(LONG, (height,)), **changes))


def _thumbnails(count: int) -> bytes:
    return scan(*[page(seven(16), t254=(LONG, (1,)))] * count)


def _overlapping() -> bytes:
    """Returns a TIFF whose 4 strips begin one byte after another, and have all the file: 16 kB out of 4."""
    starts = [8, 9, 10, 11]
    return scan(page(t278=(SHORT, (16,)), t273=(LONG, starts), t279=(LONG, [4090] * 4), t259=(SHORT, (8,))))


def _far_values() -> bytes:
    """Returns a TIFF whose lengths of strips are said to be beyond its end."""
    data = scan((tags_of(seven(), t278=(SHORT, (10,))), strips(seven(), 10)))
    at = data.index(struct.pack("<HHI", 279, LONG, 7)) + 8
    return data[:at] + struct.pack("<I", 1 << 30) + data[at + 4 :]


def _blocks_gif(count: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", 64, 64) + b"\0\0\0,\0\0\0\0\x40\0\x40\0\0\x08" + b"\1\1" * count


def _empty_gif() -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", 5000, 5000, 0, 0, 0)
        + b","
        + struct.pack("<HHHHB", 0, 0, 5000, 5000, 0)
        + b"\x08\1\0\0;"
    )

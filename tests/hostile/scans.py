"""TIFF files, sound and hostile, field by field where no library would write them."""

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence

from PIL import Image

from hostile.pictures import seven, turned

Tags = Mapping[int, tuple[int, Sequence[int]]]  # type and values
SHORT, LONG = 3, 4
_LAYOUTS = {1: "B", 2: "B", 3: "H", 4: "I", 7: "B", 11: "f", 16: "Q"}


# --- TIFF -------------------------------------------------------------------------------------------------------------


def tags_of(picture: Image.Image, **changes: tuple[int, Sequence[int]] | None) -> dict[int, tuple[int, Sequence[int]]]:
    """Returns what a page of one strip is told by; changes are named `t256`, and None leaves a tag out."""
    bands, depth = len(picture.getbands()), 1 if picture.mode == "1" else 8
    tags: dict[int, tuple[int, Sequence[int]] | None] = {
        256: (LONG, (picture.width,)),
        257: (LONG, (picture.height,)),
        258: (SHORT, (depth,) * bands),
        259: (SHORT, (1,)),
        262: (SHORT, (2 if bands > 2 else 1,)),
        277: (SHORT, (bands,)),
        **{int(name[1:]): value for name, value in changes.items()},
    }
    return {tag: value for tag, value in tags.items() if value is not None}


def scan(*pages: tuple[Tags, Sequence[bytes]], order: str = "<", big: bool = False, last: int | None = None) -> bytes:
    """Returns a TIFF of pages, each told by tags and strips (tiles, where a tag says so); `last` is its last offset.

    Offsets and lengths of the strips are added unless the tags tell others.
    """
    word = "Q" if big else "I"
    inside = struct.calcsize(f"={word}")
    head = struct.pack(f"{order}2sH", b"II" if order == "<" else b"MM", 43 if big else 42)
    data = bytearray(head + (struct.pack(f"{order}HH", 8, 0) if big else b"") + bytes(inside))
    link = len(data) - inside
    for tags, pieces in pages:
        starts = []
        for piece in pieces:
            starts.append(len(data))
            data += piece
        where = (324, 325) if 322 in tags else (273, 279)
        placed = {where[0]: (LONG, starts), where[1]: (LONG, [len(piece) for piece in pieces])}
        entries = b""
        all_tags = {**placed, **tags}
        for tag, (kind, values) in sorted(all_tags.items()):
            packed = struct.pack(f"{order}{len(values)}{_LAYOUTS[kind]}", *values)
            if len(packed) > inside:
                packed, at = struct.pack(f"{order}{word}", len(data)), packed
                data += at
            entries += struct.pack(f"{order}HH{word}", tag, kind, len(values)) + packed.ljust(inside, b"\0")
        data[link : link + inside] = struct.pack(f"{order}{word}", len(data))
        data += struct.pack(f"{order}{'Q' if big else 'H'}", len(all_tags)) + entries
        link = len(data)
        data += struct.pack(f"{order}{word}", last or 0)
    return bytes(data)


def strips(picture: Image.Image, rows: int) -> list[bytes]:
    """Returns the rows of a picture in pieces of so many."""
    edges = range(0, picture.height, rows)
    return [picture.crop((0, top, picture.width, min(top + rows, picture.height))).tobytes() for top in edges]


def tiles(picture: Image.Image, side: int) -> list[bytes]:
    """Returns a picture in squares, those at its edges filled up."""
    edges = [(x, y) for y in range(0, picture.height, side) for x in range(0, picture.width, side)]
    return [picture.crop((x, y, x + side, y + side)).tobytes() for x, y in edges]


def page(picture: Image.Image | None = None, **changes: tuple[int, Sequence[int]] | None) -> tuple[Tags, list[bytes]]:
    """Returns a page of one strip that is not compressed."""
    picture = picture or seven()
    return tags_of(picture, **changes), [picture.tobytes()]


def many_pages(count: int) -> bytes:
    """Returns a TIFF whose pages all show one strip."""
    tags, pieces = page(seven(16))
    return scan((tags, pieces), *[({**tags, 273: (LONG, (8,)), 279: (LONG, (256,))}, [])] * (count - 1))


def wide(picture: Image.Image, order: str) -> list[bytes]:
    """Returns grey of 16 bits, one strip; the lower byte is noise."""
    shades = [level << 8 | (level * 7) & 0xFF for level in picture.tobytes()]
    return [struct.pack(f"{order}{len(shades)}H", *shades)]


def deep_colours(mode: str, photometric: int) -> bytes:
    """Returns the seven in big-endian colours of 16 bits, deflated."""
    picture = seven().convert("RGB").convert(mode)
    tags = tags_of(picture, t258=(SHORT, (16,) * len(mode)), t262=(SHORT, (photometric,)), t259=(SHORT, (8,)))
    return scan((tags, deflated(lambda: wide(picture, ">"))), order=">")


def turned_scan(orientation: int) -> bytes:
    return scan(page(turned(seven(), orientation), t274=(SHORT, (orientation,))))


def deflated(make: Callable[[], Sequence[bytes]]) -> list[bytes]:
    return [zlib.compress(piece) for piece in make()]


def ink() -> Image.Image:
    """Returns the seven's ink, black on nothing."""
    ink = Image.new("RGBA", (64, 64))
    ink.putalpha(inverted())
    return ink


def without_tag(data: bytes, tag: int) -> bytes:
    """Returns a TIFF whose first tag of that number has become a private one."""
    at = data.index(struct.pack("<HH", tag, LONG))
    return data[:at] + struct.pack("<H", 65_000) + data[at + 2 :]


def tiled(side: int = 48, **changes: tuple[int, Sequence[int]] | None) -> bytes:
    tags = tags_of(seven(), **{"t322": (SHORT, (side,)), "t323": (SHORT, (side,))} | changes)
    pieces = tiles(seven(), side)
    packed = tags.get(259) == (SHORT, (8,))
    return scan((tags, [zlib.compress(piece) for piece in pieces] if packed else pieces))


def inverted() -> Image.Image:
    return Image.eval(seven(), lambda level: 255 - level)


def reversed_bits() -> bytes:
    """Returns a page of 1 bit whose first pixel is the lowest bit."""
    bits = seven().convert("1", dither=Image.Dither.NONE)
    mirrored = bits.tobytes().translate(bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256)))
    return scan((tags_of(bits, t266=(SHORT, (2,))), [mirrored]))


def palette_of_bytes() -> bytes:
    """Returns a palette of 8 bits where 16 are due, as some writers make it."""
    return scan(page(t262=(SHORT, (3,)), t320=(SHORT, [*range(256)] * 3)))


def with_thumbnail() -> bytes:
    small = page(seven(16).resize((8, 8)), t254=(LONG, (1,)))
    return scan(small, page())

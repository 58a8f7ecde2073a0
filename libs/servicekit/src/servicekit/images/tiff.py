"""TIFF files: one page checked, and written anew with no more than the tags that its pixels need.

After TIFF revision 6.0 (Adobe, 1992) and its technical notes 1 and 2. What the pages' writers added (profiles, EXIF,
private tags) and the other pages do not reach Pillow, which has libtiff decode. Lines of a fax that were damaged on
their way are read as far as they go: faxes are like that, and libtiff tells no one.
"""

import ctypes
import io
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import cast

from PIL import Image, ImageChops, ImageFile, _imaging

from servicekit.images import directories, exif, tiff_pixels
from servicekit.images.directories import Directory
from servicekit.images.jpeg import MAX_SCANS
from servicekit.images.limits import DAMAGED, MAX_FRAMES, ImageError, Limits
from servicekit.images.pixels import reduced
from servicekit.images.tiff_pixels import HEIGHT, JPEG, LONG, RATIOS, RAW, SHORT, UNDEFINED, WIDTH, Pixels, Tags

STRIP_OFFSETS, ORIENTATION, ROWS_PER_STRIP, STRIP_COUNTS = 273, 274, 278, 279
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325

MAX_PIECES = 100_000  # strips or tiles of a page
MAX_TILE_PIXELS = 1 << 20  # of a picture that is smaller
_LAYOUTS = {SHORT: "H", LONG: "I", UNDEFINED: "B"}
_HEADER_BYTES = 8
_MODES = {"1": "L", "P": "RGB", "La": "LA", "CMYK": "RGB"}


@dataclass(frozen=True, eq=False)
class TiffFile:
    """One page as a TIFF of its own, whose tags are sound."""

    data: bytes
    size: tuple[int, int]
    orientation: int
    deep_grey: bool  # 16 bits
    inverted: bool  # white is zero; the page is written as if it were black

    def load(self, factor: int) -> Image.Image:
        """Decodes the pixels; raises ImageError."""
        from PIL import TiffImagePlugin

        _silence_libtiff()
        try:
            image = TiffImagePlugin.TiffImageFile(io.BytesIO(self.data))
            if self.deep_grey:
                _take_high_bytes(image, self.data[:1] == b"M")
            image.im = Image.new(image.mode, self.size).im  # else Pillow judges the size by a global of its own
            image.load()
        except DAMAGED as error:
            raise ImageError(f"the TIFF image is damaged: {error}") from None
        picture = reduced(image, _MODES.get(image.mode, image.mode), factor)
        return ImageChops.invert(picture) if self.inverted else picture


@cache
def _silence_libtiff() -> None:
    """Has libtiff write nothing to standard error: a small fax could fill a log with a line for each of its rows."""
    library = ctypes.CDLL(_imaging.__file__)
    for setter in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
        with suppress(AttributeError):  # a Pillow that is built without libtiff, or hides its names
            getattr(library, setter)(None)


def _take_high_bytes(image: ImageFile.ImageFile, big_endian: bool) -> None:
    """Has grey of 16 bits decoded to 8: Pillow's own conversion clips instead of scaling.

    What libtiff has unpacked is in this machine's order, what it has not in the file's.
    """
    unpacked = image.tile[0].codec_name == "libtiff"
    layout = "L;16B" if (sys.byteorder == "big" if unpacked else big_endian) else "L;16"
    image._mode = "L"
    image.tile = [tile._replace(args=(layout, *cast("tuple[object, ...]", tile.args)[1:])) for tile in image.tile]


def frames(data: bytes, limits: Limits) -> int:
    """Returns the number of pages; raises ImageError."""
    return sum(1 for _ in directories.pages(data, limits.max_frames))


def size(data: bytes, frame: int = 0) -> tuple[int, int] | None:
    """Returns width and height of a page by its tags, None where there is none that can be read."""
    with suppress(ImageError):
        page = next(islice(directories.pages(data, MAX_FRAMES), frame, None), None)
        if page and WIDTH in page and HEIGHT in page:
            return page.value(WIDTH, 0), page.value(HEIGHT, 0)
    return None


def inspect(data: bytes, limits: Limits, frame: int = 0) -> TiffFile:
    """Checks one page; raises ImageError before anything is decoded."""
    page = next(islice(directories.pages(data, limits.max_frames), frame, None), None)
    if page is None:
        raise ImageError(f"the TIFF image has no page {frame + 1}")
    limits.check(page.value(WIDTH, 0), page.value(HEIGHT, 0))
    pixels = tiff_pixels.read(page)
    tags = tiff_pixels.described(page, pixels)
    kept = _tiles(data, page, pixels, tags) if TILE_WIDTH in page else _strips(data, page, pixels, tags)
    turned = page.value(ORIENTATION, exif.UPRIGHT)
    return TiffFile(
        _written(page.order, tags, kept),
        pixels.size,
        turned if 1 <= turned <= 8 else exif.UPRIGHT,
        pixels.deep_grey,
        pixels.inverted,
    )


def _strips(data: bytes, page: Directory, pixels: Pixels, tags: Tags) -> list[memoryview]:
    """Returns the strips to keep and adds their tags; what is not compressed becomes a single one."""
    width, height = pixels.size
    rows = min(page.value(ROWS_PER_STRIP, height), height)
    if not rows:
        raise ImageError("the TIFF image is damaged: its strips have no rows")
    needed = [pixels.n_bytes(width, min(rows, height - top)) for top in range(0, height, rows)]
    pieces = _pieces(data, page, (STRIP_OFFSETS, STRIP_COUNTS), needed, pixels.compression)
    if pixels.compression == RAW:
        view = memoryview(data)
        kept, places, rows = [view[start:end] for start, end in pieces], [(_HEADER_BYTES, sum(needed))], height
    else:
        kept, places = _placed(data, pieces)
    tags[ROWS_PER_STRIP] = (LONG, (rows,))
    tags[STRIP_OFFSETS] = (LONG, [start for start, _ in places])
    tags[STRIP_COUNTS] = (LONG, [count for _, count in places])
    return kept


def _tiles(data: bytes, page: Directory, pixels: Pixels, tags: Tags) -> list[memoryview]:
    """Returns the tiles to keep and adds their tags."""
    width, height = page.value(TILE_WIDTH, 0), page.value(TILE_HEIGHT, 0)
    if not width or not height or width % 16 or height % 16:
        raise ImageError(f"the TIFF image is damaged: its tiles have {width} × {height} pixels, no multiples of 16")
    across, down = -(-pixels.size[0] // width), -(-pixels.size[1] // height)
    if width * height > max(MAX_TILE_PIXELS, pixels.size[0] * pixels.size[1]):
        raise ImageError(f"the TIFF image is damaged: a tile of {width} × {height} pixels is larger than the picture")
    if across * down > MAX_PIECES:
        raise ImageError(f"the TIFF image has {across * down} tiles, the limit is {MAX_PIECES}")
    needed = [pixels.n_bytes(width, height)] * (across * down)
    kept, places = _placed(data, _pieces(data, page, (TILE_OFFSETS, TILE_COUNTS), needed, pixels.compression))
    tags[TILE_WIDTH], tags[TILE_HEIGHT] = (LONG, (width,)), (LONG, (height,))
    tags[TILE_OFFSETS] = (LONG, [start for start, _ in places])
    tags[TILE_COUNTS] = (LONG, [count for _, count in places])
    return kept


def _pieces(
    data: bytes, page: Directory, where: tuple[int, int], needed: Sequence[int], compression: int
) -> list[tuple[int, int]]:
    """Returns start and end of each strip or tile; raises ImageError where they cannot hold the pixels."""
    raw = compression == RAW
    starts = page.values(where[0], len(needed))
    counts = needed if raw and where[1] not in page else page.values(where[1], len(needed))
    if len(starts) < len(needed) or len(counts) < len(needed):
        raise ImageError(f"the TIFF image is damaged: it has {min(len(starts), len(counts))} of {len(needed)} pieces")
    pieces = [(start, start + count) for start, count in zip(starts, needed if raw else counts, strict=True)]
    if (last := max(end for _, end in pieces)) > len(data):
        raise ImageError(f"the TIFF image is truncated: its pixels reach to byte {last}, and it has {len(data)}")
    held = sum(counts)
    ratio = RATIOS[compression]
    if (raw and any(count < least for count, least in zip(counts, needed, strict=True))) or (
        ratio and sum(needed) > ratio * min(held, len(data))
    ):
        raise ImageError(f"the TIFF image is damaged: {held} bytes cannot hold its {sum(needed)} bytes of pixels")
    if compression == JPEG and (scans := max(data.count(b"\xff\xda", *piece) for piece in pieces)) > MAX_SCANS:
        raise ImageError(f"the TIFF image has {scans} scans, the limit is {MAX_SCANS}")
    return pieces


def _placed(data: bytes, pieces: Sequence[tuple[int, int]]) -> tuple[list[memoryview], list[tuple[int, int]]]:
    """Returns what is to be written, each piece once however often it is shown, and start and length of them all."""
    view = memoryview(data)
    starts: dict[tuple[int, int], int] = {}
    end = _HEADER_BYTES
    for piece in pieces:
        if piece not in starts:
            starts[piece] = end
            end += piece[1] - piece[0]
            if end > len(data) + _HEADER_BYTES:
                raise ImageError("the TIFF image is damaged: its strips or tiles overlap")
    return [view[start:stop] for start, stop in starts], [(starts[piece], piece[1] - piece[0]) for piece in pieces]


def _written(order: str, tags: Tags, pixels: Sequence[memoryview]) -> bytes:
    """Returns a TIFF of one page: header, pixels, values that do not fit into the directory, directory."""
    end = _HEADER_BYTES + sum(len(piece) for piece in pixels)
    entries, outside = [], []
    for tag, (kind, values) in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}{_LAYOUTS[kind]}", *values)
        place = packed.ljust(4, b"\0")
        if len(packed) > 4:
            place = struct.pack(f"{order}I", end)
            outside.append(packed)
            end += len(packed)
        entries.append(struct.pack(f"{order}HHI", tag, kind, len(values)) + place)
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, end)
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4)
    return b"".join((head, *pixels, *outside, directory))

"""JPEG files without the segments that their pixels do not need.

After ITU-T T.81, annex B; JFIF 1.02; CIPA DC-008 (EXIF 2.3). The turn is kept in EXIF, because a JPEG cannot be turned
without loss unless its sides are multiples of its blocks: browsers and viewers turn it, and so does every decoder here.
"""

import re
import struct
from collections.abc import Iterator

from servicekit.images.exif import UPRIGHT
from servicekit.images.limits import ImageError

MAX_SEGMENTS = 2_000  # a progressive picture has about 60

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # those that begin a segment, and the end
_SOS, _EOI, _APP0, _APP1 = 0xDA, 0xD9, 0xE0, 0xE1
# Headers of pixels, Huffman tables, scans, quantisation, number of lines, restarts.
_NEEDED = frozenset({0xC0, 0xC1, 0xC2, 0xC4, _EOI, _SOS, 0xDB, 0xDC, 0xDD})
_NAMED = {_APP0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}  # density, colours, kind of colours
_EXIF = b"Exif\0\0"
_JFIF_BYTES = 18  # marker, length, name, version, density, and the size of a preview


def stripped(data: bytes, orientation: int) -> bytes:
    """Returns the file without what is private, and `data` itself where there is nothing of it.

    `orientation` is that of its EXIF, 1 to 8. `data` has passed servicekit's inspection, so that its segments before
    the pixels are sound. Raises ImageError for one that is truncated after that.
    """
    view = memoryview(data)
    kept: list[bytes | memoryview] = [view[:2]]
    turn = _turn(orientation)
    before, in_scan = 2, False
    for marker, start, end in _segments(data):
        if in_scan:
            kept.append(view[before:start])
        if turn and marker == _APP1 and data.startswith(_EXIF, start + 4, end):
            kept.append(turn)
            turn = b""
        elif marker in _NEEDED or (marker in _NAMED and data.startswith(_NAMED[marker], start + 4, end)):
            kept += _without_preview(view[start:end], marker)
        before, in_scan = end, marker == _SOS
    return _joined(kept, data)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yields marker, start and end of each segment, the end of the picture last; raises ImageError."""
    end = 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, end)
        if not found:
            raise ImageError("the JPEG image is truncated: its end is missing")
        start, marker = found.start(), data[found.end() - 1]
        if marker == _EOI:
            yield marker, start, found.end()
            return
        end = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
        yield marker, start, end
    raise ImageError(f"the JPEG image has more than {MAX_SEGMENTS} segments")


def _without_preview(segment: memoryview, marker: int) -> list[bytes | memoryview]:
    """Returns the segment; that of JFIF without the small picture that can follow its density."""
    if marker != _APP0 or len(segment) <= _JFIF_BYTES:
        return [segment]
    return [segment[:2], struct.pack(">H", _JFIF_BYTES - 2), segment[4 : _JFIF_BYTES - 2], b"\0\0"]


def _turn(orientation: int) -> bytes:
    """Returns a segment of EXIF that says nothing but the turn; empty where there is none."""
    if orientation == UPRIGHT:
        return b""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    content = _EXIF + b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def _joined(kept: list[bytes | memoryview], data: bytes) -> bytes:
    """Returns the pieces as one; `data`, uncopied, where they are all of it."""
    if sum(map(len, kept)) != len(data):
        return b"".join(kept)
    whole = all(isinstance(piece, memoryview) for piece in kept)  # pieces of `data`, in their order
    return data if whole or b"".join(kept) == data else b"".join(kept)

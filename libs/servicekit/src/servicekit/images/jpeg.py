"""JPEG files: read marker by marker up to the pixels, and only the segments that the pixels need handed on.

After ITU-T T.81, annex B. What libjpeg can be made to do by a small file is bounded here: the passes over the pixels
and the memory of a progressive picture.
"""

import io
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image, JpegImagePlugin

from servicekit.images import exif
from servicekit.images.limits import DAMAGED, ImageError, Limits
from servicekit.images.pixels import reduced

MAX_SEGMENTS = 500  # before the pixels; a file with a colour profile, EXIF and XMP has about 30
MAX_SCANS = 40  # a progressive file has about 10; each one costs a pass over all pixels
MAX_GAP_BYTES = 1024  # between segments, where careless writers leave something
COEFFICIENT_BYTES = 2
_SCALES = (8, 4, 2, 1)  # libjpeg can compute fewer pixels out of each block

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # those that begin a segment, and the end
_EOI, _SOS, _APP1, _ADOBE = 0xD9, 0xDA, 0xE1, 0xEE
_PROGRESSIVE = 0xC2
_READABLE = (0xC0, 0xC1, _PROGRESSIVE)
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_TABLES = frozenset({0xC4, 0xDB, 0xDD, 0xE0, _ADOBE})  # Huffman, quantisation, restarts, JFIF, Adobe


@dataclass(frozen=True, eq=False)
class JpegFile:
    """A JPEG whose segments before the pixels are sound."""

    data: bytes
    size: tuple[int, int]
    orientation: int
    adobe: bool

    def load(self, factor: int) -> Image.Image:
        """Decodes the pixels, by fractions of its blocks where it is to be reduced; raises ImageError."""
        scale = next(scale for scale in _SCALES if scale <= factor)
        try:
            image = JpegImagePlugin.JpegImageFile(io.BytesIO(self.data))
            if image.mode == "CMYK" and not self.adobe:
                _take_inks_as_they_are(image)
            if scale > 1:
                image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))
            image.load()
        except DAMAGED as error:
            raise ImageError(f"the JPEG image is damaged: {error}") from None
        rest = max(1, factor * max(image.size) // max(self.size))
        return reduced(image, "RGB" if image.mode == "CMYK" else image.mode, rest)


def _take_inks_as_they_are(image: JpegImagePlugin.JpegImageFile) -> None:
    """Pillow takes all CMYK for inverted; only Adobe's is."""
    image.tile = [image.tile[0]._replace(args=("CMYK", ""))]


@dataclass(frozen=True)
class _Frame:
    size: tuple[int, int]
    components: int
    progressive: bool
    coefficients: int


def inspect(data: bytes, limits: Limits) -> JpegFile:
    """Checks everything before the pixels; raises ImageError before anything is decoded."""
    view = memoryview(data)
    kept = [view[:2]]
    frame, orientation, adobe, start = None, 0, False, 0
    for marker, start, end in _segments(data):
        if marker in _FRAMES:
            if frame:
                raise ImageError("the JPEG image is damaged: it has two headers")
            frame = _frame(marker, data[start + 4 : end], limits)
        elif marker == _APP1 and not orientation and data.startswith(b"Exif\0\0", start + 4, end):
            orientation = exif.orientation(data[start + 10 : end])
        elif marker == _ADOBE and data.startswith(b"Adobe", start + 4, end):
            adobe = True
        if marker in _FRAMES or marker in _TABLES:
            kept.append(view[start:end])
    if not frame:
        raise ImageError("the JPEG image is damaged: its pixels come before its header")
    _check_scans(frame, data, start, limits)
    kept.append(view[start:])
    return JpegFile(b"".join(kept), frame.size, orientation or exif.UPRIGHT, adobe)


def size(data: bytes) -> tuple[int, int] | None:
    """Returns width and height by the header, None where there is none that can be read."""
    with suppress(ImageError, struct.error):
        for marker, start, _ in _segments(data):
            if marker in _FRAMES:
                height, width = struct.unpack_from(">HH", data, start + 5)
                return width, height
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yields marker, start and end of each segment, the header of the first pixels last; raises ImageError."""
    end = 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, end, end + MAX_GAP_BYTES)
        if not found or found.end() + 2 > len(data):
            raise ImageError("the JPEG image is truncated: it ends before its pixels")
        start, marker = found.start(), data[found.start() + 1]
        end = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
        if marker == _EOI or end < start + 4:
            raise ImageError("the JPEG image is damaged: it has no pixels")
        if end > len(data):
            raise ImageError(f"the JPEG image is truncated: {end - len(data)} bytes are missing before its pixels")
        yield marker, start, end
        if marker == _SOS:
            return
    raise ImageError(f"the JPEG image has more than {MAX_SEGMENTS} segments before its pixels")


def _frame(marker: int, content: bytes, limits: Limits) -> _Frame:
    if marker not in _READABLE:
        raise ImageError(f"the JPEG image is compressed in a way that few programs read (SOF{marker - 0xC0})")
    if len(content) < 6 or len(content) < 6 + 3 * content[5]:
        raise ImageError("the JPEG image is damaged: its header is too short")
    bits, height, width, components = struct.unpack_from(">BHHB", content)
    if bits != 8 or components not in (1, 3, 4):
        raise ImageError(f"the JPEG image has {components} colour components of {bits} bits; 1, 3 or 4 of 8 are read")
    limits.check(width, height)
    sampling = [divmod(content[7 + 3 * index], 16) for index in range(components)]
    if not all(1 <= across <= 4 and 1 <= down <= 4 for across, down in sampling):
        raise ImageError("the JPEG image is damaged: its header has a sampling factor beyond 1 to 4")
    whole = max(across for across, _ in sampling) * max(down for _, down in sampling)
    samples = sum(across * down for across, down in sampling)
    return _Frame((width, height), components, marker == _PROGRESSIVE, width * height * samples // whole)


def _check_scans(frame: _Frame, data: bytes, start: int, limits: Limits) -> None:
    """Refuses what would take too many passes, or more memory than the largest picture that comes in one pass."""
    if not frame.progressive and data[start + 4] == frame.components:
        return  # one pass: libjpeg keeps no coefficients
    scans = data.count(b"\xff\xda", start)
    if scans > MAX_SCANS:
        raise ImageError(f"the JPEG image has {scans} scans, the limit is {MAX_SCANS}")
    needed, limit = COEFFICIENT_BYTES * frame.coefficients, 4 * limits.max_pixels
    if needed > limit:
        raise ImageError(
            f"the JPEG image is progressive and takes {needed} bytes to decode, the limit is {limit}: "
            "save it without that option"
        )

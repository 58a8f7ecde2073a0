"""How a page of a TIFF tells its pixels: read from its tags, refused where Pillow would not read it or read it wrongly.

After TIFF revision 6.0 (Adobe, 1992), sections 3 to 6, 8, 9, 16 and 22, and its technical note 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from servicekit.images.directories import Directory
from servicekit.images.limits import ImageError

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, SAMPLES, PLANAR = 256, 257, 258, 259, 262, 266, 277, 284
T4_OPTIONS, T6_OPTIONS, PREDICTOR, COLOURS = 292, 293, 317, 320
EXTRA_SAMPLES, SAMPLE_FORMAT, JPEG_TABLES, SUBSAMPLING = 338, 339, 347, 530

RAW, JPEG = 1, 7
_CCITT = (2, 3, 4)
_PREDICTED = (5, 8, 32946)  # LZW and Deflate may tell differences of neighbours
# What is read, and how many times larger it unpacks at most; None: a white page takes next to nothing.
RATIOS = {RAW: 1, 2: None, 3: None, 4: None, 5: 4096, JPEG: None, 8: 1032, 32946: 1032, 32773: 64}

WHITE_IS_ZERO, GREY, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
_COLOURS = {WHITE_IS_ZERO: 1, GREY: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3}
_DEPTHS = {WHITE_IS_ZERO: (1, 2, 4, 8, 16), PALETTE: (1, 2, 4, 8), GREY: (1, 2, 4, 8, 16), YCBCR: (8,)}

SHORT, LONG, UNDEFINED = 3, 4, 7
Tags = dict[int, tuple[int, Sequence[int]]]  # type and values


@dataclass(frozen=True)
class Pixels:
    """How a page tells its pixels."""

    size: tuple[int, int]
    compression: int
    photometric: int
    depth: int  # bits of a sample
    samples: int
    extra: tuple[int, ...]  # the meaning of a sample beyond the colours

    def n_bytes(self, width: int, height: int) -> int:
        """Returns what so many pixels take unpacked; each row begins with a byte of its own."""
        return (width * self.depth * self.samples + 7) // 8 * height

    @property
    def inverted(self) -> bool:
        return self.photometric == WHITE_IS_ZERO

    @property
    def deep_grey(self) -> bool:
        return self.depth == 16 and self.photometric in (WHITE_IS_ZERO, GREY)


def read(page: Directory) -> Pixels:
    """Refuses whatever Pillow would not read, or read wrongly."""
    compression, photometric = page.value(COMPRESSION, RAW), page.value(PHOTOMETRIC, -1)
    if compression not in RATIOS:
        raise ImageError(f"the TIFF image is compressed in a way that is not read (scheme {compression})")
    if photometric not in _COLOURS or (photometric == YCBCR and compression != JPEG):
        raise ImageError(f"the TIFF image has colours of a kind that is not read (photometric {photometric})")
    samples = page.value(SAMPLES, 1)
    bits = set(page.values(BITS, max(1, min(samples, 16))) or (1,))
    depth = max(bits)
    shown = f"{samples} × {depth} bits a pixel (photometric {photometric})"
    extra = _extra(page, photometric, samples - _COLOURS[photometric], depth)
    whole = set(page.values(SAMPLE_FORMAT, 16)) <= {1, 4}  # not negative, no fractions
    if extra is None or not whole or len(bits) > 1 or depth not in _DEPTHS.get(photometric, (8, 16)):
        raise ImageError(f"the TIFF image has pixels of a kind that is not read: {shown}")
    if samples > 1 and page.value(PLANAR, 1) != 1:
        raise ImageError("the TIFF image keeps its colours in separate planes; that is not read")
    if compression in _CCITT and (depth, samples) != (1, 1):
        raise ImageError(f"the TIFF image is damaged: it is compressed as a fax and has {shown}")
    if compression == JPEG and depth != 8:
        raise ImageError(f"the TIFF image is damaged: it is compressed as JPEG and has {shown}")
    return Pixels((page.value(WIDTH, 0), page.value(HEIGHT, 0)), compression, photometric, depth, samples, extra)


def _extra(page: Directory, photometric: int, count: int, depth: int) -> tuple[int, ...] | None:
    """Returns what the samples beyond the colours mean, at most one; None for what is not read."""
    if not count:
        return ()
    meaning = page.value(EXTRA_SAMPLES, 2)  # alpha, where a writer forgot to say it
    read = (photometric == GREY and depth == 8) or photometric == RGB or (photometric == CMYK and depth == 8)
    if count != 1 or not read or meaning not in (0, 1, 2) or (photometric == CMYK and meaning):
        return None
    return (meaning,)


def described(page: Directory, pixels: Pixels) -> Tags:
    """Returns the tags that say how the pixels are told; where they are is added later."""
    photometric = GREY if pixels.photometric == WHITE_IS_ZERO else pixels.photometric
    tags: Tags = {
        WIDTH: (LONG, pixels.size[:1]),
        HEIGHT: (LONG, pixels.size[1:]),
        BITS: (SHORT, (pixels.depth,) * pixels.samples),
        COMPRESSION: (SHORT, (pixels.compression,)),
        PHOTOMETRIC: (SHORT, (photometric,)),
        SAMPLES: (SHORT, (pixels.samples,)),
    }
    if pixels.extra:
        tags[EXTRA_SAMPLES] = (SHORT, pixels.extra)
    if page.value(FILL_ORDER, 1) == 2 and pixels.depth <= 8 and not pixels.extra:
        tags[FILL_ORDER] = (SHORT, (2,))
    if pixels.photometric == PALETTE:
        tags[COLOURS] = (SHORT, _colours(page, 1 << pixels.depth))
    return tags | _compressed(page, pixels)


def _compressed(page: Directory, pixels: Pixels) -> Tags:
    """Returns the tags that only some ways to compress have."""
    tags: Tags = {}
    if pixels.compression in _PREDICTED and PREDICTOR in page:
        predictor = page.value(PREDICTOR, 1)
        if predictor not in (1, 2) or (predictor == 2 and pixels.depth < 8):
            raise ImageError(f"the TIFF image is compressed in a way that is not read (predictor {predictor})")
        tags[PREDICTOR] = (SHORT, (predictor,))
    for compression, option in ((3, T4_OPTIONS), (4, T6_OPTIONS)):
        if pixels.compression == compression and option in page:
            tags[option] = (LONG, (page.value(option, 0),))
    if pixels.compression == JPEG:
        if tables := page.content(JPEG_TABLES):
            tags[JPEG_TABLES] = (UNDEFINED, tables)
        if pixels.photometric == YCBCR and len(sampling := page.values(SUBSAMPLING, 2)) == 2:
            tags[SUBSAMPLING] = (SHORT, sampling)
    return tags


def _colours(page: Directory, count: int) -> Sequence[int]:
    """Returns the palette: all red, all green, all blue, of 16 bits each."""
    colours = page.values(COLOURS, 3 * count)
    if len(colours) < 3 * count:
        raise ImageError(f"the TIFF image is damaged: its palette has {len(colours) // 3} of {count} colours")
    return colours if max(colours) > 255 else [257 * colour for colour in colours]  # some write 8 bits

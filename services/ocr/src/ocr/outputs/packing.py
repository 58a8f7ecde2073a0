"""The pixels of a picture's file as PDF takes them, untouched where it can show them so.

JPEG goes in byte for byte, PNG with its compressed pixels as they are; neither is decoded. Transparency is laid on
paper, as for reading. All else is decoded and packed without loss: black and white as fax (CCITT group 4), few
colours as a palette. Where the file itself was lossy (WebP, JPEG within a TIFF), a copy without loss would be many
times as large: it becomes JPEG of the best quality that keeps to MAX_GROWTH, and of the least one otherwise.
"""

import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from pikepdf import Array, Dictionary, Name, String
from PIL import Image, JpegImagePlugin, TiffImagePlugin
from servicekit import images
from servicekit.images import directories, jpeg, kinds, png

from ocr.preprocess import picture_of

MAX_GROWTH = 1.1
QUALITIES = (95, 92, 88, 84, 80, 75)  # of JPEG; below, text suffers
MAX_PALETTE = 256
FEW_GREYS = 16  # so few take less as a palette of 4 bits

_SPACES = {1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}
_CHANNELS = {"L": 1, "RGB": 3, "CMYK": 4, "YCbCr": 3}
_PNG_CHANNELS = {png.GREY: 1, png.RGB: 3, png.PALETTE: 1}  # what PDF takes as it is: no transparency
_INTERLACED = 28  # its position in a PNG
_COMPRESSION, _TIFF_JPEG = 259, (6, 7)
_ROWS_PER_STRIP, _STRIP_OFFSETS, _STRIP_BYTES = 278, 273, 279


@dataclass(frozen=True, eq=False)
class Packed:
    """A picture's data and its members of PDF's image dictionary; `orientation` is EXIF's, still to be applied."""

    data: bytes
    size: tuple[int, int]
    members: Mapping[str, Any]
    orientation: int = 1

    @property
    def upright_size(self) -> tuple[int, int]:
        width, height = self.size
        return (height, width) if self.orientation >= 5 else (width, height)


def pack(data: bytes, limits: images.Limits, frame: int = 0) -> Packed:
    """Returns one frame; raises servicekit's ImageError."""
    kind = kinds.of(data)
    if kind is kinds.JPEG and kind.name in limits.formats:
        return _of_jpeg(data, jpeg.inspect(data, limits))
    if kind is kinds.PNG and kind.name in limits.formats:
        file = png.inspect(data, limits)
        if file.colour in _PNG_CHANNELS and file.transparent is None and not data[_INTERLACED]:
            return _of_png(file)
    image = images.decode(data, limits, frame=frame)
    if not _is_lossy(data, frame, limits):
        return lossless(image)
    return lossy(image, int(MAX_GROWTH * len(data) / images.frames(data, limits)))


def lossless(image: Image.Image) -> Packed:
    """Returns the pixels in the smallest form that keeps each of them."""
    compact = _compact(_opaque(image))
    if compact.mode == "1":
        return _fax(compact)
    file = io.BytesIO()
    compact.save(file, "PNG", optimize=True)
    return _of_png(png.inspect(file.getvalue(), images.Limits(("PNG",), compact.width * compact.height)))


def lossy(image: Image.Image, most_bytes: int) -> Packed:
    """Returns JPEG of the best of QUALITIES that takes at most `most_bytes`; of the least one if none does."""
    opaque, data = _opaque(image), b""
    for quality in QUALITIES:
        file = io.BytesIO()
        opaque.save(file, "JPEG", quality=quality, optimize=True)
        data = file.getvalue()
        if len(data) <= most_bytes:
            break
    return _of_jpeg(data, jpeg.inspect(data, images.Limits(("JPEG",), opaque.width * opaque.height)))


def _of_jpeg(data: bytes, file: jpeg.JpegFile) -> Packed:
    """Returns the whole file; the header tells its colours, and Adobe's CMYK is inverted."""
    channels = _CHANNELS[JpegImagePlugin.JpegImageFile(io.BytesIO(file.data)).mode]
    members: dict[str, Any] = {
        "ColorSpace": Name(_SPACES[channels]),
        "BitsPerComponent": 8,
        "Filter": Name.DCTDecode,
    }
    if channels == 4 and file.adobe:
        members["Decode"] = Array([1, 0] * 4)
    return Packed(data, file.size, members, file.orientation)


def _of_png(file: png.PngFile) -> Packed:
    """Returns the compressed pixels; PDF knows PNG's predictors (ISO 32000-1, 7.4.4.4)."""
    contents: dict[bytes, list[bytes]] = {}
    for name, content in _chunks(file.data):
        contents.setdefault(name, []).append(content)
    channels = _PNG_CHANNELS[file.colour]
    space: Any = Name(_SPACES[channels])
    if file.colour == png.PALETTE:
        palette = contents[b"PLTE"][0]
        space = Array([Name.Indexed, Name.DeviceRGB, len(palette) // 3 - 1, String(palette)])
    members = {
        "ColorSpace": space,
        "BitsPerComponent": file.depth,
        "Filter": Name.FlateDecode,
        "DecodeParms": Dictionary(Predictor=15, Colors=channels, BitsPerComponent=file.depth, Columns=file.size[0]),
    }
    return Packed(b"".join(contents[b"IDAT"]), file.size, members, file.orientation)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields name and content of the chunks of a PNG that is known to be sound."""
    position = len(png.SIGNATURE)
    while position < len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        yield name, data[position + 8 : position + 8 + length]
        position += 12 + length


def _fax(image: Image.Image) -> Packed:
    """Returns black and white pixels in CCITT's group 4, which libtiff writes as a single strip."""
    file = io.BytesIO()
    image.save(file, "TIFF", compression="group4", tiffinfo={_ROWS_PER_STRIP: image.height})
    file.seek(0)
    tags = TiffImagePlugin.TiffImageFile(file).tag_v2
    (start,), (length,) = tags[_STRIP_OFFSETS], tags[_STRIP_BYTES]
    members = {
        "ColorSpace": Name.DeviceGray,
        "BitsPerComponent": 1,
        "Filter": Name.CCITTFaxDecode,
        "DecodeParms": Dictionary(K=-1, Columns=image.width, Rows=image.height, BlackIs1=True),
    }
    return Packed(file.getvalue()[start : start + length], image.size, members)


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "RGB") and not image.has_transparency_data:
        return image
    return Image.fromarray(picture_of(image)[..., ::-1])


def _compact(image: Image.Image) -> Image.Image:
    """Returns the same pixels in mode 1, P, L or RGB, whichever takes least."""
    pixels = np.asarray(image)
    if image.mode == "RGB" and (pixels == pixels[..., :1]).all():
        image = image.getchannel(0)
    colours = image.getcolors(MAX_PALETTE)
    if colours is None:
        return image
    values = [colour for _, colour in colours]
    if image.mode == "L" and set(values) <= {0, 255}:
        return image.convert("1", dither=Image.Dither.NONE)
    if image.mode == "L" and len(values) > FEW_GREYS:
        return image
    return _with_palette(image)


def _with_palette(image: Image.Image) -> Image.Image:
    """Returns at most MAX_PALETTE colours as a palette of exactly these."""
    channels = np.asarray(image.convert("RGB")).astype(np.uint32)
    codes = channels[..., 0] << 16 | channels[..., 1] << 8 | channels[..., 2]
    colours, indices = np.unique(codes, return_inverse=True)
    packed = Image.fromarray(indices.reshape(codes.shape).astype(np.uint8)).convert("P")
    packed.putpalette(b"".join(int(colour).to_bytes(3) for colour in colours))
    return packed


def _is_lossy(data: bytes, frame: int, limits: images.Limits) -> bool:
    """Whether the file itself has lost something already."""
    kind = kinds.of(data)
    if kind.name == "WEBP":
        return b"VP8 " in data[12:16] or (data[12:16] == b"VP8X" and b"VP8L" not in data[:256] and b"VP8 " in data)
    if kind is not kinds.TIFF:
        return False
    directory = next(islice(directories.pages(data, limits.max_frames), frame, None))
    return directory.value(_COMPRESSION, 1) in _TIFF_JPEG

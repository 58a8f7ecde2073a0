"""PDFs of pictures: each frame a page, as large as its resolution makes it, upright as EXIF asks."""

import io
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from PIL import TiffImagePlugin
from servicekit import images
from servicekit.images import kinds
from servicekit.images.limits import DAMAGED, FORMATS

from ocr.outputs import layer
from ocr.outputs.packing import Packed, pack
from ocr.outputs.placement import number
from ocr.outputs.results import Result

LIMITS = images.Limits(FORMATS, 1 << 28)
DEFAULT_DPI = 96.0  # where a file says nothing; as browsers show it
LEAST_DPI, MOST_DPI = 36.0, 2400.0
LEAST_POINTS, MOST_POINTS = 3.0, 14_400.0  # the smallest and largest page that viewers show (ISO 32000-1, annex C)
PRODUCER = "Lineside ocr"
_INCH = {1: 1.0, 2: 2.54}  # JFIF's units, dots per inch and per centimetre, as factors to inches

# The matrix that shows the unit square upright on a page of 1 × 1, by EXIF's orientation.
_MATRICES = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}


def write(files: Sequence[bytes], results: Iterable[Result], target: Path, limits: images.Limits = LIMITS) -> None:
    """Writes the PDF of the pictures, with the text of the results over them; raises servicekit's ImageError.

    What was packed stays in memory until all is written: about as much as the files.
    """
    with Pdf.new() as pdf:
        for data in files:
            dpi = resolution(data)
            for frame in range(images.frames(data, limits)):
                _add_page(pdf, pack(data, limits, frame), dpi)
        layer.lay(pdf, ((result.number, result.page) for result in results))
        pdf.docinfo[Name.Producer] = pikepdf.String(PRODUCER)
        layer.save(pdf, target, ours=True)


def resolution(data: bytes) -> float:
    """Returns the pixels per inch that the file claims, DEFAULT_DPI where it claims none that can be true."""
    kind, dpi = kinds.of(data), 0.0
    if kind is kinds.JPEG and data[6:11] == b"JFIF\0" and len(data) > 16:
        unit, across = struct.unpack_from(">BH", data, 13)
        dpi = across * _INCH.get(unit, 0.0)
    elif kind is kinds.PNG and 0 < (start := data.find(b"pHYs", 33, 4096)) < len(data) - 13:
        across, _, unit = struct.unpack_from(">IIB", data, start + 4)
        dpi = across * 0.0254 if unit == 1 else 0.0
    elif kind is kinds.TIFF:
        dpi = _tiff_resolution(data)
    return dpi if LEAST_DPI <= dpi <= MOST_DPI else DEFAULT_DPI


def _tiff_resolution(data: bytes) -> float:
    """Returns that of the first page, 0 where none can be read."""
    with suppress(*DAMAGED):
        return float(TiffImagePlugin.TiffImageFile(io.BytesIO(data)).info.get("dpi", (0, 0))[0])
    return 0.0


def _add_page(pdf: Pdf, packed: Packed, dpi: float) -> None:
    width, height = page_size(packed.upright_size, dpi)
    image = Stream(pdf, packed.data, Type=Name.XObject, Subtype=Name.Image, Width=packed.size[0], Height=packed.size[1])
    for key, value in packed.members.items():
        image[f"/{key}"] = value
    a, b, c, d, e, f = _MATRICES[packed.orientation]
    matrix = " ".join(number(v, 3) for v in (a * width, b * height, c * width, d * height, e * width, f * height))
    page = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, round(width, 3), round(height, 3)]),
        Resources=Dictionary(XObject=Dictionary(Image=image)),
        Contents=Stream(pdf, f"q {matrix} cm /Image Do Q".encode("ascii")),
    )
    pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))


def page_size(pixels: tuple[int, int], dpi: float) -> tuple[float, float]:
    """Returns width and height in points, within what viewers show."""
    width, height = (72 * side / dpi for side in pixels)
    scale = min(1.0, MOST_POINTS / max(width, height))
    return max(width * scale, LEAST_POINTS), max(height * scale, LEAST_POINTS)

import io
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pypdfium2
import pytest
from ocr.outputs import searchable_pdf
from ocr.outputs.packing import MAX_GROWTH, pack
from ocr.outputs.pictures import LIMITS, page_size, resolution
from ocr.pages import Line, Page
from PIL import Image, ImageDraw, ImageFont, ImageOps
from servicekit.images import ImageError, Limits

TEXT_BOX = (20, 20, 200, 60)


@dataclass
class Result:
    number: int
    page: Page
    dpi: float | None = None


def drawn(mode: str = "RGB", size: tuple[int, int] = (320, 200)) -> Image.Image:
    """Returns a picture that is different in each corner, with shades and a line of text."""
    noise = random.Random(7)
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        place = noise.randrange(size[0]), noise.randrange(size[1])
        draw.rectangle((*place, place[0] + 9, place[1] + 9), fill=tuple(noise.randrange(256) for _ in range(3)))
    draw.text((20, 20), "Lineside 42", fill="white", font=ImageFont.load_default(32))
    return image.convert(mode)


def scanned(size: tuple[int, int] = (1240, 800)) -> Image.Image:
    image = Image.new("1", size, 1)
    draw = ImageDraw.Draw(image)
    for row in range(12):
        draw.text((60, 40 + 60 * row), f"line {row} of a page in black and white", font=ImageFont.load_default(36))
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def read(size: tuple[int, int]) -> Page:
    left, top, right, bottom = TEXT_BOX
    line = Line("Lineside 42", 0.9, ((left, top), (right, top), (right, bottom), (left, bottom)), ())
    return Page(*size, (line,))


def written(tmp_path: Path, files: Sequence[bytes], size: tuple[int, int], n_pages: int = 1) -> Path:
    target = tmp_path / "out.pdf"
    searchable_pdf(files, (Result(number + 1, read(size)) for number in range(n_pages)), target)
    return target


def shown(path: Path, width: int, index: int = 0) -> Image.Image:
    """Returns the page as pdfium draws it, as many pixels wide as the picture."""
    with pypdfium2.PdfDocument(path) as document:
        page = document[index]
        return page.render(scale=width / page.get_width(), no_smoothimage=True).to_pil().convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    return float(np.abs(np.asarray(one.convert("RGB"), int) - np.asarray(other.convert("RGB"), int)).mean())


@dataclass
class Stored:
    """What a document holds of its first picture."""

    data: bytes
    members: dict[str, Any]


def image_of(path: Path) -> Stored:
    with pikepdf.open(path) as document:
        image = document.pages[0].obj.Resources.XObject.Image
        return Stored(image.read_raw_bytes(), json.loads(image.stream_dict.to_json()))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"dpi": (300, 300)}], ids=str)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_goes_in_byte_for_byte(tmp_path: Path, mode: str, options: dict[str, Any]) -> None:
    data = encoded(drawn(mode), "JPEG", **options)
    path = written(tmp_path, [data], (320, 200))
    assert image_of(path).data == data
    assert difference(shown(path, 320), Image.open(io.BytesIO(data))) < 3


def test_inks_are_shown_as_they_were_meant(tmp_path: Path) -> None:
    data = encoded(drawn("CMYK"), "JPEG", quality=95)
    path = written(tmp_path, [data], (320, 200))
    members = image_of(path).members
    assert (members["/ColorSpace"], members["/Decode"]) == ("/DeviceCMYK", [1, 0] * 4)
    assert (
        difference(shown(path, 320), Image.open(io.BytesIO(data))) < 40
    )  # pdfium's inks are not Pillow's; inverted: 127


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_upright_without_being_decoded(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    data = encoded(drawn(), "JPEG", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    path = written(tmp_path, [data], expected.size)
    assert image_of(path).data == data
    assert difference(shown(path, expected.width), expected) < 3


@pytest.mark.parametrize(
    "image", [drawn(), drawn("L"), drawn("P"), drawn("1"), drawn("L").convert("I;16")], ids=lambda i: i.mode
)
def test_the_compressed_pixels_of_a_png_go_in_as_they_are(tmp_path: Path, image: Image.Image) -> None:
    data = encoded(image, "PNG")
    path = written(tmp_path, [data], image.size)
    assert image_of(path).data in data
    if image.mode != "I;16":
        assert difference(shown(path, image.width), image) < 1


def test_what_is_transparent_lies_on_paper(tmp_path: Path) -> None:
    dark, light = Image.new("RGBA", (320, 200)), Image.new("RGBA", (320, 200))
    ImageDraw.Draw(dark).rectangle((50, 50, 99, 99), fill=(0, 0, 0, 255))
    ImageDraw.Draw(light).rectangle((50, 50, 99, 99), fill=(255, 255, 255, 255))
    for image, paper in ((dark, 255), (light, 0)):
        page = shown(written(tmp_path, [encoded(image, "PNG")], image.size), 320).convert("L")
        assert (page.getpixel((5, 5)), page.getpixel((75, 75))) == (paper, 255 - paper)


def test_a_transparent_colour_of_a_palette_is_no_obstacle(tmp_path: Path) -> None:
    image = drawn("P")
    path = written(tmp_path, [encoded(image, "PNG", transparency=0)], image.size)
    assert image_of(path).members["/Width"] == 320


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TIFF", "WEBP"])
def test_other_files_are_packed_without_loss(tmp_path: Path, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(drawn("P" if kind == "GIF" else "RGB"), kind, **options)
    path = written(tmp_path, [data], (320, 200))
    assert difference(shown(path, 320), Image.open(io.BytesIO(data))) == 0


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1"])
def test_pixels_survive_packing(tmp_path: Path, mode: str) -> None:
    image = drawn(mode)
    assert difference(shown(written(tmp_path, [encoded(image, "BMP")], image.size), 320), image) == 0


def test_few_greys_take_little(tmp_path: Path) -> None:
    image = drawn("L").point(lambda level: level // 64 * 85)
    packed = pack(encoded(image, "BMP"), LIMITS)
    assert packed.members["BitsPerComponent"] == 2
    assert difference(shown(written(tmp_path, [encoded(image, "BMP")], image.size), 320), image) == 0


@pytest.mark.parametrize(
    ("image", "kind", "options"),
    [
        (drawn(), "JPEG", {"quality": 60}),
        (drawn(), "PNG", {}),
        (drawn("P"), "GIF", {}),
        (scanned(), "TIFF", {"compression": "group4"}),
        (scanned(), "PNG", {}),
        (drawn(size=(1000, 800)), "TIFF", {"compression": "jpeg", "quality": 90}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_document_is_hardly_larger_than_the_picture(
    tmp_path: Path, image: Image.Image, kind: str, options: dict[str, Any]
) -> None:
    data = encoded(image, kind, **options)
    path = written(tmp_path, [data], image.size)
    overhead = 4096  # the font and the document's own objects
    assert path.stat().st_size <= MAX_GROWTH * len(data) + overhead, (path.stat().st_size, len(data))


def test_each_frame_of_a_tiff_and_each_file_is_a_page(tmp_path: Path) -> None:
    frames = [scanned(), drawn(), drawn("L", (200, 320))]
    tiff = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    path = written(tmp_path, [tiff, encoded(drawn("1"), "PNG")], (320, 200), n_pages=4)
    with pypdfium2.PdfDocument(path) as document:
        assert len(document) == 4
        assert [document[index].get_textpage().get_text_range() for index in range(4)] == ["Lineside 42"] * 4
    for index, frame in enumerate(frames):
        assert difference(shown(path, frame.width, index), frame) == 0


def test_the_words_stand_over_those_of_the_picture(tmp_path: Path) -> None:
    data = encoded(drawn(), "PNG", dpi=(144, 144))
    with pypdfium2.PdfDocument(written(tmp_path, [data], (320, 200))) as document:
        page = document[0]
        assert page.get_size() == pytest.approx((160, 100), abs=0.01)
        text_page = page.get_textpage()
        boxes = [text_page.get_charbox(index) for index in range(len("Lineside 42"))]
    left, bottom = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, top = max(box[2] for box in boxes), max(box[3] for box in boxes)
    assert (2 * left, 200 - 2 * top, 2 * right, 200 - 2 * bottom) == pytest.approx(TEXT_BOX, abs=0.1)


def test_the_same_pictures_give_the_same_bytes(tmp_path: Path) -> None:
    files = [encoded(drawn(), "PNG"), encoded(scanned(), "TIFF")]
    first = written(tmp_path, files, (320, 200)).read_bytes()
    assert written(tmp_path, files, (320, 200)).read_bytes() == first
    with pikepdf.open(io.BytesIO(first)) as document:
        assert {key: str(value) for key, value in document.docinfo.items()} == {"/Producer": "Lineside ocr"}


def test_damaged_and_unwanted_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="text"):
        written(tmp_path, [b"no picture"], (320, 200))
    with pytest.raises(ImageError, match="this call takes PNG"):
        searchable_pdf([encoded(drawn(), "JPEG")], [], tmp_path / "out.pdf", limits=Limits(("PNG",), 1 << 20))
    with pytest.raises(ImageError, match="the limit is"):
        searchable_pdf([encoded(drawn(), "PNG")], [], tmp_path / "out.pdf", limits=Limits(("PNG",), 100))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (encoded(drawn(), "JPEG", dpi=(300, 300)), 300),
        (encoded(drawn(), "PNG", dpi=(200, 200)), 200),
        (encoded(drawn(), "TIFF", dpi=(150, 150)), 150),
        (encoded(drawn(), "PNG"), 96),
        (encoded(drawn(), "JPEG", dpi=(1, 1)), 96),
        (encoded(drawn(), "BMP"), 96),
        (b"II*\0", 96),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", 96),
    ],
    ids=range(8),
)
def test_the_resolution_is_the_files_where_it_can_be_true(data: bytes, expected: float) -> None:
    assert resolution(data) == pytest.approx(expected, abs=0.1)


def test_a_page_is_never_larger_or_smaller_than_viewers_show() -> None:
    assert page_size((1, 60_000), 36.0) == (3.0, 14_400.0)
    assert page_size((96, 192), 96.0) == (72.0, 144.0)


def test_the_limited_process_loads_no_arrays() -> None:
    heavy = {"cv2", "numpy", "fastapi", "onnxruntime"}
    code = f"import sys, ocr.outputs.layer; sys.exit(', '.join({heavy} & {{*sys.modules}}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr.strip() == ""

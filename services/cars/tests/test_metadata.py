import io
import struct
import zlib

import pytest
from cars import pictures
from cars.metadata import jpeg as jpeg_metadata
from cars.problems import NotAnImage
from hostile import (
    SEVENS,
    chunk,
    exif_jpeg,
    header,
    jpeg,
    png,
    rows_of,
    segment,
    seven,
    tiff,
    turned,
    with_segment,
    zipped,
)
from PIL import Image, ImageChops, ImageOps

ALLOWED = pictures.limits(25_000_000)
SECRETS = (b"52.516", b"Berlin", b"Canon", b"2026:11:21", b"SECRET")


def take(data: bytes, name: str = "car.jpg") -> pictures.Picture:
    return pictures.take(data, name, ALLOWED)


def seen(data: bytes) -> Image.Image:
    """Returns the picture as a viewer shows it."""
    with Image.open(io.BytesIO(data)) as picture:
        shown = ImageOps.exif_transpose(picture)
        assert shown is not None
        return shown.convert("RGB")


def gps_tiff(orientation: int) -> bytes:
    """Returns EXIF with the camera, the time and the position of a photograph."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Canon"
    exif[0x0132] = "2026:11:21 12:00:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 0.5), 3: "E", 4: (13.0, 24.0, 0.5), 29: "2026:11:21"})
    return exif.tobytes().removeprefix(b"Exif\0\0")


XMP = b'http://ns.adobe.com/xap/1.0/\0<rdf:Description exif:GPSLatitude="52.516" photoshop:City="Berlin"/>'
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x06Berlin"


def photograph(orientation: int = 1) -> bytes:
    """Returns a JPEG as a telephone makes them, with all that is private in it."""
    data = jpeg(turned(seven(), orientation), comment=b"SECRET comment")
    data = with_segment(data, 0xED, IPTC)
    data = with_segment(data, 0xE1, XMP)
    data = with_segment(data, 0xE1, b"Exif\0\0" + gps_tiff(orientation))
    return with_segment(data, 0xE4, b"SECRET of the maker")


def test_a_photograph_loses_its_position_and_keeps_every_pixel_and_its_turn():
    for orientation in range(1, 9):
        original = photograph(orientation)
        with Image.open(io.BytesIO(original)) as picture:
            assert picture.getexif().get_ifd(0x8825)[29] == "2026:11:21"
        kept = take(original)
        assert not any(secret in kept.data for secret in SECRETS)
        with Image.open(io.BytesIO(kept.data)) as picture:
            exif = picture.getexif()
            assert not exif.get_ifd(0x8825)
            assert dict(exif) == ({0x0112: orientation} if orientation > 1 else {})
            assert "xmp" not in picture.info
            assert "comment" not in picture.info
        assert ImageChops.difference(seen(kept.data), seen(original)).getbbox() is None


def test_the_pixels_of_a_photograph_are_not_encoded_again():
    original = photograph(6)
    scan = original[original.index(b"\xff\xda") :]
    assert take(original).data.endswith(scan)


def test_what_was_stripped_once_is_not_changed_again():
    for data in (photograph(6), exif_jpeg(seven(), 3, ">"), SEVENS["EXIF in PNG"]()):
        kept = take(data)
        again = take(kept.data)
        assert again.data is kept.data


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_png_that_exif_turns_is_turned_without_loss(orientation):
    picture = Image.linear_gradient("L").resize((40, 20))
    turned_picture = turned(picture, orientation)
    colours = chunk(b"gAMA", struct.pack(">I", 45455))
    data = png(header(*turned_picture.size), rows_of(turned_picture), colours, chunk(b"eXIf", gps_tiff(orientation)))
    kept = take(data, "car.png")
    assert (kept.width, kept.height, kept.content_type) == (40, 20, "image/png")
    with Image.open(io.BytesIO(kept.data)) as shown:
        assert ImageChops.difference(shown, picture).getbbox() is None
        assert shown.info == {"gamma": 0.45455}
    assert b"eXIf" not in kept.data


def test_a_png_loses_texts_time_exif_and_further_pictures_and_keeps_its_colours():
    private = [
        chunk(b"tEXt", b"Comment\0SECRET"),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"SECRET")),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        chunk(b"tIME", struct.pack(">H5B", 2026, 11, 21, 12, 0, 0)),
        chunk(b"eXIf", gps_tiff(1)),
        chunk(b"prVt", b"SECRET of a program"),
    ]
    colours = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"sRGB", b"\0")
    kept = take(png(header(64, 64), rows_of(seven()), colours + b"".join(private[:3]), b"".join(private[3:])), "a.png")
    assert kept.data == png(header(64, 64), rows_of(seven()), colours)
    animation = take(SEVENS["animated"](), "a.png")
    assert animation.data == take(SEVENS["plain PNG"](), "a.png").data


def test_previews_and_further_pictures_are_left_out():
    data = jpeg(seven())
    small = b"JFIF\0\1\1\0\0\1\0\1\x08\x02" + b"SECRET" * 8
    assert take(data[:2] + segment(0xE0, small) + data[20:]).data == data
    for marker, content in ((0xE0, b"JFXX\0\x10SECRET"), (0xE2, b"MPF\0SECRET"), (0xE2, b"FPXR\0SECRET")):
        assert take(with_segment(data, marker, content)).data == data


def test_the_colour_profile_stays():
    profile = b"ICC_PROFILE\0\1\1" + bytes(range(200))
    data = with_segment(jpeg(seven()), 0xE2, profile)
    assert take(data).data is data


@pytest.mark.parametrize(
    "appended", [b"garbage", zipped(("a.txt", b"SECRET")), b"<script>alert(1)</script>", jpeg(seven()), b"\0" * 100_000]
)
def test_what_is_appended_is_cut_off(appended):
    for data, name in ((jpeg(seven()), "a.jpg"), (SEVENS["plain PNG"](), "a.png")):
        assert take(data + appended, name).data == data


def test_what_hides_between_the_scans_of_a_progressive_picture_is_left_out():
    data = jpeg(seven().convert("RGB"), progressive=True)
    at = data.rindex(b"\xff\xc4")
    hidden = data[:at] + segment(0xE1, XMP) + segment(0xFE, b"SECRET") + data[at:]
    assert take(hidden).data == data


def test_a_jpeg_of_very_many_segments_is_refused_at_once():
    data = jpeg(seven().convert("RGB"), progressive=True)
    at = data.rindex(b"\xff\xc4")
    with pytest.raises(NotAnImage, match="more than 2000 segments"):
        take(data[:at] + segment(0xFE, b"") * 1_000_000 + data[at:])


def test_only_the_turn_is_left_of_exif():
    written = jpeg_metadata.stripped(exif_jpeg(seven(), 8), 8)
    at = written.index(b"Exif\0\0") + 6
    assert written[at:].startswith(tiff(8, ">"))

"""What is sent of a picture."""

import io

import pytest
from cars.backends.hub_picture import encoded
from cars.recognition import Box
from PIL import Image


def drawn(width: int, height: int) -> Image.Image:
    """Returns a picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGB", (width, height), "blue")
    picture.paste("red", (0, 0, width // 2, height))
    return picture


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["JPEG"])


@pytest.mark.parametrize(
    ("size", "sent"),
    [((4000, 3000), (512, 384)), ((300, 3000), (51, 512)), ((512, 512), (512, 512)), ((40, 30), (40, 30)),
     ((5000, 1), (512, 1)), ((1, 1), (1, 1))],
)  # fmt: skip
def test_the_longer_side_is_at_most_512_and_nothing_is_enlarged(size: tuple[int, int], sent: tuple[int, int]) -> None:
    assert opened(encoded(drawn(*size), None)).size == sent


def test_only_the_box_is_sent() -> None:
    picture = opened(encoded(drawn(2000, 1000), Box(1200, 100, 700, 350)))
    assert picture.size == (512, 256)
    assert picture.getpixel((0, 0)) == pytest.approx((0, 0, 255), abs=6)


def test_nothing_but_pixels_is_sent() -> None:
    picture = drawn(64, 48)
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    picture.info.update(exif=exif.tobytes(), comment=b"where it was taken", icc_profile=b"a profile", dpi=(72, 72))
    sent = opened(encoded(picture, None))
    assert not sent.getexif()
    assert set(sent.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_the_picture_that_is_given_stays_as_it_was() -> None:
    picture = drawn(1000, 800)
    before = picture.tobytes()
    encoded(picture, Box(0, 0, 100, 100))
    assert picture.size == (1000, 800)
    assert picture.tobytes() == before

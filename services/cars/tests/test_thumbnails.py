import io

import pytest
from cars import pictures, thumbnails
from hostile import BROKEN, SEVENS, cmyk, exif_jpeg, jpeg, memory_mib
from PIL import Image, ImageChops, ImageStat
from servicekit.images import ImageError

ALLOWED = pictures.limits(25_000_000)


def make(data: bytes) -> Image.Image:
    thumbnail = Image.open(io.BytesIO(thumbnails.make(data, ALLOWED)))
    assert thumbnail.format == "JPEG"
    return thumbnail


def saved(picture: Image.Image, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 3000), (320, 240)),
        ((3000, 4000), (240, 320)),
        ((640, 480), (320, 240)),
        ((321, 321), (320, 320)),
        ((320, 100), (320, 100)),
        ((64, 48), (64, 48)),
        ((20_000, 2), (320, 1)),
        ((1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_longer_side_has_320_px_and_smaller_pictures_keep_their_size(size, expected, kind):
    assert make(saved(Image.new("L", size, 128), kind)).size == expected


def test_is_upright():
    picture = Image.new("L", (800, 400), 255)
    picture.paste(0, (0, 0, 400, 400))
    for orientation in range(1, 9):
        thumbnail = make(exif_jpeg(picture, orientation))
        assert thumbnail.size == (320, 160)
        assert thumbnail.getpixel((20, 80)) < 20
        assert thumbnail.getpixel((300, 80)) > 235


def test_what_is_transparent_becomes_white():
    picture = Image.new("RGBA", (400, 400), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 200, 400))
    thumbnail = make(saved(picture))
    assert thumbnail.mode == "RGB"
    assert min(thumbnail.getpixel((300, 160))) > 250
    assert thumbnail.getpixel((80, 160))[2] > 240
    assert min(make(saved(Image.new("LA", (400, 400), (0, 0)))).getpixel((100, 100))) > 250


@pytest.mark.parametrize("adobe", [True, False])
def test_inks_become_the_colours_of_screens(adobe):
    picture = Image.new("RGB", (400, 400), (200, 40, 30))
    thumbnail = make(cmyk(picture, adobe=adobe))
    assert thumbnail.mode == "RGB"
    assert all(abs(seen - was) < 12 for seen, was in zip(thumbnail.getpixel((100, 100)), (200, 40, 30), strict=True))


@pytest.mark.parametrize("name", SEVENS)
def test_every_kind_has_a_thumbnail(name):
    thumbnail = make(SEVENS[name]())
    assert thumbnail.size == (64, 64)
    assert ImageStat.Stat(thumbnail.convert("L")).stddev[0] > 20


def test_is_the_same_for_the_same_picture_and_close_to_it():
    picture = Image.radial_gradient("L").resize((1600, 1200))
    data = jpeg(picture)
    assert thumbnails.make(data, ALLOWED) == thumbnails.make(data, ALLOWED)
    small = picture.resize((320, 240), Image.Resampling.BOX)
    assert ImageStat.Stat(ImageChops.difference(make(data), small)).mean[0] < 2


def test_says_nothing_of_the_camera():
    assert b"Exif" not in thumbnails.make(exif_jpeg(Image.new("L", (400, 400)), 6), ALLOWED)


def test_pixels_that_are_damaged_are_an_error():
    with pytest.raises(ImageError, match="damaged"):
        thumbnails.make(BROKEN["a wrong stream of pixels"][1](), ALLOWED)


def test_a_large_photograph_takes_little_memory():
    photograph = jpeg(Image.radial_gradient("L").resize((5000, 5000)).convert("RGB"))
    prepare = "from cars import pictures, thumbnails; allowed = pictures.limits(25_000_000)"
    for grown in memory_mib(prepare, "thumbnails.make(data, allowed)", [jpeg(Image.new("L", (64, 64))), photograph]):
        assert grown < 12  # all of its pixels would be 75 MB

import hashlib
from contextlib import suppress
from random import Random

import pytest
from cars import pictures
from cars.problems import ImageTooLarge, NotAnImage
from hostile import (
    BROKEN,
    OTHER_KINDS,
    SEVENS,
    blank,
    bomb_chunk,
    cmyk,
    exif_jpeg,
    header,
    jpeg,
    memory_mib,
    png,
    resized_jpeg,
    rows_of,
    seven,
    with_segment,
)
from PIL import Image, ImageChops
from servicekit import images

ALLOWED = pictures.limits(25_000_000)
BROKEN_ONLY_IN_THE_PIXELS = {"a wrong stream of pixels", "no tables"}  # what only a decoder sees


def take(data: bytes, name: str = "car.jpg") -> pictures.Picture:
    return pictures.take(data, name, ALLOWED)


def test_a_picture_without_anything_private_is_kept_byte_for_byte():
    for data in (jpeg(seven()), jpeg(seven(), progressive=True), cmyk(seven(), adobe=True), blank(64, 64)):
        kept = take(data)
        assert kept.data is data
        assert kept.sha256 == kept.upload_sha256 == hashlib.sha256(data).hexdigest()


def test_the_same_upload_is_the_same_picture_and_the_hashes_are_of_what_they_say():
    data = with_segment(exif_jpeg(seven(), 6), 0xFE, b"a comment")
    first, second = take(data, "a.jpg"), take(data, "b.jpg")
    assert first.sha256 == second.sha256 == hashlib.sha256(first.data).hexdigest()
    assert first.upload_sha256 == second.upload_sha256 == hashlib.sha256(data).hexdigest()
    assert first.sha256 != first.upload_sha256


def test_width_and_height_are_those_of_the_upright_picture():
    wide = Image.new("L", (40, 20), 128)
    for orientation in range(1, 9):
        kept = take(exif_jpeg(wide, orientation))
        assert (kept.width, kept.height) == images.decode(kept.data, ALLOWED).size == (40, 20)


@pytest.mark.parametrize("name", SEVENS)
def test_every_kind_of_jpeg_and_png_is_taken_and_shows_the_same(name):
    data = SEVENS[name]()
    kept = take(data)
    assert kept.content_type == ("image/png" if data.startswith(b"\x89PNG") else "image/jpeg")
    was, is_ = (images.decode(file, ALLOWED) for file in (data, kept.data))
    assert (kept.width, kept.height) == is_.size == was.size == (64, 64)
    assert ImageChops.difference(is_.convert("RGBA"), was.convert("RGBA")).getbbox() is None
    assert kept.data.count(b"Exif\0\0") <= 1


@pytest.mark.parametrize("name", OTHER_KINDS)
def test_refuses_what_is_neither_and_says_what_it_is(name):
    said, make = OTHER_KINDS[name]
    with pytest.raises(NotAnImage, match=f'"car.png" cannot be taken: it is {said}; JPEG and PNG are taken'):
        take(make(), "car.png")


@pytest.mark.parametrize("name", sorted(BROKEN.keys() - BROKEN_ONLY_IN_THE_PIXELS - {"half a progressive JPEG"}))
def test_refuses_what_is_broken_or_too_large_and_says_why(name):
    said, make = BROKEN[name]
    with pytest.raises((NotAnImage, ImageTooLarge), match=f"(cannot be taken|is too large): .*{said}") as caught:
        take(make())
    assert caught.value.status == 422


def test_refuses_half_a_progressive_picture():
    with pytest.raises(NotAnImage, match="the JPEG image is truncated: its end is missing"):
        take(BROKEN["half a progressive JPEG"][1]())


def test_too_many_pixels_are_a_problem_of_their_own():
    with pytest.raises(ImageTooLarge, match=r"900.0 million pixels .30000 × 30000., the limit is 25.0 million"):
        take(resized_jpeg(30_000, 30_000))


def test_no_hostile_file_takes_memory():
    claim = BROKEN["a PNG of 30,000 x 30,000 px of 64 bits"][1]()
    assert len(claim) < 100_000
    bomb = png(header(64, 64), rows_of(seven()), bomb_chunk(b"zTXt", b"Comment\0\0", 64 << 20))
    prepare = "from cars import pictures; from servicekit.problems import Problem; import contextlib"
    act = "with contextlib.suppress(Problem): pictures.take(data, 'x', pictures.limits(25_000_000))"
    for grown in memory_mib(prepare, act, [claim, bomb, SEVENS["a profile bomb"](), BROKEN["5,000 passes"][1]()]):
        assert grown < 10
    assert take(bomb).data == png(header(64, 64), rows_of(seven()))


def test_a_jpeg_cut_in_its_pixels_is_refused_even_where_a_segment_follows():
    data = jpeg(seven(256))
    with pytest.raises(NotAnImage, match="truncated"):
        take(data[: len(data) * 2 // 3])
    with pytest.raises(NotAnImage, match="truncated"):
        take(data[: len(data) * 2 // 3] + b"\xff\xe1\xff\xff")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("car.jpg", "car.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\car.jpg", "car.jpg"),
        ("", "unnamed"),
        ("..", "unnamed"),
        ("=cmd|'/c calc'!A1.jpg", "c calc'!A1.jpg"),
        ("=cmd.jpg", "=cmd.jpg"),
        ("<b>&amp;.jpg", "<b>&amp;.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "a��Set-Cookie: x.jpg"),
        ("\u202egpj.exe", "�gpj.exe"),
        ("Škoda Fabia – мой.png", "Škoda Fabia – мой.png"),
        ("a" * 5000 + ".jpg", "a" * 200 + "…" + "a" * 50 + ".jpg"),
    ],
)
def test_names_are_kept_for_display_without_folders_and_controls_and_bounded(given, kept):
    assert take(jpeg(seven()), given).filename == kept


def test_the_kind_is_by_content_not_by_name():
    assert take(jpeg(seven()), "car.png").content_type == "image/jpeg"
    assert take(SEVENS["plain PNG"](), "car.jpg").kind == "png"


def test_a_refusal_shows_a_long_name_short():
    with pytest.raises(NotAnImage) as caught:
        take(b"text", "a" * 5000)
    assert len(caught.value.detail) < 200


@pytest.mark.parametrize(
    "name", ["JPEG in colour", "progressive", "EXIF orientation 6", "interlaced", "EXIF in PNG", "palette"]
)
def test_a_damaged_file_is_refused_or_kept_as_it_shows(name):
    data, random = SEVENS[name](), Random(name)
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(random.choice((1, 1, 3))):
            damaged[random.randrange(2, len(damaged))] = random.choice(
                (0, 0xD9, 0xDA, 0xE1, 0xFF, random.randrange(256))
            )
        with suppress(NotAnImage, ImageTooLarge):
            kept = take(bytes(damaged))
            before = shown(bytes(damaged))
            assert before is None or shown(kept.data) == before


def shown(data: bytes) -> bytes | None:
    """Returns the pixels that this service reads, None where it cannot."""
    try:
        return images.decode(data, ALLOWED).convert("RGBA").tobytes()
    except images.ImageError:
        return None

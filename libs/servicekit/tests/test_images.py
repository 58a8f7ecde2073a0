import io
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import hostile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFile, ImageStat
from servicekit.images import ImageError, Limits, decode, exif, kinds, size

LIMITS = Limits(("PNG", "JPEG"), 25_000_000)
FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def on_white(image: Image.Image) -> Image.Image:
    paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
    paper.alpha_composite(image.convert("RGBA"))
    return paper.convert("L")


def difference(image: Image.Image, wanted: Image.Image) -> float:
    """Returns the mean difference of two pictures in grey levels of 255."""
    return float(ImageStat.Stat(ImageChops.difference(on_white(image), wanted.convert("L"))).mean[0])


def pixels(image: Image.Image) -> list[object]:
    return list(image.get_flattened_data())


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", hostile.SEVENS.values(), ids=hostile.SEVENS)
def test_reads_every_way_to_write_a_picture(make: hostile.Make) -> None:
    image = decode(make(), LIMITS)
    assert image.mode in ("L", "LA", "RGB", "RGBA")
    assert image.size == (64, 64)
    assert difference(image, hostile.seven()) < 1.5
    assert size(make()) == (64, 64)


@pytest.mark.parametrize("make", hostile.SEVENS.values(), ids=hostile.SEVENS)
def test_reads_them_the_same_when_they_are_reduced(make: hostile.Make) -> None:
    image = decode(make(), LIMITS, bound=16)
    assert image.size == (16, 16)
    assert difference(image, hostile.seven().reduce(4)) < 4


MODES = {
    "plain PNG": "L",
    "1 bit": "L",
    "16 bits": "L",
    "16 bits RGB": "RGB",
    "RGBA": "RGBA",
    "grey and alpha": "LA",
    "palette": "RGB",
    "palette with transparency": "RGBA",
    "CMYK": "RGB",
    "JPEG": "L",
}


@pytest.mark.parametrize(("kind", "mode"), MODES.items())
def test_hands_out_four_modes(kind: str, mode: str) -> None:
    assert decode(hostile.SEVENS[kind](), LIMITS).mode == mode


def test_takes_a_png_for_what_it_is_whatever_its_name() -> None:
    assert decode(hostile.sound(), Limits(("PNG",), 1000)).size == (28, 28)
    with pytest.raises(ImageError, match=r"^it is a PNG image; this call takes JPEG$"):
        decode(hostile.sound(), Limits(("JPEG",), 1000))


def test_reads_one_pixel() -> None:
    one = Image.new("L", (1, 1), 77)
    assert pixels(decode(hostile.png(hostile.header(1, 1), [b"M"]), LIMITS, bound=400)) == [77]
    assert decode(hostile.jpeg(one), LIMITS, bound=400).size == (1, 1)


def test_scales_16_bits_instead_of_clipping_them() -> None:
    row = struct.pack(">4H", 0, 0x1234, 0x8000, 0xFFFF)
    image = decode(hostile.png(hostile.header(4, 1, 16), [row]), LIMITS)
    assert pixels(image) == [0, 0x12, 0x80, 0xFF]


KEYS = {
    "1 bit": (1, b"\x40", b"\0\1", [(0, 255), (255, 0)]),
    "2 bits": (2, b"\x1b", b"\0\3", [(0, 255), (85, 255), (170, 255), (255, 0)]),
    "4 bits": (4, b"\x5f", b"\0\5", [(85, 0), (255, 255)]),
    "8 bits": (8, b"\x05\x06", b"\0\6", [(5, 255), (6, 0)]),
    "16 bits": (16, b"\x80\x00\x90\x00", b"\x80\0", [(0x80, 0), (0x90, 255)]),
}


@pytest.mark.parametrize(("depth", "row", "key", "wanted"), KEYS.values(), ids=KEYS)
def test_makes_the_transparent_grey_transparent(depth: int, row: bytes, key: bytes, wanted: list[object]) -> None:
    data = hostile.png(hostile.header(len(wanted), 1, depth), [row], hostile.chunk(b"tRNS", key))
    assert pixels(decode(data, LIMITS)) == wanted


def test_makes_the_transparent_colour_transparent() -> None:
    for depth, row, key in ((8, bytes(range(6)), b"\0\0\0\1\0\2"), (16, b"\0\0\1\1\2\2\3\3\4\4\5\5", b"\0\0\1\1\2\2")):
        head = hostile.header(2, 1, depth, hostile.RGB)
        image = decode(hostile.png(head, [row], hostile.chunk(b"tRNS", key)), LIMITS)
        assert pixels(image) == [(0, 1, 2, 0), (3, 4, 5, 255)]


def test_keeps_the_alpha_of_a_palette() -> None:
    palette = hostile.chunk(b"PLTE", bytes(range(9))) + hostile.chunk(b"tRNS", b"\0\x80")
    image = decode(hostile.png(hostile.header(3, 1, 8, hostile.PALETTE), [b"\0\1\2"], palette), LIMITS)
    assert pixels(image) == [(0, 1, 2, 0), (3, 4, 5, 0x80), (6, 7, 8, 255)]


def test_a_colour_beyond_the_palette_is_black() -> None:
    data = hostile.png(hostile.header(2, 1, 8, 3), [b"\0\7"], hostile.chunk(b"PLTE", b"\1\2\3"))
    assert pixels(decode(data, LIMITS)) == [(1, 2, 3), (0, 0, 0)]


def test_ignores_transparency_that_is_too_short() -> None:
    data = hostile.png(hostile.header(2, 1), [b"\5\6"], hostile.chunk(b"tRNS", b"\5"))
    assert pixels(decode(data, LIMITS)) == [5, 6]


def test_takes_the_first_frame_of_an_animation() -> None:
    assert difference(decode(hostile.animated(hostile.seven()), LIMITS), hostile.seven()) == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_a_picture_upright_as_pillow_would(orientation: int) -> None:
    data = hostile.exif_jpeg(hostile.seven().resize((64, 40)), orientation)
    image = decode(data, LIMITS)
    assert image.size == (64, 40)
    assert difference(image, hostile.seven().resize((64, 40))) < 1.5


# --- reducing ---------------------------------------------------------------------------------------------------------

BOUNDS = [(4000, 3000, 500), (4001, 17, 500), (999, 500, 500), (1000, 1, 500), (1001, 1001, 500), (1, 3999, 1000)]


@pytest.mark.parametrize(("width", "height", "bound"), BOUNDS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_reduces_to_at_least_the_bound_and_less_than_twice_that(width: int, height: int, bound: int, kind: str) -> None:
    file = io.BytesIO()
    Image.radial_gradient("L").resize((width, height)).save(file, kind)
    image = decode(file.getvalue(), LIMITS, bound=bound)
    assert bound <= max(image.size) < 2 * bound
    assert abs(image.width * height - image.height * width) <= max(width, height) * 8


def test_leaves_a_small_picture_as_it_is() -> None:
    assert decode(hostile.sound(), LIMITS, bound=400).size == (28, 28)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P"])
def test_reduces_a_large_picture_in_strips_as_it_would_as_a_whole(mode: str) -> None:
    whole = Image.effect_mandelbrot((2003, 1501), (-3, -2.5, 2, 2.5), 60)
    if mode in ("LA", "RGBA"):
        whole.putalpha(Image.radial_gradient("L").resize(whole.size))
    whole = whole.convert(mode)
    file = io.BytesIO()
    whole.save(file, "PNG")
    image = decode(file.getvalue(), LIMITS, bound=300)
    plain = {"1": "L", "P": "RGB"}.get(mode, mode)
    assert image.tobytes() == whole.convert(plain).reduce(6).tobytes()


def test_weighs_colours_by_their_alpha_when_it_reduces() -> None:
    row = b"\xff\0\0\xff" + b"\0\xff\0\0"  # opaque red, transparent green
    image = decode(hostile.png(hostile.header(2, 2, 8, hostile.RGB_ALPHA), [row, row]), LIMITS, bound=1)
    assert pixels(image) == [(255, 0, 0, 128)]


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("described", "make"), hostile.OTHER_KINDS.values(), ids=hostile.OTHER_KINDS)
def test_names_what_it_does_not_take(described: str, make: hostile.Make) -> None:
    with pytest.raises(ImageError) as refused:
        decode(make(), LIMITS)
    assert str(refused.value) == f"it is {described}; this call takes PNG or JPEG"


@pytest.mark.parametrize(("word", "make"), hostile.BROKEN.values(), ids=hostile.BROKEN)
def test_refuses_what_is_broken_or_too_large(word: str, make: hostile.Make) -> None:
    with pytest.raises(ImageError) as refused:
        decode(make(), LIMITS)
    assert word in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("kind", ["plain PNG", "palette", "interlaced", "animated", "JPEG", "progressive", "CMYK"])
def test_refuses_a_picture_cut_anywhere(kind: str) -> None:
    data = hostile.SEVENS[kind]()
    essential = len(data) - 2 if data.startswith(b"\xff\xd8") else len(data)  # a JPEG's end mark says nothing
    for length in range(0, essential, 7):
        with pytest.raises(ImageError):
            decode(data[:length], LIMITS)


def test_says_the_size_and_the_limit() -> None:
    data = hostile.blank(300, 200)
    with pytest.raises(ImageError, match=r"^it has 60000 pixels \(300 × 200\), the limit is 50000$"):
        decode(data, Limits(("PNG",), 50_000))
    with pytest.raises(ImageError, match=r"^it has 300 × 200 pixels, the limit is 299 × 65535$"):
        decode(data, Limits(("PNG",), 60_000, max_width=299))
    assert decode(data, Limits(("PNG",), 60_000, max_width=300, max_height=200)).size == (300, 200)


def test_a_limit_for_what_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="ICO cannot be read, but PNG, JPEG"):
        Limits(("PNG", "ICO"), 1000)


# --- memory, time, threads --------------------------------------------------------------------------------------------

PREPARE = """from servicekit.images import Limits, ImageError, decode
        import hostile
        limits = Limits(("PNG", "JPEG"), 25_000_000)
        decode(hostile.sound(), limits)"""
TRY = """try:
                decode(data, limits, bound=1000)
            except ImageError:
                pass"""


LARGEST = {
    "L": lambda: hostile.blank(5000, 5000),
    "RGB": lambda: hostile.blank(5000, 5000, 8, hostile.RGB),
    "RGBA": lambda: hostile.blank(5000, 5000, 8, hostile.RGB_ALPHA),
    "palette": lambda: hostile.blank(5000, 5000, 8, hostile.PALETTE),
    "16 bits RGBA": lambda: hostile.blank(5000, 5000, 16, hostile.RGB_ALPHA),
    "16 bits": lambda: hostile.blank(5000, 5000, 16),
    "1 bit": lambda: hostile.blank(5000, 5000, 1),
    "narrow": lambda: hostile.blank(381, 65_535),
    "JPEG": lambda: hostile.jpeg(Image.new("RGB", (5000, 5000))),
    "progressive": lambda: hostile.jpeg(Image.new("RGB", (5000, 5000)), progressive=True),
    "CMYK": lambda: hostile.jpeg(Image.new("CMYK", (5000, 5000))),
}


def test_the_largest_picture_costs_at_most_115_mib() -> None:
    files = [make() for make in LARGEST.values()]
    costs = dict(zip(LARGEST, hostile.memory_mib(PREPARE, TRY, files), strict=True))
    assert {name: mib for name, mib in costs.items() if mib > 115} == {}
    assert costs["RGBA"] > 90  # it was decoded indeed


BOMBS = {
    name: make for name, (_, make) in hostile.BROKEN.items() if name.startswith(("a PNG of", "a JPEG of", "100,000"))
} | {name: make for name, make in hostile.SEVENS.items() if "bomb" in name}


def test_a_bomb_costs_at_most_4_mib() -> None:
    costs = dict(zip(BOMBS, hostile.memory_mib(PREPARE, TRY, [make() for make in BOMBS.values()]), strict=True))
    assert {name: mib for name, mib in costs.items() if mib > 4} == {}


SOME = ["palette", "interlaced", "animated", "canvas", "a profile bomb", "CMYK", "progressive", "EXIF orientation 6"]


def test_imports_two_plugins_of_pillow_for_two_kinds_and_changes_nothing_in_it() -> None:
    code = f"""import sys, warnings
import servicekit.images as images
from PIL import Image, ImageFile
before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, warnings.filters[:]
sys.path.append({str(hostile.FOLDER)!r})
import hostile
data = [hostile.SEVENS[name]() for name in {SOME!r}]
plugins = set(sys.modules)
for one in data:
    images.decode(one, images.Limits(("PNG", "JPEG"), {LIMITS.max_pixels}), bound=20)
assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, warnings.filters[:])
print(*sorted(set(sys.modules) - plugins))"""
    quiet = "import sys, servicekit.images; print(*(m for m in sys.modules if 'ImagePlugin' in m))"
    assert run(quiet).split() == ["PIL.JpegImagePlugin", "PIL.PngImagePlugin"]
    assert run(code).strip() == ""


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_decodes_in_many_threads_at_once() -> None:
    data = [make() for make in hostile.SEVENS.values()]
    start = threading.Barrier(4)

    def work() -> list[bytes]:
        start.wait()
        return [decode(one, LIMITS, bound=20).tobytes() for one in data]

    with ThreadPoolExecutor(4) as pool:
        answers = [future.result() for future in [pool.submit(work) for _ in range(4)]]
    assert all(answer == answers[0] for answer in answers)


def test_reads_what_is_whole_although_another_user_of_pillow_is_careless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    monkeypatch.setattr(ImageFile, "MAXBLOCK", 100)
    assert decode(hostile.sound(), LIMITS).size == (28, 28)


# --- whatever comes ---------------------------------------------------------------------------------------------------


def attempt(data: bytes) -> None:
    """Decodes; only ImageError may come, with a text for people."""
    found = size(data)
    refusal = ""
    try:
        image = decode(data, LIMITS, bound=50)
    except ImageError as error:
        refusal = str(error)
    if refusal:
        assert 5 < len(refusal) < 300
        assert refusal.isprintable()
    else:
        assert image.mode in ("L", "LA", "RGB", "RGBA")
        assert found


@FUZZ
@given(st.binary(max_size=200), st.sampled_from([b"", hostile.SIGNATURE, b"\xff\xd8\xff", b"\x89PNG", b"GIF89a"]))
def test_any_bytes_raise_nothing_else(data: bytes, start: bytes) -> None:
    attempt(start + data)


SAMPLES = [make() for make in hostile.SEVENS.values()]
SMALL = [data for data in SAMPLES if len(data) < 20_000]


@FUZZ
@given(st.data())
def test_changed_bytes_raise_nothing_else(draw: st.DataObject) -> None:
    data = bytearray(draw.draw(st.sampled_from(SMALL)))
    for _ in range(draw.draw(st.integers(1, 8))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    attempt(bytes(data))


def mend(data: bytes) -> bytes:
    """Returns a PNG with right checksums, so that changes reach the decoder."""
    mended, at = data[:8], 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        if end > len(data):
            break
        mended += hostile.chunk(data[at + 4 : at + 8], data[at + 8 : end - 4])
        at = end
    return mended + data[at:]


@FUZZ
@given(st.data())
def test_changed_bytes_with_right_checksums_raise_nothing_else(draw: st.DataObject) -> None:
    data = bytearray(draw.draw(st.sampled_from([one for one in SMALL if one.startswith(b"\x89")])))
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(16, len(data) - 1))] = draw.draw(st.integers(0, 255))
    attempt(mend(bytes(data)))


@FUZZ
@given(st.data())
def test_pieces_of_pictures_put_together_raise_nothing_else(draw: st.DataObject) -> None:
    pieces = []
    for _ in range(draw.draw(st.integers(1, 4))):
        data = draw.draw(st.sampled_from(SMALL))
        first, last = sorted(draw.draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        pieces.append(data[first:last])
    attempt(b"".join(pieces))


@given(st.binary(max_size=64))
def test_any_exif_is_an_orientation(data: bytes) -> None:
    for start in (b"", b"II*\0", b"MM\0*"):
        assert 1 <= exif.orientation(start + data) <= 8


def test_a_long_orientation_is_read_too() -> None:
    assert exif.orientation(b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x0112, 4, 1, 6)) == 6
    assert exif.orientation(b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x0112, 3, 2, 6)) == 1


@given(st.binary(max_size=32))
def test_everything_is_of_a_kind_that_has_a_name(data: bytes) -> None:
    assert kinds.of(data).described


def test_the_size_is_unknown_where_there_is_no_header() -> None:
    assert size(b"") is None
    assert size(b"text") is None
    assert size(hostile.SIGNATURE) is None
    assert size(b"\xff\xd8\xff\xe0") is None
    assert size(b"\xff\xd8" + b"\xff" * 100_000) is None
    assert size(b"\xff\xd8" + hostile.segment(0xC0, b"")) is None

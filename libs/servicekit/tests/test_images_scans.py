"""TIFF, WebP, BMP and GIF; what PNG and JPEG share with them is tested in test_images.py."""

import io
import random
import struct
import subprocess
import sys
from collections.abc import Callable

import hostile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat
from servicekit.images import ImageError, Limits, SizeError, decode, decoding_bytes, frames, size

LIMITS = Limits(("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"), 25_000_000)
FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
WHOLE = {name: make() for name, make in hostile.SCANS.items()}


def difference(image: Image.Image, wanted: Image.Image) -> float:
    """Returns the mean difference of two pictures on white, in grey levels of 255."""
    paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
    paper.alpha_composite(image.convert("RGBA"))
    return float(ImageStat.Stat(ImageChops.difference(paper.convert("L"), wanted.convert("L"))).mean[0])


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WHOLE)
def test_reads_every_way_to_write_a_picture(name: str) -> None:
    image = decode(WHOLE[name], LIMITS)
    assert image.mode in ("L", "LA", "RGB", "RGBA")
    assert image.size == (64, 64)
    assert size(WHOLE[name]) == (64, 64)
    assert difference(image, hostile.seven()) < 1.5


@pytest.mark.parametrize("name", WHOLE)
def test_reads_them_the_same_when_they_are_reduced(name: str) -> None:
    image = decode(WHOLE[name], LIMITS, bound=16)
    assert image.size == (16, 16)
    assert difference(image, hostile.seven().reduce(4)) < 4


COMPRESSIONS = ["raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits"]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_reads_what_pillow_writes_as_tiff(mode: str, compression: str) -> None:
    picture = Image.radial_gradient("L").resize((301, 203)).convert("RGB").convert(mode)
    image = decode(saved(picture, "TIFF", compression=compression, strip_size=5000), LIMITS)
    assert image.mode == {"1": "L", "P": "RGB", "CMYK": "RGB"}.get(mode, mode)
    assert image.tobytes() == picture.convert(image.mode).tobytes()


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_reads_a_fax(compression: str) -> None:
    picture = hostile.seven(200).convert("1")
    image = decode(saved(picture, "TIFF", compression=compression), LIMITS)
    assert image.tobytes() == picture.convert("L").tobytes()


MODES = {
    "TIFF": "L",
    "fax, group 4": "L",
    "16 bits in a TIFF": "L",
    "grey and alpha in a TIFF": "LA",
    "a palette of bytes": "RGB",
    "CMYK in a TIFF": "RGB",
    "RGBA in a TIFF": "RGBA",
    "WebP": "RGB",
    "WebP with alpha": "RGBA",
    "a WebP frame on a canvas": "RGBA",
    "BMP": "RGB",
    "BMP with alpha, version 5": "RGBA",
    "GIF": "L",  # its palette is all greys
    "GIF without a palette": "L",
    "GIF with transparency": "RGBA",
    "a GIF picture on a screen": "RGBA",
}


@pytest.mark.parametrize(("name", "mode"), MODES.items())
def test_hands_out_four_modes(name: str, mode: str) -> None:
    assert decode(WHOLE[name], LIMITS).mode == mode


def test_scales_16_bits_instead_of_clipping_them() -> None:
    for order in "<>":
        row = struct.pack(f"{order}4H", 0, 0x1234, 0x8000, 0xFFFF)
        tags = hostile.tags_of(Image.new("L", (4, 1)), t258=(hostile.SHORT, (16,)))
        image = decode(hostile.scan((tags, [row]), order=order), LIMITS)
        assert list(image.tobytes()) == [0, 0x12, 0x80, 0xFF]


def test_scales_the_16_bits_of_colours_too() -> None:
    row = struct.pack("<3H", 0x1234, 0x8000, 0xFFFF)
    tags = hostile.tags_of(Image.new("RGB", (1, 1)), t258=(hostile.SHORT, (16,) * 3))
    assert decode(hostile.scan((tags, [row])), LIMITS).tobytes() == b"\x12\x80\xff"


# --- pages ------------------------------------------------------------------------------------------------------------


def test_counts_and_reads_the_pages_of_a_tiff() -> None:
    shades = [Image.new("L", (30 + shade, 20), shade) for shade in range(5)]
    data = hostile.scan(*[hostile.page(picture) for picture in shades])
    assert frames(data, LIMITS) == 5
    for number, picture in enumerate(shades):
        assert size(data, number) == picture.size
        assert decode(data, LIMITS, frame=number).tobytes() == picture.tobytes()


def test_thumbnails_and_masks_are_no_pages() -> None:
    small = hostile.page(hostile.seven(16), t254=(hostile.LONG, (1,)))
    mask = hostile.page(hostile.seven(32), t254=(hostile.LONG, (4,)))
    data = hostile.scan(small, hostile.page(), mask, hostile.page(hostile.seven(48)), small)
    assert frames(data, LIMITS) == 2
    assert decode(data, LIMITS, frame=1).size == (48, 48)


@pytest.mark.parametrize("name", ["WebP", "animated WebP", "BMP", "GIF", "animated GIF"])
def test_all_else_has_one_page(name: str) -> None:
    assert frames(WHOLE[name], LIMITS) == 1
    with pytest.raises(ImageError, match=r"^it has no page 2$"):
        decode(WHOLE[name], LIMITS, frame=1)


def test_a_page_that_is_not_there_is_refused() -> None:
    with pytest.raises(ImageError, match=r"^the TIFF image has no page 3$"):
        decode(WHOLE["two pages"], LIMITS, frame=2)
    assert size(WHOLE["two pages"], 2) is None


def test_the_most_pages_are_a_limit() -> None:
    data = hostile.many_pages(64)
    assert frames(data, Limits(("TIFF",), 1000, max_frames=64)) == 64
    with pytest.raises(SizeError, match=r"^the TIFF image has more than 63 pages$"):
        frames(data, Limits(("TIFF",), 1000, max_frames=63))


def test_counting_pages_takes_only_what_the_call_takes() -> None:
    with pytest.raises(ImageError, match=r"^it is a TIFF image; this call takes PNG or JPEG$"):
        frames(WHOLE["TIFF"], Limits(("PNG", "JPEG"), 1000))


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "make"), hostile.BAD_SCANS.values(), ids=hostile.BAD_SCANS)
def test_refuses_what_is_broken_or_too_large(word: str, make: Callable[[], bytes]) -> None:
    data = make()
    with pytest.raises(ImageError) as refused:
        decode(data, LIMITS, frame=frames(data, LIMITS) - 1)
    assert word in str(refused.value)
    assert len(str(refused.value)) < 200


KINDS = {"TIFF": "a TIFF image", "WebP": "a WebP image", "BMP": "a BMP image", "GIF": "a GIF image"}


@pytest.mark.parametrize(("name", "described"), KINDS.items())
def test_a_call_takes_only_its_kinds(name: str, described: str) -> None:
    with pytest.raises(ImageError) as refused:
        decode(WHOLE[name], Limits(("PNG", "JPEG"), 1000))
    assert str(refused.value) == f"it is {described}; this call takes PNG or JPEG"


def test_lists_all_the_kinds_that_a_call_takes() -> None:
    with pytest.raises(ImageError, match=r"takes PNG, JPEG, TIFF, WEBP, BMP or GIF$"):
        decode(b"text", LIMITS)


@pytest.mark.parametrize("name", [*KINDS, "GIF with a comment", "animated WebP"])
def test_width_and_height_have_limits_of_their_own(name: str) -> None:
    for limits in (Limits(LIMITS.formats, 5000, max_width=63), Limits(LIMITS.formats, 5000, max_height=63)):
        with pytest.raises(SizeError, match=rf"^it has 64 × 64 pixels, the limit is {limits.max_width} × "):
            decode(WHOLE[name], limits)
    assert decode(WHOLE[name], Limits(LIMITS.formats, 4096, max_width=64, max_height=64)).size == (64, 64)


CUT = ["TIFF", "deflated strips", "big-endian BigTIFF", "tiles", "JPEG in a TIFF", "fax, group 4", "WebP",
       "lossless WebP", "WebP with alpha", "animated WebP", "BMP", "BMP with masks", "GIF"]  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_refuses_a_picture_cut_anywhere(name: str) -> None:
    data = WHOLE[name]
    essential = len(data) - (1 if data.startswith(b"GIF") else 0)  # a GIF's end mark says nothing
    for length in [*range(0, essential, 31), essential - 1]:
        with pytest.raises(ImageError):
            decode(data[:length], LIMITS)


def test_tells_nothing_on_standard_error() -> None:
    noise = random.Random(7).randbytes(20_000)
    fax = hostile.tags_of(hostile.seven(1000).convert("1"), t259=(hostile.SHORT, (3,)))
    stream = hostile.tags_of(hostile.seven(100), t259=(hostile.SHORT, (8,)))
    for data in (hostile.scan((fax, [noise])), hostile.scan((stream, [noise]))):
        code = f"""import sys
from servicekit.images import Limits, ImageError, decode
try:
    decode(sys.stdin.buffer.read(), Limits(("TIFF",), {LIMITS.max_pixels}))
except ImageError:
    pass"""
        done = subprocess.run([sys.executable, "-W", "error", "-c", code], input=data, capture_output=True, check=True)
        assert done.stderr == b""


# --- memory, plugins --------------------------------------------------------------------------------------------------

PREPARE = """from servicekit.images import Limits, ImageError, decode
        import hostile
        limits = Limits(("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"), 25_000_000)
        for name in ("LZW", "TIFF", "WebP", "BMP", "GIF"):
            decode(hostile.SCANS[name](), limits)"""
TRY = """try:
                decode(data, limits)
            except ImageError:
                pass"""


def large(mode: str) -> Image.Image:
    return Image.new(mode, (4000, 3000))


def one_strip(depth: int, mode: str) -> bytes:
    picture = large(mode)
    bits = (hostile.SHORT, (depth,) * len(mode))
    tags = hostile.tags_of(picture, t258=bits, t259=(hostile.SHORT, (8,)))
    return hostile.scan((tags, hostile.deflated(lambda: [bytes(12_000_000 * len(mode) * depth // 8)])))


LARGEST = {
    "strips": lambda: saved(large("RGB"), "TIFF", compression="tiff_lzw"),
    "not compressed": lambda: saved(large("RGB"), "TIFF"),
    "one strip": lambda: one_strip(8, "RGB"),
    "one strip of 16 bits": lambda: one_strip(16, "RGB"),
    "one strip with alpha of 16 bits": lambda: one_strip(16, "RGBA"),
    "grey of 16 bits": lambda: one_strip(16, "L"),
    "fax": lambda: saved(large("1"), "TIFF", compression="group4"),
    "CMYK": lambda: saved(large("CMYK"), "TIFF", compression="tiff_lzw"),
    "WebP": lambda: saved(large("RGB"), "WEBP", method=0),
    "lossless WebP": lambda: saved(large("RGBA"), "WEBP", method=0, lossless=True),
    "BMP": lambda: saved(large("RGB"), "BMP"),
    "BMP with a palette": lambda: saved(large("P"), "BMP"),
    "GIF": lambda: saved(large("P"), "GIF"),
    "a GIF picture on a screen": lambda: hostile.gif_picture(Image.new("P", (4000, 2999)), screen=(4000, 3000)),
}


def test_the_largest_pictures_cost_what_is_told() -> None:
    files = [make() for make in LARGEST.values()]
    costs = dict(zip(LARGEST, hostile.memory_mib(PREPARE, TRY, files), strict=True))
    told = {name: (decoding_bytes(data) + len(data)) / 2**20 + 4 for name, data in zip(LARGEST, files, strict=True)}
    assert {name: (mib, told[name]) for name, mib in costs.items() if mib > told[name]} == {}
    assert costs["one strip with alpha of 16 bits"] > 90  # it was decoded indeed


def test_a_claim_costs_at_most_4_mib() -> None:
    names = [name for name in hostile.BAD_SCANS if " of nothing" in name or " px" in name or "pages" in name]
    costs = hostile.memory_mib(PREPARE, TRY, [hostile.BAD_SCANS[name][1]() for name in names])
    assert {name: mib for name, mib in zip(names, costs, strict=True) if mib > 4} == {}


def test_what_decoding_costs_is_unknown_where_the_size_is() -> None:
    assert decoding_bytes(b"text") == decoding_bytes(b"II*\0") == decoding_bytes(b"RIFF\0\0\0\0WEBP") == 0
    assert decoding_bytes(hostile.sound()) == 28 * 28 * 8


PLUGINS = {"TIFF": "Tiff", "WebP": "WebP", "GIF": "Gif", "BMP": ""}


@pytest.mark.parametrize(("name", "plugin"), PLUGINS.items())
def test_imports_a_plugin_of_pillow_only_to_decode_its_kind(name: str, plugin: str) -> None:
    code = f"""import sys, warnings
from servicekit.images import Limits, decode, frames, size
data = sys.stdin.buffer.read()
frames(data, Limits({LIMITS.formats}, 10_000)), size(data)
try:
    decode(data, Limits({LIMITS.formats}, 1_000))
except ValueError:
    pass
before, filters = set(sys.modules), warnings.filters[:]
decode(data, Limits({LIMITS.formats}, 10_000))
assert filters == warnings.filters
print(*(name for name in set(sys.modules) - before if "ImagePlugin" in name))"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], input=WHOLE[name], capture_output=True, check=True
    )
    assert done.stdout.decode().split() == ([f"PIL.{plugin}ImagePlugin"] if plugin else [])


def test_reads_what_is_whole_although_another_user_of_pillow_is_careless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3000)
    for name in ("LZW", "BMP", "GIF", "WebP"):
        assert decode(WHOLE[name], LIMITS).size == (64, 64)


# --- whatever comes ---------------------------------------------------------------------------------------------------


def attempt(data: bytes) -> None:
    """Decodes; only ImageError may come, with a text for people."""
    refusal = ""
    try:
        last = frames(data, LIMITS) - 1
        image = decode(data, LIMITS, bound=50, frame=last)
    except ImageError as error:
        refusal = str(error)
    if refusal:
        assert 5 < len(refusal) < 300
        assert refusal.isprintable()
    else:
        assert image.mode in ("L", "LA", "RGB", "RGBA")
        assert size(data, last)
        assert decoding_bytes(data, last)


STARTS = [
    b"II*\0",
    b"MM\0*",
    b"II+\0\x08\0\0\0",
    b"RIFF\x64\0\0\0WEBPVP8X",
    b"RIFF\x64\0\0\0WEBPVP8L",
    b"BM",
    b"GIF89a",
]
SMALL = [data for data in WHOLE.values() if len(data) < 20_000]


@FUZZ
@given(st.binary(max_size=200), st.sampled_from(STARTS))
def test_any_bytes_raise_nothing_else(data: bytes, start: bytes) -> None:
    attempt(start + data)


@FUZZ
@given(st.data())
def test_changed_bytes_raise_nothing_else(draw: st.DataObject) -> None:
    data = bytearray(draw.draw(st.sampled_from(SMALL)))
    for _ in range(draw.draw(st.integers(1, 8))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    attempt(bytes(data))


@pytest.mark.parametrize("name", WHOLE)
def test_flipped_bits_raise_nothing_else(name: str) -> None:
    chance = random.Random(name)
    data = WHOLE[name]
    headers = [*range(min(64, len(data))), *range(max(0, len(data) - 300), len(data))]
    for _ in range(40):
        at = chance.choice(headers)
        attempt(data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :])

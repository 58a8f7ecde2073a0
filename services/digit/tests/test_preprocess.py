"""Pictures of every kind become what the networks were trained on."""

import io
from pathlib import Path

import numpy as np
import pytest
from digit.preprocess import SIDE, Prepared, find_ink, frame, prepare, prepare_grey
from PIL import Image, ImageOps
from train.evaluation_sets import DEVELOPMENT, KINDS, samples
from train.strokes import cover, digit, generator
from train.strokes.photographs import lit, rule, seen_askew, sheet, shot


def _drawing(label: int, side: int = 280, pen: float = 20, seed: int = 1) -> Image.Image:
    return cover(digit(generator(seed, "train"), label, "train"), (side, side), width_px=pen)


def _like(one: Prepared, other: Prepared) -> float:
    """Correlates two digits, at the best of the shifts by one pixel to which a centre of mass may round."""
    shifts = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    moved = [np.roll(other.pixels, shift, axis=(0, 1)) for shift in shifts]
    return max(float(np.corrcoef(one.pixels.reshape(-1), pixels.reshape(-1))[0, 1]) for pixels in moved)


def _assert_framed(made: Prepared) -> None:
    assert made.has_ink
    assert made.pixels.shape == (SIDE, SIDE)
    assert made.pixels.dtype == np.float32
    assert made.pixels.min() >= 0
    assert made.pixels.max() == pytest.approx(1)
    rows, columns = np.nonzero(made.pixels > 0.1)
    assert 17 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
    steps = np.arange(SIDE)
    middle = made.pixels.sum(axis=1) @ steps, made.pixels.sum(axis=0) @ steps
    assert np.abs(np.array(middle) / made.pixels.sum() - 14).max() < 1.5


@pytest.mark.parametrize("kind", list(KINDS))
def test_frames_the_digit_of_every_kind_of_picture(kind: str) -> None:
    for sample in samples(DEVELOPMENT, 2, [kind]):
        picture = ImageOps.exif_transpose(Image.open(io.BytesIO(sample.data)))
        made = prepare(picture)
        _assert_framed(made)
        x, y, width, height = made.box
        assert x >= 0
        assert y >= 0
        assert x + width <= picture.width
        assert y + height <= picture.height


@pytest.mark.parametrize("label", range(10))
def test_a_picture_in_mnists_own_form_stays_as_it_is(label: int) -> None:
    once = (prepare(_drawing(label)).pixels * 255).round().astype(np.uint8)
    twice = prepare_grey(once)
    assert np.abs(twice.pixels - once / np.float32(255)).max() < 0.02


@pytest.mark.parametrize("label", range(10))
def test_inverting_a_drawing_changes_nothing(label: int) -> None:
    drawing = _drawing(label)
    np.testing.assert_allclose(prepare(ImageOps.invert(drawing)).pixels, prepare(drawing).pixels, atol=1e-6)


@pytest.mark.parametrize("label", range(10))
def test_the_size_of_the_canvas_hardly_matters(label: int) -> None:
    small, large = prepare(_drawing(label, 140, 12)), prepare(_drawing(label, 840, 72))
    assert _like(small, large) > 0.95


def test_the_colour_of_the_ink_does_not_matter() -> None:
    drawing = _drawing(5)
    red_on_green = Image.new("RGB", drawing.size, (0, 112, 0))
    red_on_green.paste((220, 0, 0), mask=drawing)
    assert _like(prepare(red_on_green), prepare(drawing)) > 0.98


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (30, 60, 200)])
def test_ink_on_a_transparent_canvas_is_seen_whatever_its_tone(ink: tuple[int, int, int]) -> None:
    drawing = _drawing(3)
    canvas = Image.new("RGBA", drawing.size, (*ink, 0))
    canvas.putalpha(drawing)
    assert _like(prepare(canvas), prepare(drawing)) > 0.98


def test_a_hairline_becomes_as_strong_as_a_pen() -> None:
    thin, pen = prepare(_drawing(2, 600, 1.0)), prepare(_drawing(2, 600, 40))
    assert thin.pixels.sum() > 0.45 * pen.pixels.sum()
    assert _like(thin, pen) > 0.7


@pytest.mark.parametrize("soft", [1, 10, 40, 100])
@pytest.mark.parametrize("degrees", [0, 35, 90, 200])
def test_a_hard_shadow_across_the_digit_is_no_ink(degrees: int, soft: int) -> None:
    plain = ImageOps.invert(_drawing(5, 300)).point(lambda level: 40 + level * 180 // 255)
    y, x = np.mgrid[0:300, 0:300] - 150
    across = np.cos(np.radians(degrees)) * x + np.sin(np.radians(degrees)) * y
    light = 1 - 0.55 * np.clip(across / soft + 0.5, 0, 1)
    noise = np.random.default_rng(degrees).normal(0, 2, plain.size)
    shaded = Image.fromarray((np.asarray(plain) * light + noise).clip(0, 255).astype(np.uint8))
    assert _like(prepare(shaded), prepare(plain)) > 0.93


def test_the_box_is_in_the_pictures_own_pixels() -> None:
    page = Image.new("L", (1500, 1100), 255)
    page.paste(0, (900, 300, 930, 600))
    x, y, width, height = prepare(page).box
    assert abs(x - 900) <= 4
    assert abs(y - 300) <= 4
    assert abs(width - 30) <= 8
    assert abs(height - 300) <= 8


def test_a_dark_tile_on_a_white_page_is_looked_into() -> None:
    tile = _drawing(4, 60, 6)
    page = Image.new("L", (100, 100), 255)
    page.paste(tile, (20, 30))
    made = prepare(page)
    assert _like(made, prepare(tile)) > 0.95
    assert made.box[0] > 20
    assert made.box[1] > 30


def test_detached_strokes_are_kept_and_specks_are_not() -> None:
    page = Image.new("L", (200, 200), 255)
    page.paste(0, (60, 80, 120, 160))
    page.paste(0, (60, 40, 140, 60))
    page.paste(0, (20, 180, 22, 182))
    assert prepare(page).box == (60, 40, 80, 120)


def _blank_pages() -> dict[str, Image.Image]:
    rng = np.random.default_rng(5)
    sides, tones = (1, 2, 28, 300), (0, 128, 255)
    pages = {f"{tone} at {side} px": Image.new("L", (side, side), tone) for tone in tones for side in sides}
    pages["one row"], pages["one column"] = Image.new("L", (300, 1), 255), Image.new("L", (1, 300), 0)
    pages["nothing"] = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    pages["a colour"] = Image.new("RGBA", (100, 100), (200, 40, 90, 255))
    for spread in (1, 3, 6):
        for side in (28, 300):
            noise = rng.normal(200, spread, (side, side))
            pages[f"noise {spread} at {side}"] = Image.fromarray(noise.clip(0, 255).astype(np.uint8))
    paper = sheet(rng, (800, 600), (232, 230, 224), 2)
    pages["paper"] = paper
    pages["photographed paper"] = shot(rng, lit(rng, paper, strength=0.6), blur_px=1, noise=4)
    desk = sheet(rng, (800, 600), (70, 60, 50), 6)
    on_desk = seen_askew(rng, paper, 0.03, desk)
    pages["on a desk"] = shot(rng, lit(rng, on_desk, strength=0.4), blur_px=1, noise=3)
    half = np.where(np.arange(800) > 350, 0.5, 1)[None, :, None]
    pages["half in the shade"] = Image.fromarray((np.asarray(paper) * half).astype(np.uint8))
    for squared in (False, True):
        ruled = paper.copy()
        rule(rng, ruled, 60, (150, 160, 200), squared=squared)
        pages[f"ruled, squared {squared}"] = ruled
        pages[f"photographed, squared {squared}"] = shot(rng, lit(rng, ruled, strength=0.4), blur_px=1, noise=3)
    return pages


@pytest.mark.parametrize("name", list(_blank_pages()))
def test_a_blank_page_has_no_ink(name: str) -> None:
    made = prepare(_blank_pages()[name])
    assert not made.has_ink
    assert made.box == (0, 0, 0, 0)
    assert not made.pixels.any()


def test_real_drawings_are_framed() -> None:
    folder = Path(__file__).parent / "fixtures" / "hwd1000"
    files = sorted(folder.glob("*.png"))
    assert len(files) >= 10
    for file in files:
        _assert_framed(prepare(Image.open(file).convert("RGB")))


def test_find_ink_keeps_all_digits_and_says_the_scale() -> None:
    page = Image.new("L", (1200, 400), 255)
    for i in range(4):
        page.paste(0, (100 + 280 * i, 100, 140 + 280 * i, 300))
    ink = find_ink(page, bound=600)
    assert ink.scale == 2
    assert ink.mask.shape == (200, 600)
    assert (np.diff(ink.mask[100].astype(int)) == 1).sum() == 4
    assert not ink.grey[:40].any()


def test_frame_takes_only_what_is_masked() -> None:
    grey = np.zeros((60, 60), np.float32)
    grey[10:50, 10:16] = grey[10:50, 40:46] = 1
    mask = np.zeros((60, 60), np.bool_)
    mask[10:50, 10:16] = True
    pixels = frame(grey, mask)
    assert np.count_nonzero(pixels.any(axis=0)) <= 5
    assert np.count_nonzero(pixels.any(axis=1)) == 20

import numpy as np
import pytest
from digit.commands import variations
from digit.commands.variations import Sketch
from numpy.typing import NDArray
from PIL import Image


def cross(size: int = 60) -> NDArray[np.uint8]:
    """Draws dark strokes of a tenth of the size on light paper, away from the border."""
    grey = np.full((size, size), 230, np.uint8)
    low, high, width = size // 4, 3 * size // 4, size // 20
    grey[low:high, size // 2 - width : size // 2 + width] = 20
    grey[size // 2 - width : size // 2 + width, low:high] = 20
    return grey


@pytest.fixture
def sketch() -> Sketch:
    return variations.sketch_of(cross())


def changed(sketch: Sketch, name: str, seed: int = 1) -> Sketch:
    return variations.VARIATIONS[name](sketch, np.random.default_rng(seed))


def area(sketch: Sketch) -> float:
    return float((np.asarray(sketch.ink, np.float64) / 255).sum())


def test_a_picture_taken_apart_and_put_together_is_the_same(sketch: Sketch) -> None:
    assert (sketch.pen, sketch.paper) == ((20,) * 3, (230,) * 3)
    again = variations.picture_of(sketch, np.random.default_rng(1))
    assert again.mode == "L"
    np.testing.assert_allclose(np.asarray(again), cross(), atol=1)


def test_light_ink_on_dark_paper_is_ink() -> None:
    sketch = variations.sketch_of(255 - cross())
    assert (sketch.pen, sketch.paper) == ((235,) * 3, (25,) * 3)
    assert area(sketch) == pytest.approx(area(variations.sketch_of(cross())))


@pytest.mark.parametrize("level", [0, 255])
def test_a_blank_page_stays_one(level: int) -> None:
    sketch = variations.sketch_of(np.full((10, 12), level, np.uint8))
    for name in variations.VARIATIONS:
        assert area(changed(sketch, name)) == 0
    assert np.unique(variations.picture_of(sketch, np.random.default_rng(1))).tolist() == [level]


@pytest.mark.parametrize("seed", range(5))
def test_a_shift_loses_no_ink(sketch: Sketch, seed: int) -> None:
    moved = changed(sketch, "shift", seed)
    assert moved.ink.size == sketch.ink.size
    assert area(moved) == pytest.approx(area(sketch), rel=0.02)
    assert moved.ink.tobytes() != sketch.ink.tobytes()


@pytest.mark.parametrize("seed", range(5))
def test_a_rotation_loses_no_ink(sketch: Sketch, seed: int) -> None:
    turned = changed(sketch, "rotation", seed)
    assert area(turned) == pytest.approx(area(sketch), rel=0.02)
    assert turned.ink.width > sketch.ink.width


def test_a_scaled_digit_is_smaller_on_the_same_sheet(sketch: Sketch) -> None:
    small = changed(sketch, "scale")
    assert small.ink.size == sketch.ink.size
    assert 0.3 * area(sketch) < area(small) < 0.85 * area(sketch)


def test_a_larger_size_is_bounded() -> None:
    assert max(changed(variations.sketch_of(cross(28)), "size").ink.size) > 28
    assert max(changed(variations.sketch_of(cross(590)), "size").ink.size) <= variations.LARGEST


def test_strokes_become_thicker_or_thinner_and_stay_whole(sketch: Sketch) -> None:
    areas = [area(changed(sketch, "stroke", seed)) / area(sketch) for seed in range(12)]
    assert min(areas) < 0.9
    assert max(areas) > 1.1
    assert all(0.5 < each < 1.8 for each in areas)


def test_a_hairline_never_becomes_thinner() -> None:
    grey = np.full((40, 40), 255, np.uint8)
    grey[5:35, 20] = 0
    sketch = variations.sketch_of(grey)
    assert all(area(changed(sketch, "stroke", seed)) > 0.9 * area(sketch) for seed in range(12))


def test_a_blur_spreads_the_ink_and_keeps_it(sketch: Sketch) -> None:
    blurred = changed(sketch, "blur")
    assert area(blurred) == pytest.approx(area(sketch), rel=0.02)
    inked = [np.count_nonzero(np.asarray(each.ink)) for each in (sketch, blurred)]
    assert inked[1] > inked[0]


def test_polarity_swaps_pen_and_paper(sketch: Sketch) -> None:
    swapped = changed(sketch, "polarity")
    assert (swapped.pen, swapped.paper) == (sketch.paper, sketch.pen)


@pytest.mark.parametrize("name", ["same", "polarity"])
def test_colours_keep_the_pen_darker_or_lighter_as_it_was(sketch: Sketch, name: str) -> None:
    before = sketch if name == "same" else changed(sketch, name)
    coloured = changed(before, "colour")
    assert (sum(coloured.pen) < sum(coloured.paper)) == (sum(before.pen) < sum(before.paper))
    assert abs(sum(coloured.pen) - sum(coloured.paper)) > 200
    assert variations.picture_of(coloured, np.random.default_rng(1)).mode == "RGB"


def test_noise_is_in_the_picture_and_not_in_the_ink(sketch: Sketch) -> None:
    noisy = changed(sketch, "noise")
    picture = np.asarray(variations.picture_of(noisy, np.random.default_rng(1)), np.float64)
    assert noisy.ink is sketch.ink
    assert np.std(picture - cross()) == pytest.approx(noisy.noise, rel=0.2)


def test_jpeg_has_a_quality(sketch: Sketch) -> None:
    quality = changed(sketch, "jpeg").quality
    assert quality is not None
    assert 25 <= quality <= 80


def test_one_to_three_variations_are_applied_in_a_fixed_order(sketch: Sketch) -> None:
    order = list(variations.VARIATIONS)
    seen = set()
    for seed in range(60):
        made, names = variations.varied(sketch, np.random.default_rng(seed))
        assert 1 <= len(names) <= variations.MOST_AT_ONCE
        assert names == sorted(names, key=order.index)
        assert isinstance(variations.picture_of(made, np.random.default_rng(seed)), Image.Image)
        seen.update(names)
    assert seen == set(order)

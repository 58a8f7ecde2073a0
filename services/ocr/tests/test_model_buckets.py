import numpy as np
import pytest
from ocr import preprocess
from ocr.model import buckets


@pytest.mark.parametrize(("width", "bucket"), [(16, 96), (96, 96), (97, 160), (3200, 3200)])
def test_a_line_gets_the_least_width_that_holds_it(width: int, bucket: int) -> None:
    assert buckets.line_width(width) == bucket


def test_every_picture_fits_a_bucket() -> None:
    chance = np.random.default_rng(3)
    for width, height in [(4096, 4096), (1, 4096), (4096, 1), *chance.integers(1, 4096, (300, 2)).tolist()]:
        size = preprocess.detector_size(width, height, enlarge=True)
        fitted = buckets.fitted(size)
        assert buckets.detector_size(fitted) in buckets.DETECTOR_SIZES
        assert fitted[0] <= size[0]
        assert fitted[1] <= size[1]


def test_the_buckets_are_what_the_detector_takes() -> None:
    assert all(side % preprocess.STRIDE == 0 for size in buckets.DETECTOR_SIZES for side in size)


def test_padding_keeps_the_picture_at_the_top_left() -> None:
    padded = buckets.padded(np.ones((1, 3, 32, 64), np.float32), 96, 64)
    assert padded.shape == (1, 3, 64, 96)
    assert padded[:, :, :32, :64].min() == 1
    assert padded.sum() == 3 * 32 * 64

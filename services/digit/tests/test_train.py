"""What both trainings are made of, without PyTorch and TensorFlow: data, variety, mix, figures, records."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from digit.postprocess import Outputs
from safetensors.numpy import save_file
from train import augment, calibrate, data, drawings, fonts, nondigits, records, schedule, scores, stream
from train.data import DataError, Digits
from train.nondigits import Others
from train.stream import Pool


def some_digits(n: int) -> Digits:
    return drawings.make(n, seed=1, share_fonts=0)


def some_others(n: int) -> Others:
    """Returns pictures without any font, so that a machine without fonts tests the same."""
    rng = np.random.default_rng(0)
    return Others(rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), np.full(n, 0.5, np.float32), np.full(n, "noise"))


@pytest.fixture(scope="module")
def pool() -> Pool:
    n = 2 * stream.DIGITS + 10
    digits = Digits(np.random.default_rng(0).integers(0, 256, (n, 28, 28), dtype=np.uint8), np.arange(n) % 10)
    return Pool(digits, digits[:20], digits[:30], some_others(40), some_others(10), digits[:5])


def test_the_split_holds_back_as_many_of_each_digit_and_shares_no_image() -> None:
    labels = np.repeat(np.arange(10), 600)
    numbers = np.arange(6000, dtype=np.uint32).view(np.uint8).reshape(-1, 2, 2)  # each picture is its number
    train, held = data.split(Digits(numbers, labels))
    assert np.bincount(held.labels).tolist() == [data.HELD_BACK] * 10
    assert np.bincount(train.labels).tolist() == [600 - data.HELD_BACK] * 10
    both = np.concatenate([train.pixels, held.pixels]).reshape(-1, 4)
    assert len(np.unique(both, axis=0)) == 6000


def test_without_a_network_the_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz is not in .* no mirror answered .*--mnist DIR"):
        data.load(tmp_path, ("http://127.0.0.1:9/",))


def test_a_file_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    for name in data.MD5:
        (tmp_path / name).write_bytes(gzip.compress(b"something else"))
    with pytest.raises(DataError, match="the published one is f68b3c2dcbeaaa9fbdd348bbdeb94873"):
        data.load(tmp_path)


def test_augmentation_keeps_shape_range_and_its_input() -> None:
    pixels = some_digits(50).pixels.astype(np.float32) / 255
    before = pixels.copy()
    changed = augment.augment(pixels, np.random.default_rng(1))
    assert changed.shape == pixels.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert np.array_equal(pixels, before)
    assert np.abs(changed - pixels).mean() > 0.02


def test_the_same_seed_augments_alike() -> None:
    pixels = some_digits(20).pixels.astype(np.float32) / 255
    first, second = (augment.augment(pixels, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)


def test_augmentation_of_no_strength_changes_nothing() -> None:
    pixels = some_digits(10).pixels.astype(np.float32) / 255
    none = augment.Strength(0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0)
    assert augment.augment(pixels, np.random.default_rng(0), none) == pytest.approx(pixels, abs=1e-5)


def test_a_batch_is_mixed_as_promised(pool: Pool) -> None:
    batches = list(stream.batches(pool, np.random.default_rng(0)))
    assert len(batches) == stream.steps_of_epoch(pool) == 2
    for batch in batches:
        assert batch.pixels.shape == (stream.BATCH, 28, 28)
        assert batch.is_digit.sum() == stream.DIGITS + stream.DRAWN
        assert set(batch.weights[batch.is_digit == 0]) == {0.5}
        assert np.all(batch.labels[batch.is_digit == 0] == 0)


def test_a_pool_is_read_as_it_was_written(pool: Pool, tmp_path: Path) -> None:
    pool.save(tmp_path / "pool.npz")
    read = Pool.load(tmp_path / "pool.npz")
    assert np.array_equal(read.train.pixels, pool.train.pixels)
    assert np.array_equal(read.held_others.weights, pool.held_others.weights)
    assert read.others.kinds.tolist() == pool.others.kinds.tolist()


def test_letters_that_look_like_digits_count_little() -> None:
    assert nondigits.weight_of("O") < nondigits.weight_of("Q") < nondigits.weight_of("M") == 1.0


@pytest.mark.parametrize("kind", [kind for kind in nondigits.MAKERS if kind not in {"letter", "word", "symbol"}])
def test_every_kind_of_no_digit_leaves_ink(kind: str) -> None:
    grey, weight = nondigits.MAKERS[kind][1](np.random.default_rng(5), some_digits(10), False)
    assert grey.max() > 100
    assert 0 < weight <= 1


def test_fonts_of_the_evaluation_are_not_those_of_the_training() -> None:
    try:
        training, held = (set(fonts.found(held=held)[0]) for held in (False, True))
    except fonts.NoFontsError as error:
        pytest.skip(str(error))
    assert not training & held


def test_the_rate_rises_then_falls_to_the_least() -> None:
    rates = [schedule.rate(1.0, progress, 10) for progress in np.linspace(0, 10, 101)]
    assert np.argmax(rates) == 10
    assert rates[-1] == pytest.approx(schedule.LEAST)
    assert np.all(np.diff(rates[10:]) < 0)


def test_the_area_under_roc_is_a_share_of_pairs() -> None:
    assert scores.area_under_roc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert scores.area_under_roc(np.array([1.0, 3.0]), np.array([1.0, 2.0])) == pytest.approx((0.5 + 0 + 1 + 1) / 4)


def test_the_calibration_error_is_the_gap_of_confidence_and_accuracy() -> None:
    probabilities = np.full((10, 10), 0.2 / 9)
    probabilities[:, 3] = 0.8
    labels = np.array([3] * 6 + [4] * 4)
    assert scores.calibration_error(probabilities, labels) == pytest.approx(0.2)


def test_the_temperature_of_overconfident_answers_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((20_000, 10)) * 2
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (true.cumsum(axis=1) > rng.random((len(true), 1))).argmax(axis=1)
    over = true**2 / (true**2).sum(axis=1, keepdims=True)
    assert calibrate.temperature_of(Outputs(over, np.ones(len(over))), labels) == pytest.approx(2, rel=0.05)


def test_the_threshold_accepts_the_promised_share_of_every_set() -> None:
    rng = np.random.default_rng(0)
    sets = [rng.random(1000), rng.random(500) ** 2]
    threshold = calibrate.threshold_of(sets)
    assert all(np.mean(values >= threshold) >= calibrate.ACCEPTED for values in sets)
    assert any(np.mean(values >= threshold + 0.01) < calibrate.ACCEPTED for values in sets)


def test_records_are_written_in_one_order_and_read_back(tmp_path: Path) -> None:
    (tmp_path / "cnn.onnx").write_bytes(b"weights")
    arrays = {"dense.kernel": np.ones((3, 2)), "normalisation_1.moving_mean": np.ones(3)}
    save_file(arrays, tmp_path / "cnn.safetensors")
    record = records.describe(tmp_path, "cnn.onnx", tmp_path, "abc")
    assert record["parameters"] == 6
    records.write(tmp_path, {"ensemble": {"members": ["cnn"]}, "cnn.onnx": record})
    assert list(json.loads((tmp_path / "weights.json").read_text())) == ["cnn.onnx", "ensemble"]
    assert records.read(tmp_path)["cnn.onnx"] == record

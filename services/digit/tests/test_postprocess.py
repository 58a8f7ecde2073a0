import numpy as np
import pytest
from digit.postprocess import Outputs, averaged, calibrated, joined, readings


def test_logits_become_probabilities_that_sum_to_one() -> None:
    logits = np.array([[0.0] * 9 + [3.0], [1000.0, -1000.0] + [0.0] * 8], np.float32)
    outputs = calibrated(logits, np.array([0.0, -1000.0], np.float32), temperature=1.0)
    assert outputs.probabilities.sum(axis=1) == pytest.approx([1, 1])
    assert outputs.probabilities[0, 9] == pytest.approx(np.exp(3) / (np.exp(3) + 9))
    assert outputs.digitness.tolist() == [0.5, 0.0]


def test_a_higher_temperature_is_less_sure_of_the_same_digit() -> None:
    logits = np.array([[1.0, 2.0, 4.0] + [0.0] * 7], np.float32)
    sure, unsure = (calibrated(logits, np.zeros(1), temperature).probabilities[0] for temperature in (1.0, 2.0))
    assert sure.argmax() == unsure.argmax() == 2
    assert unsure[2] < sure[2]


def test_an_ensemble_is_the_mean_calibrated_once_more() -> None:
    one = Outputs(np.array([[0.8, 0.2] + [0.0] * 8]), np.array([0.9]))
    other = Outputs(np.array([[0.4, 0.6] + [0.0] * 8]), np.array([0.5]))
    mean = averaged([one, other], temperature=1.0)
    assert mean.probabilities[0, :2] == pytest.approx([0.6, 0.4])
    assert mean.digitness == pytest.approx([0.7])
    sharper = averaged([one, other], temperature=0.5)
    assert sharper.probabilities[0, :2] == pytest.approx([0.36 / 0.52, 0.16 / 0.52])


@pytest.mark.parametrize("sizes", [[], [2], [2, 3, 1]])
def test_parts_are_joined_in_order(sizes: list[int]) -> None:
    parts = [Outputs(np.full((size, 10), size / 10), np.full(size, float(size))) for size in sizes]
    whole = joined(parts)
    assert whole.probabilities.shape == (sum(sizes), 10)
    assert whole.digitness.tolist() == [float(size) for size in sizes for _ in range(size)]


def test_a_reading_names_the_likeliest_digit_even_where_it_is_none() -> None:
    probabilities = np.full((2, 10), 0.05)
    probabilities[:, 4] = 0.55
    read = readings(Outputs(probabilities, np.array([0.7, 0.69])), [(1, 2, 3, 4), (0, 0, 9, 9)], "cnn", 0.7)
    assert [(each.prediction, each.confidence, each.is_digit) for each in read] == [(4, 0.55, True), (4, 0.55, False)]
    assert (read[0].model, read[0].box, len(read[0].probabilities)) == ("cnn", (1, 2, 3, 4), 10)

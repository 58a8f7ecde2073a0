import numpy as np
import pytest
from cars.refusal import Memory, Weighing, certainty, loaded, measures, saved, unit

RANDOM = np.random.default_rng(0)
FEATURES = 32


@pytest.fixture
def memory() -> Memory:
    """A memory of three classes, each a heap about a direction of its own."""
    crops = unit(np.repeat(np.eye(3, 8, dtype=np.float32), 10, 0) + RANDOM.normal(0, 0.05, (30, 8)).astype(np.float32))
    axes = np.eye(FEATURES, 8, dtype=np.float32)
    return Memory(np.zeros(FEATURES, np.float32), axes, crops, np.eye(3, 8, dtype=np.float32))


def features(direction: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    return np.eye(FEATURES, dtype=np.float32)[direction : direction + 1] * 3


LOGITS = np.array([[9.0, 1.0, 0.0]])


def test_what_lies_among_the_crops_of_its_class_is_better_known_than_what_lies_beside_them(memory: Memory) -> None:
    known, strange = (measures(memory, LOGITS, features(direction)) for direction in (0, 6))
    for name in ("centre", "neighbour", "neighbours"):
        assert known[name][0] > 0.9 > 0.3 > strange[name][0]


def test_what_another_class_would_explain_is_far_from_the_centre_of_the_answer_alone(memory: Memory) -> None:
    other = measures(memory, LOGITS, features(1))
    assert other["centre"][0] < 0.3
    assert other["neighbour"][0] > 0.9


@pytest.mark.parametrize("name", ["softmax", "logit", "contrast", "margin", "energy", "entropy"])
def test_a_decided_answer_is_better_known_than_an_undecided_one(memory: Memory, name: str) -> None:
    decided, undecided = (measures(memory, np.array([row]), features(0)) for row in ([9.0, 1, 0], [3.0, 2.9, 2.8]))
    assert decided[name][0] > undecided[name][0]


def test_each_row_is_measured_for_itself(memory: Memory) -> None:
    rows = np.concatenate([features(direction) for direction in range(4)])
    logits = RANDOM.normal(size=(4, 3))
    together = measures(memory, logits, rows)
    alone = [measures(memory, logits[i : i + 1], rows[i : i + 1]) for i in range(4)]
    for name, values in together.items():
        assert values == pytest.approx(np.concatenate([each[name] for each in alone]), abs=1e-6)


def test_a_certainty_is_a_share_that_rises_with_what_weighs_for_it() -> None:
    weighing = Weighing(("logit", "centre"), (5.0, 0.5), (2.0, 0.1), (1.0, 2.0), 0.0, 0.5)
    found = certainty(weighing, {"logit": np.array([5.0, 9.0, 5.0]), "centre": np.array([0.5, 0.5, 0.2])})
    assert found[0] == pytest.approx(0.5)
    assert 0 < found[2] < found[0] < found[1] < 1


def test_features_of_nothing_do_not_divide_by_zero(memory: Memory) -> None:
    nothing = measures(memory, np.zeros((1, 3)), np.zeros((1, FEATURES), np.float32))
    assert all(np.isfinite(values).all() for values in nothing.values())


def test_a_memory_is_kept_to_three_digits(memory: Memory) -> None:
    again = loaded(saved(memory))
    assert again.crops.dtype == np.float32
    for name in ("mean", "axes", "crops", "centres"):
        assert getattr(again, name) == pytest.approx(getattr(memory, name), abs=1e-3)

import numpy as np
import pytest
from anomaly.learning import folds


def test_each_fold_is_held_back_once() -> None:
    splits = folds.split([(0, 100)], 100, 1, "folds")
    held = [row for split in splits for start, stop in split.held for row in range(start, stop)]
    assert held == list(range(100))
    assert len(splits) == folds.FOLDS


@pytest.mark.parametrize("holdback", ["folds", "tail"])
@pytest.mark.parametrize("window", [1, 7])
def test_a_window_lies_between_what_trains_and_what_is_held_back(holdback: str, window: int) -> None:
    for split in folds.split([(0, 300)], 300, window, "tail" if holdback == "tail" else "folds"):
        for start, stop in split.held:
            assert all(to <= start - window or since >= stop + window for since, to in split.training)


def test_the_tail_is_the_newest_third() -> None:
    (split,) = folds.split([(0, 1000)], 1000, 5, "tail")
    assert split.held == ((700, 1000),)
    assert split.training == ((0, 695),)


def test_few_rows_make_fewer_folds() -> None:
    assert len(folds.split([(0, 80)], 80, 10, "folds")) == 2


def test_rows_that_are_left_out_split_the_spans() -> None:
    (split,) = folds.split([(0, 300), (400, 1000)], 1000, 1, "tail")
    assert split.training == ((0, 300), (400, 699))


def test_pieces_shorter_than_a_window_are_of_no_use() -> None:
    assert folds.cut([(0, 4), (10, 15)], 0, 100, 5) == ((10, 15),)


def test_spans_are_the_runs_of_a_mask() -> None:
    mask = np.array([True, False, True, True])
    assert folds.spans_of(mask) == ((0, 1), (2, 4))
    assert folds.spans_of(np.zeros(3, dtype=np.bool_)) == ()


def test_long_recordings_hold_back_their_tail() -> None:
    assert folds.resolve("auto", 5000) == "folds"
    assert folds.resolve("auto", 5001) == "tail"
    assert folds.resolve("folds", 10**6) == "folds"

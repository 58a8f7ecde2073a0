import numpy as np
from anomaly.learning.contamination import bursts, level_changes, without
from numpy.typing import NDArray

Array = NDArray[np.float64]


def scores(n: int = 500) -> Array:
    return np.random.default_rng(0).lognormal(0, 0.4, n)


def test_a_burst_far_beyond_the_rest_is_found() -> None:
    found = scores()
    found[200:220] *= 100
    assert bursts(found, 1) == ((200, 220),)


def test_normal_rows_and_single_spikes_are_left_alone() -> None:
    found = scores()
    assert bursts(found, 1) == ()
    found[[50, 150, 250]] *= 100
    assert bursts(found, 1) == ()


def test_spikes_within_a_window_are_one_burst() -> None:
    found = scores()
    found[[50, 53, 56]] *= 100
    assert bursts(found, 5) == ((50, 57),)


def test_unknown_scores_are_no_burst() -> None:
    found = scores()
    found[:10] = np.nan
    assert bursts(found, 1) == ()
    assert bursts(np.full(100, np.nan), 1) == ()
    assert bursts(np.ones(100), 1) == ()


def test_what_is_left_goes_round_the_bursts() -> None:
    assert without(10, ((2, 4), (9, 10))) == ((0, 2), (4, 9))


def test_a_sensor_that_moves_to_another_level_is_found_with_the_row() -> None:
    rows = np.random.default_rng(0).standard_normal((400, 3))
    rows[160:, 1] += 5
    ((sensor, row),) = level_changes(rows, 20)
    assert sensor == 1
    assert row == 160


def test_noise_slopes_rest_and_few_rows_are_no_change_of_level() -> None:
    generator = np.random.default_rng(0)
    assert level_changes(generator.standard_normal((400, 8)), 20) == ()
    slope = np.linspace(0, 1, 400)[:, None] + 1e-3 * generator.standard_normal((400, 1))
    assert level_changes(slope, 1) == ()
    assert level_changes(np.full((100, 2), 5.0), 1) == ()
    assert level_changes(generator.standard_normal((9, 2)), 1) == ()

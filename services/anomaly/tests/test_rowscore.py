import timeit
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from anomaly.learning.training import TrainingOptions, train
from anomaly.model import Model


@pytest.fixture(scope="module", params=["autoencoder", "pca"])
def model(request: pytest.FixtureRequest) -> Model:
    rows = np.random.default_rng(0).standard_normal((300, 5)) * [1, 10, 1e-3, 1e6, 1] + [0, 1e3, 0, 1e7, -5]
    return train(rows, TrainingOptions(kind=request.param, epochs=20))


def test_the_fast_way_gives_the_score_of_the_slow_one(model: Model) -> None:
    rows = np.random.default_rng(1).standard_normal((200, 5)) * [5, 30, 1e-2, 1e7, 9] + [0, 1e3, 0, 1e7, -5]
    assert [model.score(row) for row in rows.tolist()] == pytest.approx(model.scores(rows), rel=1e-12)


@pytest.mark.parametrize("value", [1e300, -1e300, 1.7e308, 5e-324, 0.0])
def test_extreme_values_take_the_slow_way_and_score_alike(model: Model, value: float) -> None:
    row = [value] * 5
    assert model.score(row) == pytest.approx(model.scores(np.array([row]))[0])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_what_is_no_finite_number_is_refused_wherever_it_stands(model: Model, value: float, place: int) -> None:
    row = [1.0] * 5
    row[place] = value
    with pytest.raises(ValueError, match="not finite"):
        model.score(row)


@pytest.mark.parametrize("row", [[], [1.0] * 4, [1.0] * 6])
def test_a_row_of_another_length_is_refused(model: Model, row: list[float]) -> None:
    with pytest.raises(ValueError, match=f"{len(row)} values came, the model takes 5"):
        model.score(row)


def test_a_sensor_in_tiny_units_is_scored_and_not_cut_short() -> None:
    rows = np.random.default_rng(0).standard_normal((300, 2)) * 1e-200
    model = train(rows, TrainingOptions(kind="pca", epochs=1))
    assert model.score([1e-190, 0.0]) == pytest.approx(model.scores(np.array([[1e-190, 0.0]]))[0])


def test_threads_do_not_write_into_each_others_rows(model: Model) -> None:
    rows = np.random.default_rng(2).standard_normal((4, 5)) * [1, 10, 1e-3, 1e6, 1] + [0, 1e3, 0, 1e7, -5]

    def scores(row: list[float]) -> set[float]:
        return {model.score(row) for _ in range(5000)}

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(scores, rows.tolist()))
    assert [len(values) for values in found] == [1, 1, 1, 1]
    assert [values.pop() for values in found] == pytest.approx(model.scores(rows))


def test_one_row_costs_microseconds(model: Model) -> None:
    row = [1.0] * 5
    best = min(timeit.repeat(lambda: model.score(row), number=2000, repeat=5)) / 2000
    assert best < 50e-6  # measured: 5 us; the limit leaves room for a busy machine

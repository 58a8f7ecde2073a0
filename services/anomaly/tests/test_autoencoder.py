import numpy as np
import pytest
from anomaly.detector import autoencoder
from anomaly.detector.autoencoder import Schedule


def curve(n: int, seed: int = 0) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Points near a parabola: one dimension that no straight line describes."""
    generator = np.random.default_rng(seed)
    along = generator.uniform(-1.5, 1.5, n)
    return np.column_stack([along, along**2 - 1]) + 0.05 * generator.standard_normal((n, 2))


def test_learns_what_a_straight_line_cannot() -> None:
    network, figures = autoencoder.fit(curve(800), curve(200, 1), (16, 1), Schedule(epochs=200))
    assert figures["check_error"] < 0.02  # the best line leaves 0.2
    assert network.layers == [2, 16, 1, 16, 2]


def test_the_same_seed_makes_the_same_network_and_another_another() -> None:
    first, again, other = (
        autoencoder.fit(curve(200), curve(50, 1), (8, 1), Schedule(epochs=5, seed=seed))[0] for seed in (0, 0, 1)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first.weights, again.weights, strict=True))
    assert not np.array_equal(first.weights[0], other.weights[0])


def test_gradients_are_those_of_finite_differences() -> None:
    generator = np.random.default_rng(0)
    parameters = [p + 0.1 for p in autoencoder._initial([3, 4, 2, 4, 3], generator)]
    relu, inputs = (True, False, True, False), generator.standard_normal((7, 3))
    gradients = autoencoder._gradients(parameters, relu, inputs)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        place = (0,) * parameter.ndim
        parameter[place] += 1e-6
        above = autoencoder._error(parameters, relu, inputs)
        parameter[place] -= 2e-6
        below = autoencoder._error(parameters, relu, inputs)
        parameter[place] += 1e-6
        assert gradient[place] == pytest.approx((above - below) / 2e-6, rel=1e-4, abs=1e-8)


def test_a_far_value_is_not_reconstructed_by_extrapolation() -> None:
    line = np.random.default_rng(0).uniform(-1, 1, (500, 1)) * np.ones((1, 2))
    network, _ = autoencoder.fit(line[:400], line[400:], (8, 1), Schedule(epochs=100))
    on_the_line = np.linalg.norm(network.residuals(np.array([[0.5, 0.5], [50.0, 50.0]])), axis=1)
    assert on_the_line[0] < 0.1
    assert on_the_line[1] > 60


def test_stops_early_where_nothing_improves() -> None:
    noise = np.zeros((100, 2))
    _, figures = autoencoder.fit(noise, noise, (4, 1), Schedule(epochs=500, patience=5))
    assert figures["epochs"] < 100


def test_weights_are_those_that_the_file_will_hold() -> None:
    network, _ = autoencoder.fit(curve(100), curve(50, 1), (8, 1), Schedule(epochs=2))
    assert all(np.array_equal(w, w.astype(np.float32).astype(np.float64)) for w in network.weights)


def test_progress_reaches_the_end_and_what_it_raises_ends_the_training() -> None:
    shares: list[float] = []
    autoencoder.fit(curve(100), curve(50), (4, 1), Schedule(epochs=3), shares.append)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1.0])

    def cancel(_share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        autoencoder.fit(curve(100), curve(50), (4, 1), Schedule(), cancel)


def test_the_bottleneck_is_narrower_than_its_input() -> None:
    assert autoencoder.hidden_sizes(8, 3) == (32, 3)
    assert autoencoder.hidden_sizes(3, 5)[1] == 2
    assert autoencoder.hidden_sizes(1, 0) == (8, 1)

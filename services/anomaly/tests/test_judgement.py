from collections.abc import Callable

import numpy as np
from anomaly.ingestion.judgement import obstacles, verdict
from anomaly.ingestion.readings import Quality
from anomaly.model import Model, Sensor, ranges

NAN = np.nan


def test_a_sound_row_has_no_obstacle() -> None:
    assert obstacles(np.array([[1.0, 2.0]]), None, None, 0.0) == [None]


def test_each_obstacle_has_its_reason_and_bad_quality_comes_first() -> None:
    limits = ranges((Sensor("a", "", 0.0, 10.0), Sensor("b", "", None, None)))
    rows = np.array([[5.0, -99.0], [11.0, 0.0], [-1.0, NAN], [5.0, NAN], [11.0, 0.0]])
    qualities: list[Quality] = ["good", "uncertain", "good", "good", "bad"]
    assert obstacles(rows, qualities, limits, 0.0) == [
        None,
        "out_of_range",
        "out_of_range",
        "null_values",
        "bad_quality",
    ]


def test_nulls_are_tolerated_up_to_their_share() -> None:
    rows = np.array([[1.0, NAN, 1.0, 1.0], [1.0, NAN, NAN, 1.0], [NAN] * 4])
    assert obstacles(rows, None, None, 0.25) == [None, "null_values", "null_values"]


def test_the_ends_of_a_range_belong_to_it() -> None:
    limits = ranges((Sensor("a", "", 0.0, 10.0),))
    assert obstacles(np.array([[0.0], [10.0]]), None, limits, 0.0) == [None, None]


def test_sensors_without_a_range_need_no_look() -> None:
    assert ranges((Sensor("a", "", None, None),)) is None


def test_what_was_not_scored_is_never_normal(make_model: Callable[..., Model]) -> None:
    model = make_model(threshold=3.0)
    assert verdict(model, 3.0, None) == (3.0, "normal", None)
    assert verdict(model, 3.1, None) == (3.1, "anomaly", None)
    assert verdict(model, NAN, None) == (None, "unknown", "warming_up")
    assert verdict(model, 1.0, "bad_quality") == (None, "unknown", "bad_quality")

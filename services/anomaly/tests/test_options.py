import msgspec
import pytest
from anomaly.learning.options import TrainingOptions


def test_options_come_from_json() -> None:
    made = msgspec.convert({"kind": "pca", "window": 20, "sensors": [{"name": "oil", "unit": "K"}]}, TrainingOptions)
    assert made.sensors[0].unit == "K"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "forest"}, TrainingOptions)


def test_a_window_of_one_has_one_strategy() -> None:
    assert TrainingOptions(features="flat").feature_strategy() == "last"
    assert TrainingOptions(window=5).feature_strategy() == "mean"
    assert TrainingOptions(window=5, features="flat").feature_strategy() == "flat"


def test_unnamed_sensors_are_numbered() -> None:
    assert [s.name for s in TrainingOptions().sensors_for(2)] == ["sensor_1", "sensor_2"]


def test_only_what_was_given_goes_to_the_method() -> None:
    assert TrainingOptions(method="percentile", percentile=99.5).parameters() == {"percentile": 99.5}

"""Units and ranges as users give them."""

import numpy as np
import pytest
from anomaly.formats.tables import Table, TableError
from anomaly.learning.declared import check, declare, sensors_of
from anomaly.learning.options import TrainingError
from anomaly.model import Sensor

SENSORS = (Sensor("vibration", "mm/s", -1.0, 60.0), Sensor("a=b"))


def test_ranges_and_units_go_to_their_sensors_and_the_rest_stays() -> None:
    made = declare(SENSORS, ["vibration=0:5e1", "a=b= -2.5 : "], ["a=b=°C"])
    assert made == (Sensor("vibration", "mm/s", 0.0, 50.0), Sensor("a=b", "°C", -2.5, None))
    assert declare(SENSORS, [], []) == SENSORS


def test_what_was_known_can_be_taken_away() -> None:
    assert declare(SENSORS, ["vibration=:"], ["vibration="])[0] == Sensor("vibration")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("vibration", "expected NAME=LOW:HIGH"),
        ("=0:1", "expected NAME=LOW:HIGH"),
        ("", "expected NAME=LOW:HIGH"),
        ("heat=0:1", r"for a sensor that there is not; there are 'vibration', 'a=b'"),
        ("vibration=5", "no colon"),
        ("vibration=0:1:2", "'1:2' is not a finite number"),
        ("vibration=nan:1", "not a finite number"),
        ("vibration=1_0:20", "not a finite number"),
        ("vibration=0:1e999", "not a finite number"),
        ("vibration=5:5", "must be below"),
    ],
)
def test_a_range_that_is_not_understood_is_refused(text: str, reason: str) -> None:
    with pytest.raises(TrainingError, match=reason):
        declare(SENSORS, [text], [])


@pytest.mark.parametrize("text", ["vibration", "heat=K", "vibration=a\nb", "vibration=" + "x" * 65])
def test_a_unit_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(TrainingError, match="unit"):
        declare(SENSORS, [], [text])


def test_a_sensor_is_spoken_of_once() -> None:
    with pytest.raises(TrainingError, match="'vibration' is given a range twice"):
        declare(SENSORS, ["vibration=0:1", "vibration=0:2"], [])


def test_a_row_that_breaks_a_range_is_named_by_its_line_in_the_file() -> None:
    rows = np.array([[1.0, 0.0], [61.0, 0.0], [-5.0, 0.0]])
    with pytest.raises(TableError, match=r"row 3: 'vibration' is -5, outside its range -1:60") as caught:
        check(Table(rows, row_numbers=np.array([2, 9, 3])), SENSORS)
    assert caught.value.row == 3
    with pytest.raises(TableError, match="row 2: 'vibration' is 61"):
        check(Table(rows), SENSORS)
    check(Table(np.array([[60.0, 1e9], [-1.0, -1e9]])), SENSORS)  # the ends belong to it


def test_a_table_without_names_has_numbered_sensors() -> None:
    made = sensors_of(Table(np.ones((2, 2))), ["sensor_2=0:9"], [])
    assert made == (Sensor("sensor_1"), Sensor("sensor_2", "", 0.0, 9.0))


def test_what_is_said_goes_before_what_was_known() -> None:
    known = (Sensor("heat", "K", 0.0, 500.0), Sensor("flow", "l/s", 0.0, 9.0))
    table = Table(np.ones((2, 2)), sensors=(Sensor("flow"), Sensor("heat", "°C")))
    made = sensors_of(table, ["flow=0:2"], [], known)
    assert made == (Sensor("flow", "l/s", 0.0, 2.0), Sensor("heat", "°C", 0.0, 500.0))

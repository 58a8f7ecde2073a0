import numpy as np
from anomaly.detector.modelfile import Sensor
from anomaly.formats.tables import Table, TableError, shown, usable


def test_an_error_begins_with_its_row() -> None:
    assert str(TableError("it is bad", 7)) == "row 7: it is bad"
    assert TableError("it is bad", 7).row == 7
    assert str(TableError("it is bad")) == "it is bad"


def test_shown_text_cannot_forge_a_line_or_grow() -> None:
    assert shown("a\nb\x1b[31m") == r"'a\nb\x1b[31m'"
    assert len(shown("x" * 10_000)) < 80


def test_names_come_from_the_sensors() -> None:
    assert Table(np.ones((1, 1)), (Sensor("oil"),)).names == ("oil",)
    assert Table(np.ones((1, 1))).names is None
    assert Table(np.ones((1, 1))).first_row_number == 1


def test_usable_rows_are_of_good_quality_and_in_the_order_of_time() -> None:
    numbers = np.array([2, 3, 4])
    table = Table(numbers[:, None] * 1.0, None, np.array([30, 20, 10]), ("good", "bad", "good"), numbers, ("first",))
    made = usable(table)
    assert made.rows[:, 0].tolist() == [4, 2]
    assert made.row_numbers is not None
    assert made.row_numbers.tolist() == [4, 2]
    assert made.notes[0] == "first"
    assert len(made.notes) == 3
    plain = Table(np.ones((2, 1)))
    assert usable(plain).notes == ()
    assert usable(plain).rows.tolist() == plain.rows.tolist()

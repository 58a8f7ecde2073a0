from collections.abc import Callable

import numpy as np
import pytest
from anomaly.commands.scorefile import matched, moment_text, score_table
from anomaly.formats.readers import read_csv
from anomaly.formats.tables import TableError
from anomaly.model import Model, Sensor

MakeModel = Callable[..., Model]


def test_verdicts_stand_in_the_order_of_the_rows(make_model: MakeModel) -> None:
    table = read_csv(
        b"timestamp,a,b\n2026-01-31T12:00:00.5Z,0,1\n2026-01-31T12:00:01Z,0,4\n2026-01-31T12:00:02Z,30,0\n"
    )
    scored = score_table(make_model(), table)
    assert list(scored.lines()) == [
        "row,timestamp,score,status,severity",
        "2,2026-01-31T12:00:00.500Z,1,normal,none",
        "3,2026-01-31T12:00:01.000Z,4,anomaly,minor",
        "4,2026-01-31T12:00:02.000Z,30,anomaly,critical",
    ]
    assert (scored.alarms, scored.unknown) == (2, 0)


def test_rows_that_cannot_be_judged_are_unknown_and_no_part_of_a_window(make_model: MakeModel) -> None:
    table = read_csv(b"a,b,quality\n0,1,good\n0,,good\n0,99,bad\n0,3,good\n", allow_empty=True)
    scored = score_table(make_model(window=2), table)
    assert np.isnan(scored.scores).tolist() == [True, True, True, False]
    assert scored.scores[3] == pytest.approx(2.0)  # the mean of 1 and 3
    assert list(scored.lines())[2] == "3,,,unknown,"


def test_columns_are_matched_by_name_in_any_order(make_model: MakeModel) -> None:
    assert matched(make_model(), read_csv(b"b,x,a\n1,2,3\n")).tolist() == [[3.0, 1.0]]


def test_columns_without_names_are_matched_by_place(make_model: MakeModel) -> None:
    assert matched(make_model(), read_csv(b"1,2\n")).tolist() == [[1.0, 2.0]]
    unnamed = make_model(sensors=(Sensor("sensor_1"), Sensor("sensor_2")))
    assert matched(unnamed, read_csv(b"x,y\n1,2\n")).tolist() == [[1.0, 2.0]]


def test_columns_that_are_not_the_models_are_refused(make_model: MakeModel) -> None:
    with pytest.raises(TableError, match="row 1: the column 'b' is missing"):
        matched(make_model(), read_csv(b"a,c\n1,2\n"))
    with pytest.raises(TableError, match="the rows have 3 sensors, the model takes 2"):
        matched(make_model(), read_csv(b"1,2,3\n"))


def test_a_table_without_one_sound_row_is_unknown_all_over(make_model: MakeModel) -> None:
    assert score_table(make_model(), read_csv(b"a,b\n1,\n", allow_empty=True)).unknown == 1


def test_times_have_milliseconds_and_a_zone() -> None:
    assert moment_text(0) == "1970-01-01T00:00:00.000Z"
    assert moment_text(253_402_300_799_999) == "9999-12-31T23:59:59.999Z"

import pytest
from anomaly.detector.modelfile import Sensor
from anomaly.formats import headers
from anomaly.formats.headers import Choice
from anomaly.formats.tables import TableError


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("a,b", "1,2", ","),
        ("a;b", "1,5;2,5", ";"),
        ("a\tb", "1\t2", "\t"),
        ("1,5;2,5", "1,6;2,6", ";"),
        ("a", "1", ","),
        ("a;b", "", ";"),
        ("speed; rpm,load", "1,2", ","),
    ],
)
def test_the_delimiter_is_the_one_both_lines_agree_on(first: str, second: str, expected: str) -> None:
    assert headers.delimiter_of(first, second) == expected


def test_a_header_holds_no_number() -> None:
    assert headers.has_names(["time", "a"], decimal_comma=False)
    assert not headers.has_names(["1", "a"], decimal_comma=False)
    assert not headers.has_names(["2026-01-31 12:00:00", "a"], decimal_comma=False)
    assert not headers.has_names(["", ""], decimal_comma=False)


def test_names_units_time_and_quality_are_told_apart() -> None:
    found = headers.named_columns(["Timestamp", "oil [°C]", "Quality", "load"], ["", "1", "", "2"], 1, Choice())
    assert found.sensors == (Sensor("oil", "°C"), Sensor("load"))
    assert (found.time, found.quality, found.places) == (0, 2, (1, 3))


def test_a_column_named_time_that_holds_numbers_is_a_sensor() -> None:
    assert headers.named_columns(["time", "a"], ["0.5", "1"], 1, Choice()).time is None
    assert headers.named_columns(["time", "a"], ["1769860800000", "1"], 1, Choice()).time == 0


def test_units_that_keep_two_names_apart_stay_in_them() -> None:
    found = headers.named_columns(["p [bar]", "p [Pa]"], ["1", "2"], 1, Choice())
    assert found.sensors == (Sensor("p [bar]"), Sensor("p [Pa]"))


def test_columns_are_chosen_by_name_with_or_without_unit() -> None:
    names = ["id", "oil [K]", "load", "label"]
    assert headers.named_columns(names, [], 1, Choice(keep=("oil", "load"))).places == (1, 2)
    assert headers.named_columns(names, [], 1, Choice(drop=("id", "label"))).places == (1, 2)
    assert headers.named_columns(names, [], 1, Choice(drop=("oil [K]",))).places == (0, 2, 3)
    with pytest.raises(TableError, match="there is no column 'speed'"):
        headers.named_columns(names, [], 1, Choice(drop=("speed",)))
    with pytest.raises(TableError, match="no column with sensor values"):
        headers.named_columns(names, [], 1, Choice(drop=("id", "oil", "load", "label")))


def test_columns_without_names_are_chosen_by_number() -> None:
    assert headers.numbered_columns(["1", "2", "3"], 1, Choice(drop=("2",))).places == (0, 2)
    assert headers.numbered_columns(["2026-01-31T12:00:00Z", "2"], 1, Choice()).time == 0


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["a", ""], "column 2 has no name"),
        (["a", "a"], "two columns have the name 'a'"),
        (["a", "b\x07"], "control characters"),
        (["a", "b\u202e"], "control characters"),
        (["a", "b\ud800"], "control characters"),
        (["a" * 129], "the limit is 128"),
    ],
)
def test_names_that_cannot_be_used_are_refused(names: list[str], reason: str) -> None:
    with pytest.raises(TableError, match=f"row 1: .*{reason}"):
        headers.named_columns(names, [], 1, Choice())

import pytest
from anomaly.formats import cells


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", 1.0),
        (" -1.5 ", -1.5),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("1E+5", 1e5),
        ("0007", 7.0),
        ("5e-324", 5e-324),
    ],
)
def test_numbers_are_read(cell: str, value: float) -> None:
    assert cells.number(cell, decimal_comma=False) == value


@pytest.mark.parametrize(
    "cell",
    ["", " ", "1_000", "\uff11\uff12", "\u0663", "nan", "NaN", "inf", "-Infinity", "0x10",
      "1e", "1 2", "1,5", "1.2.3", "--1", "1f", "1\t", "½", "1e99999",
     "true", "=1+1", "'1"],
)  # fmt: skip
def test_what_only_looks_like_a_number_is_none(cell: str) -> None:
    assert cells.number(cell, decimal_comma=False) is None


def test_a_number_too_large_is_infinite_and_its_sign_stays() -> None:
    assert cells.number("1e400", decimal_comma=False) == float("inf")
    assert cells.number("-1e400", decimal_comma=False) == float("-inf")


def test_a_decimal_comma_is_one_comma() -> None:
    assert cells.number("1,5", decimal_comma=True) == 1.5
    assert cells.number("1.5", decimal_comma=True) == 1.5
    assert cells.number("1.000,5", decimal_comma=True) is None
    assert cells.number("1,000,5", decimal_comma=True) is None


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-01-31T12:00:00Z", (1_769_860_800_000, True)),
        ("2026-01-31T13:00:00+01:00", (1_769_860_800_000, True)),
        ("2026-01-31 12:00:00", (1_769_860_800_000, False)),
        ("2026-01-31 12:00", (1_769_860_800_000, False)),
        ("2026-01-31T12:00:00.1239Z", (1_769_860_800_123, True)),
        ("1769860800000", (1_769_860_800_000, True)),
        ("1970-01-01T00:00:00Z", (0, True)),
    ],
)
def test_times_are_read(cell: str, expected: tuple[int, bool]) -> None:
    assert cells.moment(cell) == expected


@pytest.mark.parametrize(
    "cell",
    ["", "12:00", "2026-01-31", "31.01.2026 12:00:00", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z",
     "1969-12-31T23:59:59Z",
     "9999-12-31T23:59:59-14:00", "1769860800", "99999999999999999999",
     "\uff12\uff10\uff12\uff16-01-31T12:00:00Z", "2026-01-31T25:00:00Z"],
)  # fmt: skip
def test_what_is_no_time_is_none(cell: str) -> None:
    assert cells.moment(cell) is None

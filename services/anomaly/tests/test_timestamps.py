import pytest
from anomaly.ingestion.timestamps import parse, parse_text
from hypothesis import given
from hypothesis import strategies as st
from servicekit.problems import InvalidInput


@pytest.mark.parametrize(
    ("value", "at_ms"),
    [
        ("2026-01-01T00:00:00Z", 1_767_225_600_000),
        ("2026-01-01T01:00:00+01:00", 1_767_225_600_000),
        ("2026-01-01T00:00:00.123Z", 1_767_225_600_123),
        ("2026-01-01T00:00:00.123999Z", 1_767_225_600_123),
        ("2026-01-01 00:00:00+00:00", 1_767_225_600_000),
        ("1970-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        (1_767_225_600_000, 1_767_225_600_000),
        (0, 0),
    ],
)
def test_reads_iso_with_a_zone_and_epoch_milliseconds(value: str | int, at_ms: int) -> None:
    assert parse(value) == at_ms


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "2026-01-01T00:00:00",
        "2026-01-01",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "10000-01-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "\uff12\uff10\uff12\uff16-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z" + "0" * 40,
        "2026-01-01T00:00:00\x00Z",
        "1_767",
        "1767225600000",
        -1,
        2**63,
        10**30,
        253_402_300_800_000,
    ],
)
def test_refuses_anything_else_by_its_value(value: str | int) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(value)
    assert "expected" in caught.value.detail
    assert len(caught.value.detail) < 300


def test_digits_in_a_query_are_milliseconds() -> None:
    assert parse_text("1767225600000") == parse_text("2026-01-01T00:00:00Z")


@given(st.text())
def test_never_fails_otherwise(text: str) -> None:
    try:
        parse_text(text)
    except InvalidInput:
        return

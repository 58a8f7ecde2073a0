"""What a cell of a table means: a number, a time, or neither."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
# 2001 to 9999 in epoch milliseconds: smaller numbers are counters or seconds, not times.
EARLIEST_MS, LATEST_MS = 1_000_000_000_000, 253_402_300_799_999
NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?P<zone>Z|[+-]\d\d:?\d\d)?", re.ASCII
)


def number(cell: str, decimal_comma: bool) -> float | None:
    """Returns the number that a cell holds, infinite where it is too large for one; None where it is no number."""
    text = cell.strip(" ")
    if decimal_comma and "." not in text:
        text = text.replace(",", ".", 1)
    return float(text) if NUMBER.fullmatch(text) else None


def moment(cell: str) -> tuple[int, bool] | None:
    """Returns epoch milliseconds and whether a zone was written (UTC is taken where not); None where it is no time."""
    text = cell.strip(" ")
    if text.isascii() and text.isdigit() and len(text) in (13, 14, 15):
        return (int(text), True) if EARLIEST_MS <= int(text) <= LATEST_MS else None
    found = MOMENT.fullmatch(text)
    if not found:
        return None
    try:
        at = datetime.fromisoformat(text)
        zoned = at if at.tzinfo else at.replace(tzinfo=UTC)
        at_ms = (zoned - EPOCH) // MILLISECOND
    except (ValueError, OverflowError):
        return None
    return (at_ms, found["zone"] is not None) if 0 <= at_ms <= LATEST_MS else None

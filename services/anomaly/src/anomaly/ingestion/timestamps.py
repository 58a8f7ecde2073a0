"""Times as clients write them: ISO 8601 with a zone, or epoch milliseconds."""

import re
from datetime import UTC, datetime, timedelta

from servicekit.problems import InvalidInput, quote

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
# RFC 3339, without seconds as well; `fromisoformat` alone takes a NUL for a separator.
DATE, TIME, ZONE = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d(:\d\d([.,]\d{1,9})?)?", r"(Z|[+-]\d\d:?\d\d)"
PATTERN = re.compile(f"{DATE}[T ]{TIME}{ZONE}", re.ASCII)
ZONED = re.compile(f"{ZONE}$", re.ASCII)
MAX_MS = 253_402_300_799_999  # the end of the year 9999
EXPECTED = 'expected ISO 8601 with a zone, as "2026-01-31T12:00:00Z", or epoch milliseconds since 1970'


def parse(value: str | int) -> int:
    """Returns epoch milliseconds, finer digits cut off; raises InvalidInput that says what is accepted."""
    at_ms = value if isinstance(value, int) else _from_text(value)
    if not 0 <= at_ms <= MAX_MS:
        raise InvalidInput(f"the timestamp {quote(value)} is not in the years 1970 to 9999: {EXPECTED}")
    return at_ms


def parse_text(text: str) -> int:
    """The same for a query or a CSV cell, where a number is text as well."""
    return parse(int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else text)


def _from_text(text: str) -> int:
    upper = text.upper()
    try:
        if not PATTERN.fullmatch(upper):
            raise ValueError
        moment = datetime.fromisoformat(upper)
    except ValueError:
        what = "cannot be read" if ZONED.search(upper) else "has no zone"
        raise InvalidInput(f"the timestamp {quote(text)} {what}: {EXPECTED}") from None
    return (moment - EPOCH) // MILLISECOND

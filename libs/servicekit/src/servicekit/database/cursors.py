"""Where a list goes on: opaque to clients, who give back what the last page told them."""

import base64
import binascii

from servicekit.problems import InvalidInput, quote

LARGEST = 2**63 - 1  # of a row id


def encode(before: int) -> str:
    return base64.urlsafe_b64encode(f"b{before}".encode()).decode().rstrip("=")


def decode(cursor: str | None) -> int | None:
    """Returns the id that the next page lies under; raises InvalidInput for anything that `encode` did not make."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    digits = text.removeprefix("b")
    known = text.startswith("b") and digits.isdigit() and len(digits) <= 19 and int(digits) <= LARGEST
    if not known or encode(int(digits)) != cursor:
        raise InvalidInput(f"the cursor {quote(cursor)} is none that this list gave")
    return int(digits)

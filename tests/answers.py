"""What a success and a refusal of any service look like."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

PROBLEM = "application/problem+json"


def expect(answer: httpx2.Response, status: int) -> Any:
    """Returns the body of a success."""
    assert answer.status_code == status, answer.text[:1000]
    return answer.json() if answer.content else None


def refused(answer: httpx2.Response, status: int, slug: str) -> dict[str, Any]:
    """Returns the problem, which has the one shape."""
    assert answer.status_code == status, answer.text[:1000]
    assert answer.headers["content-type"] == PROBLEM
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"urn:lineside:problem:{slug}"
    assert problem["status"] == status
    assert problem["error"] == problem["detail"]
    assert problem["title"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert len(answer.content) <= 16 * 1024
    return problem


def everything(api: httpx2.Client, path: str, limit: int = 2) -> Iterator[dict[str, Any]]:
    """Yields all items of a list, page by page."""
    cursor, sign = None, "&" if "?" in path else "?"
    while True:
        page = expect(api.get(f"{path}{sign}limit={limit}" + (f"&cursor={cursor}" if cursor else "")), 200)
        assert len(page["items"]) <= limit
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def now(offset_s: float = 0) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=offset_s)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""The answer of a call that changes state, as the database keeps it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation answers; `after` runs in the writer thread once the transaction is on disk."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    after: Callable[[], None] | None = None

    @classmethod
    def of(
        cls,
        value: object,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        after: Callable[[], None] | None = None,
    ) -> "Reply":
        """Returns a reply whose body is `value` as JSON."""
        return cls(status, msgspec.json.encode(value), headers=headers or {}, after=after)

    def response(self) -> Response:
        media_type: Any = self.media_type if self.body else None
        return Response(self.body, self.status, dict(self.headers), media_type=media_type)

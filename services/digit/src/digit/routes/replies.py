"""The forms of a batch's answer: JSON or CSV when all is read, NDJSON while it is read."""

import asyncio
from typing import Any, Protocol

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import Send

from digit.commands import rows
from digit.commands.rows import Row

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
STALL_S = 30.0  # that a client may take nothing of a stream
_encode = msgspec.json.Encoder().encode


class Whole(Protocol):
    """An answer that is sent when all is read."""

    headers: list[tuple[bytes, bytes]]

    def add(self, row: Row) -> None: ...

    def body(self) -> bytes: ...


class Json:
    """`predictions` by name, and `errors` where pictures may fail."""

    def __init__(self, *, detail: bool, errors: bool) -> None:
        self.headers = [(b"content-type", JSON.encode())]
        self._detail = detail
        self._predictions: dict[str, Any] = {}
        self._errors: dict[str, str] | None = {} if errors else None

    def add(self, row: Row) -> None:
        if row.reading:
            self._predictions[row.name] = rows.members(row.reading) if self._detail else row.reading.prediction
        elif self._errors is not None:
            self._errors[row.name] = row.error

    def body(self) -> bytes:
        errors = {} if self._errors is None else {"errors": self._errors}
        return _encode({"predictions": self._predictions, **errors})


class Csv:
    """A file to save: one line for each picture under a header."""

    def __init__(self, *, detail: bool) -> None:
        self.headers = [
            (b"content-type", b"text/csv; charset=utf-8"),
            (b"content-disposition", b'attachment; filename="predictions.csv"'),
        ]
        self._detail = detail
        self._lines = [rows.csv_header(detail)]

    def add(self, row: Row) -> None:
        self._lines.append(rows.csv_line(row, self._detail))

    def body(self) -> bytes:
        return "".join(self._lines).encode()


class Lines:
    """One JSON object a line, sent as they come; a client that takes none of them is given up."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def write(self, objects: list[dict[str, Any]]) -> None:
        """Sends lines, the head before the first; raises ClientDisconnect."""
        if not self.begun:
            self.begun = True
            headers = [(b"content-type", NDJSON.encode()), (b"x-accel-buffering", b"no")]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        body = b"".join(_encode(each) + b"\n" for each in objects)
        try:
            async with asyncio.timeout(STALL_S):
                await self._send({"type": "http.response.body", "body": body, "more_body": True})
        except TimeoutError:
            raise ClientDisconnect from None

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

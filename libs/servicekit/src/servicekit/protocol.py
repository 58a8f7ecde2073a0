"""uvicorn's HTTP protocol with what it lacks: limits on a request's head, refusals as problems, one write an answer."""

import asyncio
import secrets
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from servicekit.problems import MEDIA_TYPE, BadRequest, HeadTooLarge, Problem


class JoinedWrites:
    """A transport that hands on in one piece what is written within one turn of the event loop.

    uvicorn writes a response's head and its body one after the other: two system calls and two packets for a small one.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pending: list[bytes] = []
        self.is_closing = transport.is_closing  # asked for each request: faster than __getattr__

    def write(self, data: bytes) -> None:
        if not self._pending:
            self._loop.call_soon(self._flush)
        self._pending.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._pending:
            data = b"".join(self._pending)
            self._pending.clear()
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class LimitedProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers do not arrive in time or do not end."""

    head_timeout_s = 20.0
    max_head_bytes = 65_536

    head_bytes = 0
    head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))
        self.head_timer = self.loop.call_later(self.head_timeout_s, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.scope is None or "method" not in self.scope:  # uvicorn sets it when the head is complete
            self._count(len(data))
        elif self.head_timer:
            self._stop_timer()

    def handle_websocket_upgrade(self) -> None:
        self._stop_timer()
        super().handle_websocket_upgrade()

    def _count(self, received: int) -> None:
        self.head_bytes += received
        if self.head_bytes > self.max_head_bytes:
            self._refuse(HeadTooLarge(f"the headers have more than {self.max_head_bytes} bytes, which is the limit"))
        elif not self.head_timer:
            self.head_timer = self.loop.call_later(self.head_timeout_s, self.transport.close)

    def _stop_timer(self) -> None:
        self.head_bytes = 0
        if self.head_timer:
            self.head_timer.cancel()
            self.head_timer = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text says no more
        self._refuse(BadRequest("the request is not HTTP/1.1"))

    def _refuse(self, problem: Problem) -> None:
        request_id = secrets.token_hex(16)
        body = problem.encode(request_id)
        head = (
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nx-request-id: {request_id}\r\n"
            "x-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[problem.status] + head.encode("ascii") + body)
        self.transport.close()

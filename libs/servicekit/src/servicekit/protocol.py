"""uvicorn's HTTP protocol, with limits on the head of a request, which it lacks, and its own refusal as a problem."""

import asyncio
import secrets

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from servicekit.problems import MEDIA_TYPE, BadRequest, HeadTooLarge, Problem


class LimitedProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers do not arrive in time or do not end."""

    head_timeout_s = 20.0
    max_head_bytes = 65_536

    head_bytes = 0
    head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
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

"""Answers that are sent as they come: nothing is held back, and a client that takes none of it is given up."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

import msgspec
from fastapi import Request
from servicekit import context
from servicekit.connected import while_connected
from servicekit.problems import Problem
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ocr import answers
from ocr.results import PageResult
from ocr.routes.forms import NDJSON

FAILED = {"success": False}  # beside the members of every problem
STALL_S = 30.0  # that a client may take nothing of a stream
_encode = msgspec.json.Encoder().encode


class Stream(Response):
    """Sends `pieces`, and closes at the end what they needed, whatever happens."""

    def __init__(
        self, pieces: AsyncIterator[bytes], needs: AsyncExitStack, media_type: str, headers: Mapping[str, str]
    ) -> None:
        super().__init__(None, 200, {**headers, "X-Accel-Buffering": "no"}, media_type)
        if "Content-Length" not in headers:
            del self.headers["content-length"]  # that of no body
        self.pieces = pieces
        self.needs = needs.pop_all()  # the route's own block ends before this is sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        async with self.needs:
            await while_connected(receive, self._send(send))

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self.pieces:
            try:
                async with asyncio.timeout(STALL_S):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            except TimeoutError:
                raise ClientDisconnect from None
        await send({"type": "http.response.body", "body": b""})


async def lines(
    request: Request, pages: AsyncIterator[PageResult], n_pages: int | None, needs: AsyncExitStack, *, words: bool
) -> Stream:
    """Returns a stream of a line for each page. What refuses the first one is the status, later it is the last line."""
    first = await while_connected(request.receive, _next(pages))
    headers = {} if n_pages is None else {"X-Page-Count": str(n_pages)}
    pieces = _lines(first, pages, context.of(request.scope).request_id, words=words)
    return Stream(pieces, needs, NDJSON.media_type, headers)


async def _next(pages: AsyncIterator[PageResult]) -> PageResult | None:
    return await anext(pages, None)


async def _lines(
    first: PageResult | None, pages: AsyncIterator[PageResult], request_id: str, *, words: bool
) -> AsyncIterator[bytes]:
    result, index = first, 0
    while result:
        yield _encode(answers.page(result, index, words=words)) + b"\n"
        index += 1
        try:
            result = await anext(pages, None)
        except Problem as problem:
            yield _encode({**FAILED, **problem.document(request_id)}) + b"\n"
            return

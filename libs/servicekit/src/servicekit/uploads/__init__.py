"""Files that a client sends as multipart/form-data: counted, measured and named while they arrive.

Small ones stay in memory, what is more goes to a temporary file. The parser is `multipart`, which takes half the time
of the one that Starlette uses and leaves to us what to do with the bytes.
"""

from collections.abc import Collection
from types import TracebackType

import multipart  # type: ignore[import-untyped] # ships no marker for its types
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from servicekit import context, media
from servicekit.limits import CLOSE
from servicekit.problems import MultipartInvalid, Problem
from servicekit.spool import PIECE_BYTES, Spool
from servicekit.uploads.parts import Parts
from servicekit.uploads.received import Form, Upload, Uploads

__all__ = ["Form", "Reading", "Upload", "Uploads", "read"]

MEDIA_TYPE = "multipart/form-data"
MAX_HEADER_BYTES = 4096
MAX_BOUNDARY = 200


def read(
    request: Request, *, field: str, max_file_bytes: int, max_files: int = 1, fields: Collection[str] = ()
) -> "Reading":
    """Reads the body of a form: `async with read(…) as received:`; at the end of the block its files are gone.

    Raises UnsupportedMediaType, MultipartInvalid, FileMissing, FileTooLarge, TooManyFiles, InvalidInput for fields that
    the call does not take, and UploadStorageFull. How large the body may be is said by `limits.allow_body`.
    """
    return Reading(request.scope, request.receive, Form(field, max_file_bytes, max_files, fields))


class Reading:
    """The same as `read`, for those who serve a call below the router."""

    def __init__(self, scope: Scope, receive: Receive, form: Form) -> None:
        self.request = context.of(scope)
        self.receive = receive
        self.form = form
        self.spool = Spool()

    async def __aenter__(self) -> Uploads:
        try:
            return await self._read()
        except BaseException:
            self.spool.close()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.spool.close()

    async def _read(self) -> Uploads:
        header = self.request.headers.get(b"content-type", b"")
        parser = multipart.PushMultipartParser(
            _boundary(header), max_header_size=MAX_HEADER_BYTES, header_charset="latin-1"
        )
        parts = Parts(self.form, self.spool)
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more = message.get("more_body", False)
            try:
                parts.parse(parser, message.get("body", b""))
            except Problem as problem:
                self._leave_unread(problem, more)
                raise
            if self.spool.pending_bytes >= PIECE_BYTES:
                await self.spool.flush()
        received = parts.finish(parser)
        await self.spool.flush()
        return received

    def _leave_unread(self, problem: Problem, more: bool) -> None:
        """Has the connection closed where the rest of the body is still coming."""
        if more:
            self.request.body_unread = True
            problem.headers = {**(problem.headers or {}), **CLOSE}


def _boundary(header: bytes) -> bytes:
    media.check(header, MEDIA_TYPE)
    _, options = multipart.parse_options_header(header.decode("latin-1"))
    boundary: str = options.get("boundary", "")
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        raise MultipartInvalid(f"Content-Type names no boundary of 1 to {MAX_BOUNDARY} characters")
    return boundary.encode("latin-1")

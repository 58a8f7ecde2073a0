"""Files that a client sends as multipart/form-data (RFC 7578): counted, measured and named while they arrive.

Small ones stay in memory; what is more goes to a temporary file.
"""

import contextlib
import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO
from urllib.parse import unquote

import multipart  # type: ignore[import-untyped] # ships no marker for its types
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from servicekit import context, media
from servicekit.limits import CLOSE
from servicekit.names import base, quoted
from servicekit.problems import (
    FileMissing,
    FileTooLarge,
    InvalidInput,
    MultipartInvalid,
    Problem,
    TooManyFiles,
    quote,
)
from servicekit.spool import PIECE_BYTES, Spool

MEDIA_TYPE = "multipart/form-data"
MEMORY_FILE_BYTES = 1 << 20  # a larger file goes to the disk
MEMORY_BYTES = 8 << 20  # and so does what comes after that much
MAX_TEXT_BYTES = 65_536
MAX_HEADER_BYTES = 4096
MAX_IDLE_PARTS = 16  # fields that are not taken, read on so that a refusal can name them; inputs without a file
MAX_BOUNDARY = 200

_PLAIN_ENCODINGS = ("", "binary", "8bit", "7bit")
_EXTENDED_NAME = re.compile(r"""filename\*\s*=\s*"?([\w.-]+)'[^']*'([^;"\s]*)""", re.IGNORECASE)


@dataclass(frozen=True)
class Form:
    """What a call takes: files in one field, and texts in `fields`."""

    field: str
    max_file_bytes: int
    max_files: int = 1
    fields: Collection[str] = ()


class Upload:
    """A file as it came: its name without folders, the type that the client gave it, its size in bytes."""

    def __init__(self, name: str, content_type: str, spool: Spool) -> None:
        self.name = name
        self.content_type = content_type
        self.size = 0
        self._chunks: list[bytes] = []
        self._spool = spool
        self._start = -1  # in the spool

    @property
    def in_memory(self) -> bool:
        return self._start < 0

    def data(self) -> bytes:
        """Returns the content; of a large file it is read from the disk."""
        if not self.in_memory:
            return self.file.read()
        if len(self._chunks) > 1:
            self._chunks = [b"".join(self._chunks)]
        return self._chunks[0] if self._chunks else b""

    @property
    def file(self) -> BinaryIO:
        """The content as a new file, at its start."""
        return io.BytesIO(self.data()) if self.in_memory else self._spool.part(self._start, self.size)

    def keep(self, chunk: bytes) -> None:
        """Takes the next bytes into memory."""
        self._chunks.append(chunk)
        self.size += len(chunk)

    def spill(self, chunk: bytes) -> int:
        """Takes the next bytes to the disk, after those that it has; returns how many those were."""
        held = self.size if self.in_memory else 0
        if self.in_memory:
            self._start = self._spool.size
            for kept in self._chunks:
                self._spool.append(kept)
            self._chunks = []
        self._spool.append(chunk)
        self.size += len(chunk)
        return held


@dataclass(frozen=True)
class Uploads:
    """What came: the files in their order, and the texts by field."""

    files: list[Upload]
    fields: dict[str, str]


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
        parts = _Parts(self.form, self.spool)
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


class _Parts:
    """Sorts the parts of a body into files, texts and what the call does not take."""

    def __init__(self, form: Form, spool: Spool) -> None:
        self.form = form
        self.spool = spool
        self.held = 0  # bytes in memory
        self.files: list[Upload] = []
        self.texts: dict[str, bytearray] = {}
        self.unknown: list[str] = []
        self.empty = 0  # file inputs in which no file was chosen
        self.number = 0
        self.file: Upload | None = None  # the current part's
        self.text: bytearray | None = None
        self.nameless = False

    def parse(self, parser: multipart.PushMultipartParser, chunk: bytes) -> None:
        """Takes the next bytes of the body; raises a Problem."""
        if not chunk:
            return
        try:
            for event in parser.parse(chunk):
                if isinstance(event, bytes):
                    self._add(event)
                elif event:
                    self._begin(event)
        except multipart.MultipartError as error:
            raise MultipartInvalid(f"part {self.number} of the body cannot be read: {error}") from None

    def finish(self, parser: multipart.PushMultipartParser) -> Uploads:
        """Returns what came; raises a Problem where something is missing or not taken."""
        try:
            parser.close()
        except multipart.MultipartError:
            why = "ends before its last boundary" if self.number else "does not begin with the boundary of Content-Type"
            raise MultipartInvalid(f"the body {why}") from None
        if not self.files:
            came = "it came without a file" if self.empty else _came([*self.texts, *self.unknown])
            raise FileMissing(f"{self._wanted()}; {came}")
        if self.unknown:
            raise InvalidInput(f"{self._wanted()}; {_came(self.unknown)} as well")
        return Uploads(self.files, {name: self._decoded(name) for name in self.texts})

    def _wanted(self) -> str:
        noun = "the file" if self.form.max_files == 1 else "files"
        return f"this call takes {noun} in the field {quoted(self.form.field)}"

    def _begin(self, part: multipart.MultipartSegment) -> None:
        self.number += 1
        self.file = self.text = None
        self.nameless = False
        name = _decoded(part.name or "")
        if not name:
            raise MultipartInvalid(f"part {self.number} of the body has no name")
        if len(part.headerlist) > 2:
            _check_encoding(part)
        if name == self.form.field:
            self._begin_file(part)
        elif name in self.form.fields:
            self._begin_text(name)
        else:
            self.unknown.append(name)
            if len(self.unknown) > MAX_IDLE_PARTS:
                raise InvalidInput(f"{self._wanted()}; {_came(self.unknown)}")

    def _begin_file(self, part: multipart.MultipartSegment) -> None:
        name = _file_name(part)
        if not name:  # a browser sends an empty name where no file was chosen, Swagger UI none
            self.nameless = name is None
            self.empty += 1
            if self.empty > MAX_IDLE_PARTS:
                raise MultipartInvalid(f"more than {MAX_IDLE_PARTS} parts came without a file, which is the limit")
            return
        if len(self.files) == self.form.max_files:
            raise TooManyFiles(f"more files came than {self.form.max_files}, which is the limit")
        self.file = Upload(base(name), part.content_type or "application/octet-stream", self.spool)
        self.files.append(self.file)

    def _begin_text(self, name: str) -> None:
        if name in self.texts:
            raise InvalidInput(f"the field {quoted(name)} is repeated")
        self.text = self.texts[name] = bytearray()

    def _add(self, chunk: bytes) -> None:
        if self.file:
            self._add_to_file(self.file, chunk)
        elif self.nameless:
            raise FileMissing(f"{self._wanted()}; it came as text, without a file name")
        elif self.text is not None:
            self.text += chunk
            if len(self.text) > MAX_TEXT_BYTES:
                raise InvalidInput(f"a text field has more than {MAX_TEXT_BYTES} bytes, which is the limit")

    def _add_to_file(self, file: Upload, chunk: bytes) -> None:
        size, limit = file.size + len(chunk), self.form.max_file_bytes
        if size > limit:
            raise FileTooLarge(f"the file {quoted(file.name)} has more than {limit} bytes, which is the limit")
        if file.in_memory and size <= MEMORY_FILE_BYTES and self.held + len(chunk) <= MEMORY_BYTES:
            file.keep(chunk)
            self.held += len(chunk)
        else:
            self.held -= file.spill(chunk)

    def _decoded(self, name: str) -> str:
        try:
            return self.texts[name].decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidInput(f"the field {quoted(name)} is not UTF-8") from None


def _file_name(part: multipart.MultipartSegment) -> str | None:
    """Returns the name as sent, RFC 5987's form first: clients that send it make the plain one unreadable."""
    disposition = part.header("Content-Disposition", "")
    extended = _EXTENDED_NAME.search(disposition) if "*" in disposition else None
    if extended:
        with contextlib.suppress(LookupError):
            return unquote(extended[2], encoding=extended[1], errors="replace")
    return None if part.filename is None else _decoded(part.filename)


def _decoded(text: str) -> str:
    """Headers are read as Latin-1, so that none is broken; they are UTF-8."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def _check_encoding(part: multipart.MultipartSegment) -> None:
    encoding: str = part.header("Content-Transfer-Encoding", "").lower()
    if encoding not in _PLAIN_ENCODINGS:
        raise MultipartInvalid(f"Content-Transfer-Encoding is {quote(encoding)}; parts are sent as they are (RFC 7578)")


def _came(fields: list[str]) -> str:
    """Says which fields came, in the words of a refusal."""
    if not fields:
        return "no field came"
    unique = list(dict.fromkeys(fields))
    shown = ", ".join(quoted(name) for name in unique[:8]) + (" …" if len(unique) > 8 else "")
    return f"the field {shown} came" if len(unique) == 1 else f"the fields {shown} came"

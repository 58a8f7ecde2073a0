"""The parts of a form (RFC 7578), sorted into files, texts and what the call does not take."""

import contextlib
import re
from urllib.parse import unquote

import multipart  # type: ignore[import-untyped] # ships no marker for its types

from servicekit.names import base, quoted
from servicekit.problems import FileMissing, FileTooLarge, InvalidInput, MultipartInvalid, TooManyFiles, quote
from servicekit.spool import Spool
from servicekit.uploads.received import Form, Upload, Uploads

MEMORY_BYTES = 1 << 19  # of files; what is more goes to the disk: 64 requests at once hold 32 MiB
MAX_TEXT_BYTES = 65_536
MAX_IDLE_PARTS = 16  # fields that are not taken, read on so that a refusal can name them all; inputs without a file

_PLAIN_ENCODINGS = ("", "binary", "8bit", "7bit")
_EXTENDED_NAME = re.compile(r"""filename\*\s*=\s*"?([\w.-]+)'[^']*'([^;"\s]*)""", re.IGNORECASE)


class Parts:
    """Takes the bytes of a body as they come, and tells at the end what they were."""

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
        self.idle: multipart.MultipartSegment | None = None  # it is for a file, whose name did not come

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
        self.file = self.text = self.idle = None
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
        if name:
            self._open(name, part)
            return
        self.idle = part  # a browser sends an empty name, and nothing, where no file was chosen
        self.empty += 1
        if self.empty > MAX_IDLE_PARTS:
            raise MultipartInvalid(f"more than {MAX_IDLE_PARTS} parts came without a file, which is the limit")

    def _open(self, name: str, part: multipart.MultipartSegment) -> None:
        if len(self.files) == self.form.max_files:
            raise TooManyFiles(f"more files came than {self.form.max_files}, which is the limit")
        self.file = Upload(base(name), part.content_type or "application/octet-stream", self.spool)
        self.files.append(self.file)

    def _open_idle(self, part: multipart.MultipartSegment) -> None:
        """Takes the content that came without a file name for what it is: a script's file, or a text."""
        if part.filename is None:
            raise FileMissing(f"{self._wanted()}; it came as text, without a file name")
        self.idle = None
        self.empty -= 1
        self._open("", part)

    def _begin_text(self, name: str) -> None:
        if name in self.texts:
            raise InvalidInput(f"the field {quoted(name)} is repeated")
        self.text = self.texts[name] = bytearray()

    def _add(self, chunk: bytes) -> None:
        if self.idle:
            self._open_idle(self.idle)
        if self.file:
            self._add_to_file(self.file, chunk)
        elif self.text is not None:
            self.text += chunk
            if len(self.text) > MAX_TEXT_BYTES:
                raise InvalidInput(f"a text field has more than {MAX_TEXT_BYTES} bytes, which is the limit")

    def _add_to_file(self, file: Upload, chunk: bytes) -> None:
        size, limit = file.size + len(chunk), self.form.max_file_bytes
        if size > limit:
            raise FileTooLarge(f"the file {quoted(file.name)} has more than {limit} bytes, which is the limit")
        if file.in_memory and self.held + len(chunk) <= MEMORY_BYTES:
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

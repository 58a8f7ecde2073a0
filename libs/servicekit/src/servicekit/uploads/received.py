"""What a call takes of a form, and what came."""

import io
from collections.abc import Collection
from dataclasses import dataclass
from typing import BinaryIO

from servicekit.spool import Spool


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

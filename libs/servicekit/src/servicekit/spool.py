"""One temporary file without a name, filled in large pieces beside the event loop, read in parts.

The system removes it with the last reference to it, whatever happens to this process.
"""

import asyncio
import errno
import io
import os
import tempfile
from typing import BinaryIO

from servicekit.problems import UploadStorageFull

PIECE_BYTES = 1 << 18  # written at a time: a hop to a thread costs some 100 µs
_BUFFER_BYTES = 65_536
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Spool:
    """Takes bytes by `append`; `flush` writes them. A part is known by its start and size."""

    def __init__(self) -> None:
        self.size = 0  # bytes, those that are not written yet too
        self.pending_bytes = 0
        self._pending: list[bytes] = []
        self._file: io.FileIO | None = None
        self._writing: asyncio.Future[None] | None = None

    def append(self, data: bytes) -> None:
        self._pending.append(data)
        self.pending_bytes += len(data)
        self.size += len(data)

    async def flush(self) -> None:
        """Writes what is pending; raises UploadStorageFull."""
        if not self._pending:
            return
        pieces, self._pending, self.pending_bytes = self._pending, [], 0
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._write, pieces)
        await asyncio.shield(self._writing)  # whoever is cancelled here must not close the file under the thread

    def _write(self, pieces: list[bytes]) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `close`
            for piece in pieces:
                rest = memoryview(piece)
                while rest:
                    rest = rest[self._file.write(rest) :]
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise UploadStorageFull("there is no room for the upload on the server's disk") from None

    def part(self, start: int, size: int) -> BinaryIO:
        """Returns a part of what was written as a file of its own, with a position of its own."""
        assert self._file is not None
        return io.BufferedReader(_Part(self._file, start, size), _BUFFER_BYTES)

    def close(self) -> None:
        """Gives the file back, after the thread that still writes it where there is one."""
        self._pending = []
        if self._writing and not self._writing.done():
            self._writing.add_done_callback(self._close)
        else:
            self._close(None)

    def _close(self, written: "asyncio.Future[None] | None") -> None:
        if written:
            written.exception()  # nobody waits for it any more
        if self._file:
            self._file.close()


class _Part(io.RawIOBase):
    def __init__(self, file: io.FileIO, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override] # Python 3.11 has no name for its type
        view = memoryview(buffer)[: max(0, self._size - self._position)]
        read = os.preadv(self._file.fileno(), [view], self._start + self._position) if view else 0
        self._position += read
        return read

    def readall(self) -> bytes:
        data = os.pread(self._file.fileno(), max(0, self._size - self._position), self._start + self._position)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = (0, self._position, self._size)[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._position = base + offset
        return self._position

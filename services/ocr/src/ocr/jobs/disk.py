"""Files that are there whole or not at all, and that a 2xx can promise: written, synchronised, then renamed."""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from servicekit.problems import UploadStorageFull

PIECE_BYTES = 1 << 20
PRIVATE = 0o600
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def room() -> Iterator[None]:
    """Raises UploadStorageFull where the disk is full within the block."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise UploadStorageFull("there is no room for the job on the server's disk") from None


def sync_folder(folder: Path) -> None:
    """Makes durable which names are in the folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(path: Path, data: bytes) -> None:
    """Puts a small private file at `path`, in the place of the one that is there; durable when it returns."""
    beside = path.with_name(f".{path.name}")
    try:
        with _create(beside) as file:
            file.write(data)
            _sync(file)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def copy(source: BinaryIO, path: Path) -> None:
    """Puts what `source` holds at `path`, which no process may read before its folder is renamed."""
    with _create(path) as file:
        shutil.copyfileobj(source, file, PIECE_BYTES)
        _sync(file)


def append(path: Path, line: bytes) -> None:
    """Adds a line, durably; where that fails, what was there before is left."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE)
    try:
        size = os.fstat(descriptor).st_size
        rest = memoryview(line + b"\n")
        try:
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def truncate(path: Path, size: int) -> None:
    """Cuts a file to `size` bytes, durably."""
    with path.open("r+b") as file:
        file.truncate(size)
        _sync(file)


def wipe(path: Path) -> None:
    """Overwrites a small file and removes it, where it is there."""
    with contextlib.suppress(FileNotFoundError):
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            _sync(file)
        path.unlink()
        sync_folder(path.parent)


def sha256(source: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := source.read(PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE), "wb")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())

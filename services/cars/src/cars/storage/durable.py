"""Files that are on the disk when a call returns, whatever happens to the power after it."""

import os
from contextlib import suppress

_MODE = 0o640  # the pictures may show people: they are nobody else's to read
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def place(temporary: str, target: str, data: bytes) -> None:
    """Writes a file beside and renames it to `target` when it is on the disk; the name is not yet: `sync_folder`.

    Leaves nothing behind where it raises OSError.
    """
    try:
        _write(temporary, data)
        os.rename(temporary, target)  # noqa: PTH104 - paths are text here: pathlib takes ten times as long
    except OSError:
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108 - likewise
        raise


def _write(path: str, data: bytes) -> None:
    file = os.open(path, _NEW, _MODE)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def sync_folder(path: str) -> None:
    """Has the names in a folder on the disk when it returns."""
    folder = os.open(path, _FOLDER)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
